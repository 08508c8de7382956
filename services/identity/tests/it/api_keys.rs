//! API keys: made by people, used by programs.

use bz_auth::{Claims, claims};
use bz_testkit::{Client, Role, Tenant, TestResponse};
use chrono::TimeDelta;
use http::Method;
use serde_json::{Value, json};

use crate::support::start;

pub(crate) async fn create(client: &Client, scopes: &[&str]) -> Value {
    let body = json!({ "name": "Nightly export", "scopes": scopes });
    client
        .post("/api/api-keys", body)
        .await
        .assert_status(201)
        .json()
}

/// The id of a new key of the user behind a client.
pub(crate) async fn of(owner: &Client) -> String {
    create(owner, &["leads:read"]).await["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub(crate) fn path(key: &Value) -> String {
    format!("/api/api-keys/{}", key["id"].as_str().unwrap())
}

/// Somebody with the key.
pub(crate) fn with(client: &Client, key: &Value) -> Client {
    client.with_token(key["key"].as_str().unwrap())
}

async fn me(client: &Client) -> TestResponse {
    client.get("/auth/me").await
}

pub(crate) async fn rotate(client: &Client, key: &Value) -> TestResponse {
    client
        .request(Method::POST, &format!("{}/rotate", path(key)))
        .await
}

#[tokio::test]
async fn a_key_is_shown_once_and_ends_in_ninety_days() {
    let app = start().await;
    let owner = &app.acme.owner;
    let body = json!({ "name": " Nightly export ", "scopes": ["leads:read"], "ip_allow": ["192.0.2.0/24"] });
    let answer = owner.post("/api/api-keys", body).await.assert_status(201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let created = answer.json();
    let mut shown = created.clone();
    let key = shown.as_object_mut().unwrap().remove("key").unwrap();
    assert!(key.as_str().unwrap().starts_with("ak_dev_"), "{key}");
    assert_eq!(
        shown,
        json!({
            "id": created["id"], "name": "Nightly export", "owner_id": Tenant::Acme.user(Role::Owner),
            "scopes": ["leads:read"], "ip_allow": ["192.0.2.0/24"], "expires_at": "2026-05-31T09:00:00Z",
            "last_used_at": null, "created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-02T09:00:00Z",
        })
    );
    let read = owner.get(&path(&created)).await.assert_status(200);
    assert_eq!(
        (read.header("etag"), read.json()),
        (Some("\"1\""), shown.clone())
    );
    let page = owner.get("/api/api-keys").await.assert_status(200).json();
    assert_eq!(page, json!({ "items": [shown], "next_cursor": null }));
    let others = app
        .globex
        .owner
        .get("/api/api-keys")
        .await
        .assert_status(200)
        .json();
    assert_eq!(others["items"], json!([]));
}

#[tokio::test]
async fn a_key_acts_as_its_owner_within_its_scopes() {
    let app = start().await;
    let key = create(&app.acme.admin, &["tenant:read"]).await;
    let program = with(&app.anonymous, &key);
    let seen = me(&program).await.assert_status(200).json();
    assert_eq!(
        (&seen["email"], &seen["permissions"]),
        (&json!("admin@acme.test"), &json!(["tenant:read"]))
    );
    let tenant = format!("/api/tenants/{}", Tenant::Acme.id());
    program.get(&tenant).await.assert_status(200);
    let narrow = with(&app.anonymous, &create(&app.acme.admin, &["leads:*"]).await);
    narrow.get(&tenant).await.assert_problem(403, "forbidden");
    let read = app.acme.admin.get(&path(&key)).await.json();
    assert_eq!(read["last_used_at"], "2026-03-02T09:00:00Z");
    // To the minute: a use soon after is not written.
    app.clock.advance(TimeDelta::seconds(45));
    me(&program).await.assert_status(200);
    let read = app.acme.admin.get(&path(&key)).await.json();
    assert_eq!(read["last_used_at"], "2026-03-02T09:00:00Z");
    app.clock.advance(TimeDelta::seconds(45));
    me(&program).await.assert_status(200);
    let read = app.acme.admin.get(&path(&key)).await.json();
    assert_eq!(read["last_used_at"], "2026-03-02T09:01:30Z");
}

#[tokio::test]
async fn wrong_ended_and_misplaced_keys_are_nobodys() {
    let app = start().await;
    let key = create(&app.acme.owner, &["leads:read"]).await;
    let mut forged = key["key"].as_str().unwrap().to_owned();
    forged.replace_range(60..64, "AAAA");
    for wrong in [forged.as_str(), "ak_", "ak_dev_x", &"ak_".repeat(4000)] {
        me(&app.anonymous.with_token(wrong))
            .await
            .assert_problem(401, "unauthenticated");
    }
    let body = json!({ "name": "Office", "scopes": ["leads:read"], "ip_allow": ["192.0.2.0/24"] });
    let office = app
        .acme
        .owner
        .post("/api/api-keys", body)
        .await
        .assert_status(201)
        .json();
    me(&with(&app.anonymous, &office))
        .await
        .assert_problem(401, "unauthenticated");
    me(&with(&app.anonymous, &key)).await.assert_status(200);
    app.clock.advance(TimeDelta::days(90));
    me(&with(&app.anonymous, &key))
        .await
        .assert_problem(401, "unauthenticated");
}

/// Pitfall 54: a key has no more rights than its owner, whatever its scopes say.
#[tokio::test]
async fn a_keys_rights_shrink_with_its_owners_and_end_with_them() {
    let app = start().await;
    let key = create(&app.acme.admin, &["tenant:*", "leads:write"]).await;
    let program = with(&app.anonymous, &key);
    let tenant = format!("/api/tenants/{}", Tenant::Acme.id());
    let grant = async || {
        let service = app
            .anonymous
            .with_token(app.tokens.service("crm", "events:read"));
        let asked = service
            .post("/internal/api-keys/verify", json!({ "key": key["key"] }))
            .await;
        (
            asked.status.as_u16(),
            asked.json()["claims"]["entitlements"].clone(),
        )
    };
    let admin = "email = 'admin@acme.test'";
    let become_ = async |role: &str, status: &str| {
        let sql = format!(
            "UPDATE identity.memberships m SET role = '{role}' FROM identity.users u WHERE u.id = m.user_id AND u.{admin}; \
             UPDATE identity.users SET status = '{status}' WHERE {admin}",
        );
        sqlx::raw_sql(&sql)
            .execute(&mut app.database.admin().await)
            .await
            .unwrap();
        app.clock.advance(TimeDelta::seconds(31));
    };
    assert_eq!(grant().await, (200, json!(["tenant:*", "leads:write"])));
    become_("member", "active").await;
    assert_eq!(
        grant().await,
        (200, json!(["tenant:read", "tenant:write", "leads:write"]))
    );
    become_("viewer", "active").await;
    assert_eq!(grant().await, (200, json!(["tenant:read"])));
    program.get(&tenant).await.assert_status(200);
    become_("viewer", "disabled").await;
    assert_eq!(grant().await.0, 404);
    program
        .get(&tenant)
        .await
        .assert_problem(401, "unauthenticated");
}

#[tokio::test]
async fn keys_are_made_by_people_who_may_and_never_by_keys() {
    let app = start().await;
    let body = json!({ "name": "x", "scopes": ["leads:read"] });
    for client in [&app.acme.member, &app.acme.viewer] {
        client
            .post("/api/api-keys", &body)
            .await
            .assert_problem(403, "forbidden");
        client
            .get("/api/api-keys")
            .await
            .assert_problem(403, "forbidden");
    }
    app.anonymous
        .post("/api/api-keys", &body)
        .await
        .assert_problem(401, "unauthenticated");
    let key = create(&app.acme.owner, &["api-keys:manage"]).await;
    let program = with(&app.anonymous, &key);
    program.get("/api/api-keys").await.assert_status(200);
    program
        .post("/api/api-keys", &body)
        .await
        .assert_problem(403, "forbidden");
    program
        .patch(&path(&key), json!({ "scopes": ["*:*"] }))
        .await
        .assert_problem(403, "forbidden");
    rotate(&program, &key)
        .await
        .assert_problem(403, "forbidden");
    program
        .delete("/auth/sessions")
        .await
        .assert_problem(403, "forbidden");
    let by = claims::Actor {
        sub: Tenant::Acme.user(Role::Admin),
    };
    let user = Tenant::Acme.user(Role::Owner);
    let claims = Claims {
        act: Some(by),
        ..app.tokens.user_claims(Tenant::Acme, user, &["owner"])
    };
    let impersonated = app.anonymous.with_token(app.tokens.sign(&claims));
    let refused = impersonated.post("/api/api-keys", &body).await;
    refused.assert_problem(403, "impersonation_forbidden");
}

#[tokio::test]
async fn nobody_gives_a_key_what_they_lack() {
    let app = start().await;
    let user = Tenant::Acme.user(Role::Member);
    let claims = Claims {
        entitlements: vec!["api-keys:manage".into()],
        ..app.tokens.user_claims(Tenant::Acme, user, &["member"])
    };
    let member = app.anonymous.with_token(app.tokens.sign(&claims));
    let key = create(&member, &["leads:read", "leads:write"]).await;
    for scope in ["*:*", "leads:manage", "leads:*", "users:manage"] {
        let body = json!({ "name": "x", "scopes": ["leads:read", scope] });
        let refused = member.post("/api/api-keys", body).await;
        refused.assert_problem(403, "privilege_escalation");
        let refused = member
            .patch(&path(&key), json!({ "scopes": [scope] }))
            .await;
        refused.assert_problem(403, "privilege_escalation");
    }
    let owners = create(&app.acme.owner, &["*:*"]).await;
    rotate(&member, &owners)
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_key_is_changed_rotated_and_deleted() {
    let app = start().await;
    let owner = &app.acme.owner;
    let key = create(owner, &["leads:read"]).await;
    let patch =
        |body: Value, version: &str| owner.patch(&path(&key), body).header("if-match", version);
    let changed = patch(json!({ "name": "Weekly" }), "\"1\"")
        .await
        .assert_status(200);
    assert_eq!(
        (changed.header("etag"), &changed.json()["name"]),
        (Some("\"2\""), &json!("Weekly"))
    );
    assert_eq!(changed.json()["scopes"], json!(["leads:read"]));
    patch(json!({ "name": "Late" }), "\"1\"")
        .await
        .assert_problem(412, "precondition_failed");
    let renewed = rotate(owner, &key).await.assert_status(200);
    assert_eq!(renewed.header("cache-control"), Some("no-store"));
    let renewed = renewed.json();
    me(&with(&app.anonymous, &renewed)).await.assert_status(200);
    me(&with(&app.anonymous, &key))
        .await
        .assert_problem(401, "unauthenticated");
    owner.delete(&path(&key)).await.assert_status(204);
    owner
        .delete(&path(&key))
        .await
        .assert_problem(404, "not_found");
    owner
        .get(&path(&key))
        .await
        .assert_problem(404, "not_found");
    patch(json!({}), "*").await.assert_problem(404, "not_found");
    rotate(owner, &key).await.assert_problem(404, "not_found");
    let actions: Vec<String> = sqlx::query_scalar(
        "SELECT action FROM identity.audit_log WHERE target_type = 'api_key' ORDER BY id",
    )
    .fetch_all(&mut app.database.admin().await)
    .await
    .unwrap();
    let mut actions = actions;
    actions.sort();
    assert_eq!(
        actions,
        [
            "api_key.created",
            "api_key.deleted",
            "api_key.rotated",
            "api_key.updated"
        ]
    );
}

#[tokio::test]
async fn what_is_no_key_is_told_where_it_is_wrong() {
    let app = start().await;
    let owner = &app.acme.owner;
    let key = create(owner, &["leads:read"]).await;
    let table = [
        (json!({ "name": "" }), "/name"),
        (json!({ "name": "x".repeat(121) }), "/name"),
        (json!({ "scopes": [] }), "/scopes"),
        (json!({ "scopes": vec!["a:read"; 51] }), "/scopes"),
        (json!({ "scopes": ["leads:read", "leads"] }), "/scopes/1"),
        (json!({ "scopes": ["Leads:read"] }), "/scopes/0"),
        (json!({ "ip_allow": ["192.0.2.0/33"] }), "/ip_allow/0"),
        (json!({ "ip_allow": ["192.0.2.1"] }), "/ip_allow/0"),
        (
            json!({ "expires_at": "2027-03-02T09:00:01Z" }),
            "/expires_at",
        ),
        (
            json!({ "expires_at": "2026-03-02T09:00:00Z" }),
            "/expires_at",
        ),
        (
            json!({ "owner_id": Tenant::Acme.user(Role::Admin) }),
            "/owner_id",
        ),
    ];
    for (fault, pointer) in table {
        let mut whole = json!({ "name": "x", "scopes": ["leads:read"] });
        whole
            .as_object_mut()
            .unwrap()
            .extend(fault.as_object().unwrap().clone());
        for answer in [
            owner.post("/api/api-keys", whole).await,
            owner.patch(&path(&key), &fault).await,
        ] {
            let answer = answer.assert_problem(422, "validation_failed").json();
            assert_eq!(answer["errors"][0]["pointer"], pointer, "{answer}");
        }
    }
    owner
        .get("/api/api-keys?limit=0")
        .await
        .assert_problem(422, "validation_failed");
    owner
        .get("/api/api-keys?cursor=x")
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn what_a_key_is_good_for_is_told_to_services_only() {
    let app = start().await;
    let key = create(&app.acme.owner, &["leads:read"]).await;
    let body = json!({ "key": key["key"] });
    let ask = async |client: &Client| client.post("/internal/api-keys/verify", &body).await;
    ask(&app.acme.owner).await.assert_problem(403, "forbidden");
    ask(&with(&app.anonymous, &key))
        .await
        .assert_problem(403, "forbidden");
    ask(&app.anonymous)
        .await
        .assert_problem(401, "unauthenticated");
}
