use bz_testkit::{Client, Role, Tenant, TestResponse};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{IdentityApp, start, with_rights};

pub(crate) async fn create(client: &Client, name: &str, permissions: &[&str]) -> TestResponse {
    client
        .post(
            "/api/roles",
            json!({ "name": name, "permissions": permissions }),
        )
        .await
}

pub(crate) async fn role(client: &Client, name: &str, permissions: &[&str]) -> String {
    let role = create(client, name, permissions).await.assert_status(201);
    role.json()["id"].as_str().unwrap().to_owned()
}

async fn give(client: &Client, user: bz_kernel::UserId, roles: &[&str]) -> TestResponse {
    client
        .put(
            &format!("/api/members/{user}/roles"),
            json!({ "roles": roles }),
        )
        .await
}

async fn names(client: &Client, path: &str) -> (Vec<String>, Value) {
    let page = client.get(path).await.assert_status(200).json();
    let items = page["items"].as_array().unwrap().iter();
    let names = items.map(|item| item["name"].as_str().unwrap().to_owned());
    (names.collect(), page["next_cursor"].clone())
}

#[tokio::test]
async fn a_role_is_made_read_changed_and_deleted() {
    let app = start().await;
    let request = json!({
        "name": " Sales ", "description": "Sells", "permissions": ["leads:write", "leads:read", "leads:read"],
    });
    let answer = app.acme.owner.post("/api/roles", request).await;
    let answer = answer.assert_status(201);
    assert_eq!(answer.header("etag"), Some("\"1\""));
    let made = answer.json();
    let path = format!("/api/roles/{}", made["id"].as_str().unwrap());
    assert_eq!(
        made,
        json!({
            "id": made["id"], "name": "Sales", "description": "Sells", "built_in": false,
            "permissions": ["leads:read", "leads:write"],
            "created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-02T09:00:00Z", "version": 1,
        })
    );
    let read = app.acme.viewer.get(&path).await.assert_status(200);
    assert_eq!(read.json(), made);
    let change = json!({ "name": "Sales team", "permissions": ["leads:*"] });
    let changed = app
        .acme
        .admin
        .put(&path, &change)
        .header("if-match", "\"1\"");
    let changed = changed.await.assert_status(200).json();
    assert_eq!(
        (
            &changed["name"],
            &changed["permissions"],
            &changed["version"]
        ),
        (&json!("Sales team"), &json!(["leads:*"]), &json!(2))
    );
    let stale = app
        .acme
        .admin
        .put(&path, &change)
        .header("if-match", "\"1\"");
    stale.await.assert_problem(412, "precondition_failed");
    app.acme.owner.delete(&path).await.assert_status(204);
    app.acme
        .owner
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .owner
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    assert_eq!(
        told(&app, "role.%").await,
        ["role.created", "role.deleted", "role.updated"]
    );
}

/// What the audit log and the outbox have alike, by name.
pub(crate) async fn told(app: &IdentityApp, pattern: &str) -> Vec<String> {
    let mut admin = app.database.admin().await;
    let [audit, events] = ["audit_log", "events"].map(|table| {
        let column = if table == "events" { "kind" } else { "action" };
        format!("SELECT {column} FROM identity.{table} WHERE {column} LIKE $1 ORDER BY {column}")
    });
    let audit: Vec<String> = sqlx::query_scalar(&audit)
        .bind(pattern)
        .fetch_all(&mut admin)
        .await
        .unwrap();
    let events: Vec<String> = sqlx::query_scalar(&events)
        .bind(pattern)
        .fetch_all(&mut admin)
        .await
        .unwrap();
    assert_eq!(audit, events);
    audit
}

#[tokio::test]
async fn the_list_has_the_built_in_roles_first_and_is_read_in_pages() {
    let app = start().await;
    for name in ["One", "Two", "Three"] {
        role(&app.acme.owner, name, &["leads:read"]).await;
        app.clock.advance(TimeDelta::milliseconds(1));
    }
    role(&app.globex.owner, "Foreign", &["leads:read"]).await;
    let (all, cursor) = names(&app.acme.viewer, "/api/roles").await;
    let expected = ["owner", "admin", "member", "viewer", "One", "Two", "Three"];
    assert_eq!(
        (all.as_slice(), cursor),
        (&expected.map(String::from)[..], Value::Null)
    );
    for limit in [1, 2, 3, 4, 5, 7] {
        let (mut paged, mut path) = (Vec::new(), format!("/api/roles?limit={limit}"));
        loop {
            let (page, cursor) = names(&app.acme.viewer, &path).await;
            assert!(page.len() <= limit);
            paged.extend(page);
            let Some(cursor) = cursor.as_str() else { break };
            path = format!("/api/roles?limit={limit}&cursor={cursor}");
        }
        assert_eq!(paged, expected, "limit {limit}");
    }
}

#[tokio::test]
async fn the_built_in_roles_are_read_only_and_their_names_are_nobodys() {
    let app = start().await;
    let owner = &app.acme.owner;
    let built_in = owner
        .get("/api/roles/member")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&built_in["built_in"], &built_in["permissions"]),
        (&json!(true), &json!(["*:read", "*:write"]))
    );
    let change = json!({ "name": "x", "permissions": [] });
    owner
        .put("/api/roles/viewer", change)
        .await
        .assert_problem(409, "built_in_role");
    owner
        .delete("/api/roles/owner")
        .await
        .assert_problem(409, "built_in_role");
    for name in ["owner", "Owner", " ADMIN ", "member"] {
        let refused = create(owner, name, &[]).await;
        let refused = refused.assert_problem(422, "validation_failed").json();
        assert_eq!(refused["errors"][0]["code"], "built_in", "{name}");
    }
}

#[tokio::test]
async fn a_name_is_taken_in_whatever_case_but_in_another_tenant_it_is_free() {
    let app = start().await;
    role(&app.acme.owner, "Sales", &[]).await;
    create(&app.acme.owner, "SALES", &[])
        .await
        .assert_problem(409, "role_name_taken");
    role(&app.globex.owner, "sales", &[]).await;
    let other = role(&app.acme.owner, "Support", &[]).await;
    let change = json!({ "name": "sales", "permissions": [] });
    app.acme
        .owner
        .put(&format!("/api/roles/{other}"), change)
        .await
        .assert_problem(409, "role_name_taken");
}

#[tokio::test]
async fn what_is_no_role_is_refused_with_the_place_of_every_fault() {
    let app = start().await;
    let owner = &app.acme.owner;
    let request = json!({
        "name": "\u{7}", "description": " ", "permissions": ["leads:read", "leads:fly", "*:*", "*:manage"],
    });
    let refused = owner.post("/api/roles", request).await;
    let refused = refused.assert_problem(422, "validation_failed").json();
    let faults: Vec<_> = refused["errors"].as_array().unwrap().iter().collect();
    let places: Vec<_> = faults.iter().map(|fault| &fault["pointer"]).collect();
    assert_eq!(
        places,
        [
            "/name",
            "/description",
            "/permissions/1",
            "/permissions/2",
            "/permissions/3"
        ]
    );
    // What the server decides is not the client's to send.
    for field in ["id", "built_in", "tenant_id", "version", "created_at"] {
        let mut request = json!({ "name": "x", "permissions": [] });
        request[field] = json!(1);
        let refused = owner.post("/api/roles", request).await;
        let refused = refused.assert_problem(422, "validation_failed").json();
        assert_eq!(refused["errors"][0]["code"], "unknown_field", "{field}");
    }
}

#[tokio::test]
async fn a_request_with_an_idempotency_key_makes_one_role() {
    let app = start().await;
    let send = async |name: &str| {
        app.acme
            .owner
            .post("/api/roles", json!({ "name": name, "permissions": [] }))
            .header("idempotency-key", "k1")
            .await
    };
    let first = send("Sales").await.assert_status(201);
    let again = send("Sales").await.assert_status(201);
    assert_eq!(first.json(), again.json());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    send("Other")
        .await
        .assert_problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_role_that_somebody_has_is_not_deleted() {
    let app = start().await;
    let owner = &app.acme.owner;
    let sales = role(owner, "Sales", &["leads:write"]).await;
    let viewer = Tenant::Acme.user(Role::Viewer);
    give(owner, viewer, &["viewer", &sales])
        .await
        .assert_status(200);
    let path = format!("/api/roles/{sales}");
    owner.delete(&path).await.assert_problem(409, "role_in_use");
    give(owner, viewer, &["viewer"]).await.assert_status(200);
    owner.delete(&path).await.assert_status(204);
}

#[tokio::test]
async fn another_tenants_role_is_not_there() {
    let app = start().await;
    let foreign = role(&app.globex.owner, "Sales", &["leads:read"]).await;
    let path = format!("/api/roles/{foreign}");
    let owner = &app.acme.owner;
    owner.get(&path).await.assert_problem(404, "not_found");
    owner.delete(&path).await.assert_problem(404, "not_found");
    let change = json!({ "name": "x", "permissions": [] });
    owner
        .put(&path, change)
        .await
        .assert_problem(404, "not_found");
    let given = give(owner, Tenant::Acme.user(Role::Viewer), &[&foreign]).await;
    let refused = given.assert_problem(422, "validation_failed").json();
    assert_eq!(refused["errors"][0]["code"], "unknown_role");
}

/// Pitfall 54: who may manage roles and members, but not everything, gives nobody what they lack: not by making a role,
/// not by changing one, not by giving one, not to themselves, and not by taking it from somebody who has more.
#[tokio::test]
async fn nobody_grants_or_takes_what_they_lack() {
    let app = start().await;
    let owner = &app.acme.owner;
    let strong = role(owner, "Strong", &["todos:write", "leads:write"]).await;
    let weak = role(owner, "Weak", &["leads:write"]).await;
    let manager = Tenant::Acme.user(Role::Viewer);
    let rights = ["roles:manage", "members:manage", "leads:write"];
    let manager_client = with_rights(&app, manager, &["viewer", "Managers"], &rights);
    let refused = async |answer: TestResponse| {
        answer.assert_problem(403, "privilege_escalation");
    };
    for permissions in [
        &["todos:write"][..],
        &["leads:*"],
        &["*:write"],
        &["users:manage"],
    ] {
        refused(create(&manager_client, "New", permissions).await).await;
    }
    create(&manager_client, "New", &["leads:write", "todos:read"])
        .await
        .assert_status(201);
    let put = async |id: &str, permissions: &[&str]| {
        let body = json!({ "name": "Changed", "permissions": permissions });
        manager_client.put(&format!("/api/roles/{id}"), body).await
    };
    refused(put(&weak, &["leads:write", "todos:write"]).await).await;
    refused(put(&strong, &["leads:write"]).await).await;
    put(&weak, &["leads:write", "roles:manage"])
        .await
        .assert_status(200);
    refused(manager_client.delete(&format!("/api/roles/{strong}")).await).await;
    let member = Tenant::Acme.user(Role::Member);
    for (user, roles) in [
        (manager, &["admin"][..]),
        (manager, &["owner"]),
        (manager, &["member"]),
        (manager, &["viewer", &strong]),
        (member, &["viewer"]),
        (Tenant::Acme.user(Role::Owner), &["viewer"]),
        (Tenant::Acme.user(Role::Admin), &[]),
    ] {
        refused(give(&manager_client, user, roles).await).await;
    }
    give(&manager_client, manager, &["viewer", &weak])
        .await
        .assert_status(200);
    // An admin has everything, but makes and unmakes no owners.
    refused(give(&app.acme.admin, Tenant::Acme.user(Role::Owner), &["admin"]).await).await;
    refused(give(&app.acme.admin, Tenant::Acme.user(Role::Admin), &["owner"]).await).await;
    give(&app.acme.admin, member, &["admin"])
        .await
        .assert_status(200);
}

#[tokio::test]
async fn a_check_answers_what_the_caller_may_do() {
    let app = start().await;
    let client = with_rights(
        &app,
        Tenant::Acme.user(Role::Viewer),
        &["viewer"],
        &["leads:*"],
    );
    let ask = json!({ "checks": [
        { "permission": "leads:write" }, { "permission": "todos:read" }, { "permission": "todos:write" },
        { "permission": "leads:*" }, { "permission": "no-such:thing" },
    ] });
    let answer = client.post("/api/authz/check", ask).await;
    let results = answer.assert_status(200).json()["results"].clone();
    let allowed: Vec<_> = results.as_array().unwrap().iter().collect();
    let allowed: Vec<_> = allowed.iter().map(|it| it["allowed"].as_bool()).collect();
    assert_eq!(
        allowed,
        [true, true, false, true, false].map(Some),
        "{results}"
    );
    for wrong in [
        json!({ "checks": [] }),
        json!({ "checks": [{ "permission": "leads" }] }),
        json!({ "checks": [{ "permission": "Leads:read" }] }),
        json!({ "checks": vec![json!({ "permission": "leads:read" }); 101] }),
    ] {
        let answer = client.post("/api/authz/check", wrong).await;
        answer.assert_problem(422, "validation_failed");
    }
}
