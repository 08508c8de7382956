//! Service accounts: made by people, logged in by programs.

use std::time::Duration;

use bz_auth::Claims;
use bz_testkit::{Client, Role, Tenant, TestResponse, wait_until};
use chrono::TimeDelta;
use http::Method;
use serde_json::{Value, json};

use crate::support::{IdentityApp, start};

const ALL: &str = "/api/service-accounts";
const PATIENCE: Duration = Duration::from_secs(20);

async fn create(client: &Client, role: &str) -> Value {
    let body = json!({ "name": "Importer", "role": role });
    client.post(ALL, body).await.assert_status(201).json()
}

/// The id of a new account of the tenant of a client.
pub(crate) async fn of(owner: &Client) -> String {
    create(owner, "viewer").await["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The ids of a new account and of a secret of it.
pub(crate) async fn with_secret(owner: &Client) -> Vec<String> {
    let account = create(owner, "viewer").await;
    let secret = new_secret(owner, &account).await.assert_status(201).json();
    [&account, &secret]
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .to_vec()
}

fn path(account: &Value) -> String {
    format!("{ALL}/{}", account["id"].as_str().unwrap())
}

async fn new_secret(client: &Client, account: &Value) -> TestResponse {
    client
        .request(Method::POST, &format!("{}/secrets", path(account)))
        .await
}

async fn token(app: &IdentityApp, secret: &Value) -> TestResponse {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", secret["client_id"].as_str().unwrap()),
        ("client_secret", secret["client_secret"].as_str().unwrap()),
    ];
    app.anonymous
        .request(Method::POST, "/oauth2/token")
        .form(&form)
        .await
}

async fn program(app: &IdentityApp, secret: &Value) -> Client {
    let answer = token(app, secret).await.assert_status(200).json();
    app.anonymous
        .with_token(answer["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn an_account_gets_tokens_of_its_tenant_with_its_role() {
    let app = start().await;
    let owner = &app.acme.owner;
    let account = create(owner, "member").await;
    assert_eq!(
        account,
        json!({
            "id": account["id"], "client_id": account["client_id"], "name": "Importer", "description": null,
            "role": "member", "status": "active", "jwks": null, "secrets": [], "created_by": Tenant::Acme.user(Role::Owner),
            "created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-02T09:00:00Z",
        })
    );
    let secret = new_secret(owner, &account).await.assert_status(201);
    assert_eq!(secret.header("cache-control"), Some("no-store"));
    let secret = secret.json();
    let answer = token(&app, &secret).await.assert_status(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let answer = answer.json();
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"]),
        (&json!("Bearer"), &json!(600))
    );
    let verified = app
        .core
        .verifier
        .verify(answer["access_token"].as_str().unwrap())
        .await
        .unwrap();
    let Claims {
        sub,
        tid,
        roles,
        client_id,
        sid,
        auth_time,
        ..
    } = &*verified;
    assert_eq!(
        (json!(sub), tid),
        (account["id"].clone(), &Some(Tenant::Acme.id().as_uuid()))
    );
    assert_eq!(
        (roles, json!(client_id)),
        (&vec!["member".to_owned()], account["client_id"].clone())
    );
    assert_eq!((sid, auth_time), (&None, &None));
    let program = program(&app, &secret).await;
    program
        .get(&format!("/api/tenants/{}", Tenant::Acme.id()))
        .await
        .assert_status(200);
    program.get(ALL).await.assert_problem(403, "forbidden");
    program
        .get("/auth/me")
        .await
        .assert_problem(401, "unauthenticated");
    let read = owner.get(&path(&account)).await.assert_status(200);
    assert_eq!(read.header("etag"), Some("\"1\""));
    assert_eq!(
        read.json()["secrets"],
        json!([{ "id": secret["id"], "created_at": "2026-03-02T09:00:00Z", "last_used_at": "2026-03-02T09:00:00Z" }])
    );
    let list = owner.get(ALL).await.assert_status(200).json();
    assert_eq!(list, json!({ "items": [read.json()], "next_cursor": null }));
    let others = app.globex.owner.get(ALL).await.assert_status(200).json();
    assert_eq!(others["items"], json!([]));
}

#[tokio::test]
async fn one_secret_is_replaced_while_the_other_is_in_use() {
    let app = start().await;
    let owner = &app.acme.owner;
    let account = create(owner, "viewer").await;
    let first = new_secret(owner, &account).await.assert_status(201).json();
    let second = new_secret(owner, &account).await.assert_status(201).json();
    new_secret(owner, &account)
        .await
        .assert_problem(409, "too_many_secrets");
    token(&app, &first).await.assert_status(200);
    token(&app, &second).await.assert_status(200);
    let first_path = format!(
        "{}/secrets/{}",
        path(&account),
        first["id"].as_str().unwrap()
    );
    owner.delete(&first_path).await.assert_status(204);
    owner
        .delete(&first_path)
        .await
        .assert_problem(404, "not_found");
    assert_eq!(
        token(&app, &first).await.assert_status(401).json()["error"],
        "invalid_client"
    );
    token(&app, &second).await.assert_status(200);
    new_secret(owner, &account).await.assert_status(201);
}

#[tokio::test]
async fn wrong_clients_and_secrets_get_the_error_of_the_standard() {
    let app = start().await;
    let owner = &app.acme.owner;
    let (account, other) = (create(owner, "viewer").await, create(owner, "admin").await);
    let secret = new_secret(owner, &account).await.assert_status(201).json();
    let mut forged = secret["client_secret"].as_str().unwrap().to_owned();
    forged.replace_range(60..64, "AAAA");
    let wrong = [
        json!({ "client_id": secret["client_id"], "client_secret": forged }),
        json!({ "client_id": secret["client_id"], "client_secret": "sas_" }),
        json!({ "client_id": other["client_id"], "client_secret": secret["client_secret"] }),
        json!({ "client_id": "sa_", "client_secret": secret["client_secret"] }),
        json!({ "client_id": "crm", "client_secret": secret["client_secret"] }),
    ];
    for wrong in wrong {
        let answer = token(&app, &wrong).await.assert_status(401);
        assert_eq!(answer.json()["error"], "invalid_client");
    }
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", secret["client_id"].as_str().unwrap()),
        ("client_secret", secret["client_secret"].as_str().unwrap()),
        ("scope", "events:read"),
    ];
    let answer = app
        .anonymous
        .request(Method::POST, "/oauth2/token")
        .form(&form)
        .await;
    assert_eq!(answer.assert_status(400).json()["error"], "invalid_scope");
}

#[tokio::test]
async fn a_change_or_the_end_of_an_account_is_the_end_of_its_tokens() {
    let mut app = start().await;
    app.start_jobs();
    let owner = &app.acme.owner;
    let account = create(owner, "member").await;
    let secret = new_secret(owner, &account).await.assert_status(201).json();
    let tenant = format!("/api/tenants/{}", Tenant::Acme.id());
    let refused = async |client: &Client| {
        let refused = async || client.get(&tenant).await.status == 401;
        wait_until(refused, PATIENCE).await;
        app.clock.advance(TimeDelta::milliseconds(5));
    };
    let first = program(&app, &secret).await;
    let patch = |body: Value, version: &str| {
        owner
            .patch(&path(&account), body)
            .header("if-match", version)
    };
    let changed = patch(
        json!({ "role": "viewer", "description": "Nightly" }),
        "\"1\"",
    )
    .await
    .assert_status(200);
    assert_eq!(changed.header("etag"), Some("\"2\""));
    assert_eq!(
        (&changed.json()["role"], &changed.json()["name"]),
        (&json!("viewer"), &json!("Importer"))
    );
    patch(json!({ "role": "viewer" }), "\"1\"")
        .await
        .assert_problem(412, "precondition_failed");
    refused(&first).await;
    let second = program(&app, &secret).await;
    second.get(&tenant).await.assert_status(200);
    patch(json!({ "status": "disabled" }), "*")
        .await
        .assert_status(200);
    refused(&second).await;
    token(&app, &secret).await.assert_status(401);
    patch(json!({ "status": "active" }), "*")
        .await
        .assert_status(200);
    app.clock.advance(TimeDelta::milliseconds(5));
    let third = program(&app, &secret).await;
    third.get(&tenant).await.assert_status(200);
    owner.delete(&path(&account)).await.assert_status(204);
    owner
        .delete(&path(&account))
        .await
        .assert_problem(404, "not_found");
    owner
        .get(&path(&account))
        .await
        .assert_problem(404, "not_found");
    patch(json!({}), "*").await.assert_problem(404, "not_found");
    new_secret(owner, &account)
        .await
        .assert_problem(404, "not_found");
    refused(&third).await;
    token(&app, &secret).await.assert_status(401);
}

/// Pitfall 54: whoever manages service accounts gets no rights by them.
#[tokio::test]
async fn nobody_makes_or_gets_hold_of_an_account_that_may_do_more_than_they() {
    let app = start().await;
    let user = Tenant::Acme.user(Role::Member);
    let claims = Claims {
        entitlements: vec!["service-accounts:manage".into()],
        ..app.tokens.user_claims(Tenant::Acme, user, &["member"])
    };
    let member = app.anonymous.with_token(app.tokens.sign(&claims));
    let own = create(&member, "member").await;
    let strong = create(&app.acme.owner, "admin").await;
    let body = json!({ "name": "x", "role": "admin" });
    member
        .post(ALL, body)
        .await
        .assert_problem(403, "privilege_escalation");
    let refused = member.patch(&path(&own), json!({ "role": "admin" })).await;
    refused.assert_problem(403, "privilege_escalation");
    let refused = member
        .patch(&path(&strong), json!({ "role": "member" }))
        .await;
    refused.assert_problem(403, "privilege_escalation");
    new_secret(&member, &strong)
        .await
        .assert_problem(403, "privilege_escalation");
    member
        .delete(&path(&strong))
        .await
        .assert_problem(403, "privilege_escalation");
    new_secret(&member, &own).await.assert_status(201);
}

#[tokio::test]
async fn accounts_are_made_by_people_who_may() {
    let app = start().await;
    let body = json!({ "name": "x", "role": "viewer" });
    for client in [&app.acme.member, &app.acme.viewer] {
        client
            .post(ALL, &body)
            .await
            .assert_problem(403, "forbidden");
        client.get(ALL).await.assert_problem(403, "forbidden");
    }
    app.anonymous
        .post(ALL, &body)
        .await
        .assert_problem(401, "unauthenticated");
    // Not by programs either: neither by a service account nor by a key.
    let account = create(&app.acme.owner, "admin").await;
    let secret = new_secret(&app.acme.owner, &account)
        .await
        .assert_status(201)
        .json();
    let program = program(&app, &secret).await;
    program.get(ALL).await.assert_status(200);
    program
        .post(ALL, &body)
        .await
        .assert_problem(403, "forbidden");
    new_secret(&program, &account)
        .await
        .assert_problem(403, "forbidden");
    let key = json!({ "name": "x", "scopes": ["leads:read"] });
    program
        .post("/api/api-keys", key)
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn what_is_no_account_is_told_where_it_is_wrong() {
    let app = start().await;
    let owner = &app.acme.owner;
    let table = [
        (json!({ "name": " ", "role": "viewer" }), "/name"),
        (
            json!({ "name": "x".repeat(121), "role": "viewer" }),
            "/name",
        ),
        (json!({ "name": "x", "role": "owner" }), "/role"),
        (
            json!({ "name": "x", "role": "viewer", "description": "x".repeat(501) }),
            "/description",
        ),
        (json!({ "name": "x", "role": "viewer", "id": "y" }), "/id"),
    ];
    for (body, pointer) in table {
        let answer = owner
            .post(ALL, body)
            .await
            .assert_problem(422, "validation_failed")
            .json();
        assert_eq!(answer["errors"][0]["pointer"], pointer, "{answer}");
    }
    owner
        .post(ALL, json!({ "name": "x" }))
        .await
        .assert_problem(422, "validation_failed");
    owner
        .get(&format!("{ALL}?limit=101"))
        .await
        .assert_problem(422, "validation_failed");
}
