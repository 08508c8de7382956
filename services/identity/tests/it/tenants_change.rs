//! Making tenants, changing them, their policy.

use bz_testkit::{Role, Tenant};
use serde_json::{Value, json};

use crate::support::{
    PASSWORD, address, claims, client, count, execute, logged_in, login, start, switch, with_policy,
};

fn path(tenant: Tenant) -> String {
    format!("/api/tenants/{}", tenant.id())
}

#[tokio::test]
async fn whoever_makes_a_tenant_is_its_owner_as_a_guest() {
    let app = start().await;
    let home = logged_in(&app, Tenant::Acme, Role::Viewer).await;
    let made = home
        .post("/api/tenants", json!({ "name": " Analytical Engines " }))
        .await
        .assert_status(201);
    assert_eq!(made.header("etag"), Some("\"1\""));
    let made = made.json();
    assert_eq!(
        (&made["slug"], &made["name"], &made["status"]),
        (
            &json!("analytical-engines"),
            &json!("Analytical Engines"),
            &json!("active")
        )
    );
    let entered = switch(&home, "analytical-engines")
        .await
        .assert_status(200)
        .json();
    let claims = claims(&app, &entered).await;
    assert_eq!(claims.roles, ["owner"]);
    assert_eq!(claims.htid, Some(Tenant::Acme.id().as_uuid()));
    let own = format!("/api/tenants/{}", made["id"].as_str().unwrap());
    client(&app, &entered).get(&own).await.assert_status(200);
    home.get(&own).await.assert_problem(404, "not_found");
    let told = "SELECT count(*) FROM identity.events WHERE kind = 'tenant.created'";
    assert_eq!(count(&app, told).await, 1);
}

#[tokio::test]
async fn a_tenant_that_is_made_twice_with_one_key_is_made_once() {
    let app = start().await;
    let make = async |client: &bz_testkit::Client, key: &str, name: &str| {
        client
            .post("/api/tenants", json!({ "name": name }))
            .header("idempotency-key", key)
            .await
    };
    let first = make(&app.acme.owner, "k1", "Engines")
        .await
        .assert_status(201)
        .json();
    let again = make(&app.acme.owner, "k1", "Engines")
        .await
        .assert_status(201);
    assert_eq!(
        (again.header("idempotency-replayed"), again.json()),
        (Some("true"), first.clone())
    );
    make(&app.acme.owner, "k1", "Others")
        .await
        .assert_problem(422, "idempotency_key_reused");
    let other = make(&app.acme.owner, "k2", "Engines")
        .await
        .assert_status(201)
        .json();
    let foreign = make(&app.globex.owner, "k1", "Engines")
        .await
        .assert_status(201)
        .json();
    assert!(first["id"] != other["id"] && first["id"] != foreign["id"]);
    assert_ne!(first["slug"], other["slug"]);
    for bad in [
        json!({}),
        json!({ "name": " " }),
        json!({ "name": "x", "id": first["id"] }),
        json!({ "name": "x".repeat(121) }),
    ] {
        app.acme
            .owner
            .post("/api/tenants", bad)
            .await
            .assert_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn where_nobody_registers_nobody_makes_tenants_and_elsewhere_only_a_verified_address_does() {
    let make = async |app: &crate::support::IdentityApp| {
        app.acme
            .owner
            .post("/api/tenants", json!({ "name": "Engines" }))
            .await
    };
    make(&with_policy("disabled").await)
        .await
        .assert_problem(403, "registration_disabled");
    let app = with_policy("verified").await;
    make(&app).await.assert_problem(403, "email_not_verified");
    execute(
        &app,
        "UPDATE identity.users SET email_verified_at = now() WHERE email = 'owner@acme.test'",
    )
    .await;
    make(&app).await.assert_status(201);
}

#[tokio::test]
async fn a_new_slug_names_the_tenant_and_the_old_one_still_does() {
    let app = start().await;
    let patch = async |body: Value| app.acme.admin.patch(&path(Tenant::Acme), body).await;
    let renamed = patch(json!({ "slug": "acme-inc", "name": "Acme Inc." }))
        .await
        .assert_status(200);
    assert_eq!(renamed.header("etag"), Some("\"2\""));
    let renamed = renamed.json();
    assert_eq!(
        (&renamed["slug"], &renamed["name"]),
        (&json!("acme-inc"), &json!("Acme Inc."))
    );
    for slug in ["acme", "acme-inc"] {
        let body = json!({ "email": address(Tenant::Acme, Role::Owner), "password": PASSWORD, "tenant": slug });
        let answer = app
            .anonymous
            .post("/auth/login", body)
            .await
            .assert_status(200)
            .json();
        assert_eq!(answer["tenant"]["slug"], "acme-inc");
    }
    // Nobody else gets the old one; the tenant itself may go back to it.
    let taken = app
        .globex
        .owner
        .patch(&path(Tenant::Globex), json!({ "slug": "acme" }))
        .await;
    taken.assert_problem(409, "slug_taken");
    patch(json!({ "slug": "acme" })).await.assert_status(200);
    for n in 0..8 {
        patch(json!({ "slug": format!("acme-{n}") }))
            .await
            .assert_status(200);
    }
    patch(json!({ "slug": "acme-9" }))
        .await
        .assert_problem(409, "too_many_slugs");
    patch(json!({ "slug": "acme-3" })).await.assert_status(200);
}

#[tokio::test]
async fn a_tenant_is_changed_on_the_version_that_was_read() {
    let app = start().await;
    let own = path(Tenant::Acme);
    let read = app.acme.viewer.get(&own).await.assert_status(200);
    let tag = read.header("etag").unwrap().to_owned();
    let patch = async |tag: &str, name: &str| {
        app.acme
            .owner
            .patch(&own, json!({ "name": name }))
            .header("if-match", tag)
            .await
    };
    patch(&tag, "First").await.assert_status(200);
    patch(&tag, "Second")
        .await
        .assert_problem(412, "precondition_failed");
    app.acme
        .owner
        .patch(&own, json!({}))
        .await
        .assert_status(200);
    assert_eq!(app.acme.viewer.get(&own).await.json()["name"], "First");
    for bad in [
        json!({ "slug": "Bad Slug" }),
        json!({ "slug": "admin" }),
        json!({ "name": "" }),
        json!({ "status": "deleted" }),
    ] {
        app.acme
            .owner
            .patch(&own, bad)
            .await
            .assert_problem(422, "validation_failed");
    }
    app.acme
        .member
        .patch(&own, json!({ "name": "Mine" }))
        .await
        .assert_problem(403, "forbidden");
    app.globex
        .owner
        .patch(&own, json!({ "name": "Mine" }))
        .await
        .assert_problem(404, "not_found");
    app.acme
        .owner
        .patch(&format!("/api/tenants/{}", uuid::Uuid::max()), json!({}))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_policy_is_read_and_replaced_as_a_whole() {
    let app = start().await;
    let own = format!("{}/policy", path(Tenant::Acme));
    let default = json!({
        "registration": "invitation", "allowed_domains": [], "mfa_required": false, "session_hours": null,
        "session_idle_hours": null, "password_min_length": 8, "ip_allow": [],
    });
    let read = app.acme.viewer.get(&own).await.assert_status(200);
    assert_eq!(
        (read.header("etag"), read.json()),
        (Some("\"1\""), default.clone())
    );
    let body = json!({ "allowed_domains": ["Acme.test"], "password_min_length": 12, "ip_allow": ["192.0.2.7/24", "::1"] });
    let put = app
        .acme
        .owner
        .put(&own, body)
        .header("if-match", "\"1\"")
        .await
        .assert_status(200);
    assert_eq!(put.header("etag"), Some("\"2\""));
    let put = put.json();
    assert_eq!(put["allowed_domains"], json!(["acme.test"]));
    assert_eq!(put["ip_allow"], json!(["192.0.2.0/24", "::1/128"]));
    assert_eq!(app.acme.viewer.get(&own).await.json(), put);
    app.acme
        .owner
        .put(&own, json!({}))
        .header("if-match", "\"1\"")
        .await
        .assert_problem(412, "precondition_failed");
    assert_eq!(
        app.acme
            .owner
            .put(&own, json!({}))
            .await
            .assert_status(200)
            .json(),
        default
    );
    for bad in [
        json!({ "session_hours": 0 }),
        json!({ "session_idle_hours": 337 }),
        json!({ "password_min_length": 7 }),
        json!({ "ip_allow": ["everywhere"] }),
        json!({ "allowed_domains": ["not a domain"] }),
        json!({ "registration": "open" }),
        json!({ "mfa_required": "yes" }),
        json!({ "lockout": 1 }),
        json!({ "ip_allow": vec!["10.0.0.0/8"; 101] }),
    ] {
        app.acme
            .owner
            .put(&own, bad)
            .await
            .assert_problem(422, "validation_failed");
    }
    app.acme
        .member
        .put(&own, json!({}))
        .await
        .assert_problem(403, "forbidden");
    app.globex
        .owner
        .put(&own, json!({}))
        .await
        .assert_problem(404, "not_found");
    app.globex
        .owner
        .get(&own)
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn only_whoever_knows_the_password_learns_that_the_network_is_not_allowed() {
    let app = start().await;
    let own = format!("{}/policy", path(Tenant::Acme));
    app.acme
        .owner
        .put(&own, json!({ "ip_allow": ["192.0.2.0/24"] }))
        .await
        .assert_status(200);
    let email = address(Tenant::Acme, Role::Member);
    login(&app, &email, "not the password")
        .await
        .assert_problem(401, "invalid_credentials");
    login(&app, &email, PASSWORD)
        .await
        .assert_problem(403, "ip_not_allowed");
    login(&app, &address(Tenant::Globex, Role::Member), PASSWORD)
        .await
        .assert_status(200);
}
