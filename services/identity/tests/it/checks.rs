//! What every service must hold, checked by walking its catalog and its OpenAPI document.

use std::sync::atomic::{AtomicUsize, Ordering};

use bz_testkit::{Client, Tenant, checks};
use serde_json::json;

use crate::{passkeys, support::IdentityUnderTest};

/// Pitfalls 20, 21, 26: no view with its owner's rights, no definer function that is not on the reviewed list with a fixed
/// search path, no right to truncate; the rules are the files of libs/tenant/src/catalog/rules.
#[tokio::test]
async fn the_catalog_follows_the_rules_of_tenancy() {
    checks::catalog::<IdentityUnderTest>().await;
}

#[tokio::test]
async fn no_tenant_reads_or_changes_anothers_rows() {
    checks::isolation::<IdentityUnderTest>().await;
}

/// Pitfall 31: every operation with an id in its path, walked in the OpenAPI document.
#[tokio::test]
async fn a_foreign_id_is_answered_like_one_that_does_not_exist() {
    checks::foreign_ids_in(&crate::support::start().await, object).await;
}

/// An object of the tenant of the client, for a path.
async fn object(client: &Client, path: &str) -> Option<Vec<String>> {
    let made = match path {
        // Not the tenant itself: its own owner would delete it.
        "/api/tenants/{id}" => return None,
        "/api/tenants/{id}/policy" => return Some(vec![Tenant::Globex.id().to_string()]),
        path if path.starts_with("/api/invitations/{id}") => {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let email = format!("invited{number}@example.com");
            let request = json!({ "email": email, "roles": ["member"] });
            client.post("/api/invitations", request).await
        }
        "/api/roles/{id}" => {
            let name = format!("Role {}", NUMBER.fetch_add(1, Ordering::Relaxed));
            let role = json!({ "name": name, "permissions": ["leads:read"] });
            client.post("/api/roles", role).await
        }
        path if path.starts_with("/api/users/{id}")
            || path.starts_with("/api/members/{user_id}") =>
        {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let user = json!({ "email": format!("user{number}@globex.test") });
            client.post("/api/users", user).await
        }
        path if path.starts_with("/api/oauth-clients/{id}") => {
            let request =
                json!({ "name": "Theirs", "redirect_uris": ["https://app.example.com/"] });
            client.post("/api/oauth-clients", request).await
        }
        path if path.starts_with("/api/webhooks/") => {
            let hook = json!({ "url": "https://hooks.example.com/", "events": ["*"] });
            let hook = client.post("/api/webhooks", hook).await.json();
            let id = hook["id"].as_str()?.to_owned();
            if !path.contains("/replay") {
                return Some(vec![id]);
            }
            let test = format!("/api/webhooks/{id}/test");
            let delivery = client.post(&test, json!({})).await.assert_status(202);
            return Some(vec![delivery.json()["id"].as_str()?.to_owned()]);
        }
        "/api/api-keys/{id}" | "/api/api-keys/{id}/rotate" => {
            return Some(vec![crate::api_keys::of(client).await]);
        }
        "/api/service-accounts/{id}/secrets/{secret_id}" => {
            return Some(crate::service_accounts::with_secret(client).await);
        }
        "/api/service-accounts/{id}" | "/api/service-accounts/{id}/secrets" => {
            return Some(vec![crate::service_accounts::of(client).await]);
        }
        "/auth/sessions/{id}" => return Some(vec![crate::sessions::of(client).await]),
        "/auth/passkeys/{id}" => {
            let id = bz_kernel::Rng::system().bytes::<16>();
            let (_, passkey) = passkeys::with_passkey(client, &id).await;
            return Some(vec![passkey["id"].as_str()?.to_owned()]);
        }
        path if path.starts_with("/auth/mfa/totp/{id}") => {
            let enrolment = client.post("/auth/mfa/totp", json!({})).await.json();
            return Some(vec![enrolment["enrollment_id"].as_str()?.to_owned()]);
        }
        _ => return None,
    };
    let made = made.assert_status(201).json();
    Some(vec![made["id"].as_str()?.to_owned()])
}

/// Makes names that nobody has.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

#[tokio::test]
async fn every_operation_asks_for_a_token_and_a_permission() {
    checks::access::<IdentityUnderTest>().await;
}

/// Pitfalls 63, 64: NUL, invalid UTF-8, and numbers that are no size of a page, in every parameter and body.
#[tokio::test]
async fn every_refusal_is_a_problem_document() {
    checks::problems::<IdentityUnderTest>().await;
}

#[test]
fn the_committed_openapi_document_is_the_current_one() {
    checks::openapi_is_committed::<IdentityUnderTest>();
}
