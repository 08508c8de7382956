use bz_kernel::UserId;
use bz_testkit::{Role, Tenant};
use serde_json::{Value, json};

use crate::{
    roles::{role, told},
    support::{IdentityApp, PASSWORD, address, login, refresh, start, with_rights},
};

async fn create(app: &IdentityApp, email: &str) -> Value {
    let request = json!({ "email": email, "name": "Ada" });
    let answer = app.acme.admin.post("/api/users", request).await;
    answer.assert_status(201).json()
}

fn path(user: &Value) -> String {
    format!("/api/users/{}", user["id"].as_str().unwrap())
}

fn path_of(role: Role) -> String {
    format!("/api/users/{}", Tenant::Acme.user(role))
}

/// Gives a user the password that the tests' users have.
async fn set_password(app: &IdentityApp, user: &Value) {
    let copy = "UPDATE identity.users SET password_hash = \
                (SELECT password_hash FROM identity.users WHERE email = 'owner@acme.test') WHERE id = $1::uuid";
    sqlx::query(copy)
        .bind(user["id"].as_str().unwrap())
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_user_is_made_without_a_password_and_read_changed_and_deleted() {
    let app = start().await;
    let admin = &app.acme.admin;
    let made = create(&app, "New@Acme.test").await;
    assert_eq!(
        made,
        json!({
            "id": made["id"], "email": "new@acme.test", "email_verified": false, "name": "Ada", "status": "active",
            "has_password": false, "roles": [{ "id": "member", "name": "member" }],
            "created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-02T09:00:00Z", "version": 1,
        })
    );
    login(&app, "new@acme.test", PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
    assert_eq!(
        admin.get(&path(&made)).await.assert_status(200).json(),
        made
    );
    let patch = |name: Value| admin.patch(&path(&made), json!({ "name": name }));
    let changed = patch(json!("Lovelace")).header("if-match", "\"1\"").await;
    let changed = changed.assert_status(200).json();
    assert_eq!(
        (&changed["name"], &changed["version"]),
        (&json!("Lovelace"), &json!(2))
    );
    patch(json!("x"))
        .header("if-match", "\"1\"")
        .await
        .assert_problem(412, "precondition_failed");
    let cleared = patch(Value::Null).await.assert_status(200).json();
    assert_eq!(cleared["name"], Value::Null);
    set_password(&app, &made).await;
    let session = login(&app, "new@acme.test", PASSWORD).await;
    let session = session.assert_status(200).json();
    admin.delete(&path(&made)).await.assert_status(204);
    refresh(&app, &session["refresh_token"])
        .await
        .assert_problem(401, "refresh_token_invalid");
    admin
        .get(&path(&made))
        .await
        .assert_problem(404, "not_found");
    admin
        .delete(&path(&made))
        .await
        .assert_problem(404, "not_found");
    assert_eq!(
        told(&app, "user.%").await,
        [
            "user.created",
            "user.deleted",
            "user.updated",
            "user.updated"
        ]
    );
}

#[tokio::test]
async fn an_address_is_one_user_in_a_tenant_and_another_one_elsewhere() {
    let app = start().await;
    create(&app, "new@acme.test").await;
    let again = json!({ "email": "NEW@acme.test" });
    app.acme
        .admin
        .post("/api/users", &again)
        .await
        .assert_problem(409, "email_taken");
    app.globex
        .admin
        .post("/api/users", &again)
        .await
        .assert_status(201);
    let send = async || {
        app.acme
            .admin
            .post("/api/users", json!({ "email": "two@acme.test" }))
            .header("idempotency-key", "k1")
            .await
            .assert_status(201)
    };
    assert_eq!(send().await.json(), send().await.json());
}

#[tokio::test]
async fn users_are_found_by_status_and_by_address() {
    let app = start().await;
    let emails = async |query: &str| -> Vec<String> {
        let page = app.acme.admin.get(&format!("/api/users{query}")).await;
        let page = page.assert_status(200).json();
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|it| it["email"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        emails("").await,
        [
            "viewer@acme.test",
            "member@acme.test",
            "admin@acme.test",
            "owner@acme.test"
        ]
    );
    assert_eq!(emails("?email=Admin@acme.test").await, ["admin@acme.test"]);
    assert_eq!(emails("?email=owner@globex.test").await, [""; 0]);
    assert_eq!(emails("?email=%25").await, [""; 0]);
    assert_eq!(emails("?status=disabled").await, [""; 0]);
    let viewer = app.acme.viewer.get("/api/users").await;
    viewer.assert_problem(403, "forbidden");
}

/// Pitfall 53: nothing but what is meant to be written can be sent: no owner, no tenant, no password, no status.
#[tokio::test]
async fn no_column_of_the_table_can_be_sent() {
    let app = start().await;
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT column_name::text FROM information_schema.columns WHERE table_schema = 'identity'",
    )
    .fetch_all(&mut app.database.admin().await)
    .await
    .unwrap();
    assert!(columns.len() > 30, "{columns:?}");
    let owner = &app.acme.owner;
    let sales = role(owner, "Sales", &[]).await;
    let member = Tenant::Acme.user(Role::Member);
    let requests = [
        (
            "POST",
            "/api/users".to_owned(),
            json!({ "email": "new@acme.test" }),
            vec!["email", "name", "roles"],
        ),
        ("PATCH", path_of(Role::Member), json!({}), vec!["name"]),
        (
            "PATCH",
            format!("/api/members/{member}"),
            json!({}),
            vec!["status"],
        ),
        (
            "PUT",
            format!("/api/members/{member}/roles"),
            json!({ "roles": ["member"] }),
            vec!["roles"],
        ),
        (
            "PUT",
            format!("/api/roles/{sales}"),
            json!({ "name": "Sales", "permissions": [] }),
            vec!["name", "description", "permissions"],
        ),
        (
            "POST",
            "/api/roles".to_owned(),
            json!({ "name": "Other", "permissions": [] }),
            vec!["name", "description", "permissions"],
        ),
    ];
    for (method, path, body, taken) in requests {
        let others = ["is_superuser", "password", "userId", "is_active"];
        let names = columns.iter().map(String::as_str).chain(others);
        for name in names.filter(|name| !taken.contains(name)) {
            let mut body = body.clone();
            body[name] = json!("x");
            let answer = owner
                .request(method.parse().unwrap(), &path)
                .json(&body)
                .await;
            let refused = answer.assert_problem(422, "validation_failed").json();
            assert_eq!(
                refused["errors"][0]["code"], "unknown_field",
                "{method} {path} {name}"
            );
        }
    }
}

/// Pitfall 9: a disabled user is out at once, and comes back when enabled.
#[tokio::test]
async fn a_disabled_user_is_out_at_once_and_comes_back() {
    let app = start().await;
    let admin = &app.acme.admin;
    let email = address(Tenant::Acme, Role::Member);
    let session = login(&app, &email, PASSWORD)
        .await
        .assert_status(200)
        .json();
    let post = async |what: &str| {
        admin
            .post(&format!("{}/{what}", path_of(Role::Member)), ())
            .await
    };
    let disabled = post("disable").await.assert_status(200).json();
    assert_eq!(disabled["status"], "disabled");
    post("disable").await.assert_status(200);
    refresh(&app, &session["refresh_token"])
        .await
        .assert_problem(401, "session_revoked");
    login(&app, &email, PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
    post("enable").await.assert_status(200);
    login(&app, &email, PASSWORD).await.assert_status(200);
    assert_eq!(
        told(&app, "user.%").await,
        ["user.disabled", "user.enabled"]
    );
}

#[tokio::test]
async fn a_forced_reset_takes_password_and_sessions_and_an_admin_never_sets_one() {
    let app = start().await;
    let email = address(Tenant::Acme, Role::Member);
    let session = login(&app, &email, PASSWORD)
        .await
        .assert_status(200)
        .json();
    let path = format!("{}/force-password-reset", path_of(Role::Member));
    app.acme.admin.post(&path, ()).await.assert_status(204);
    refresh(&app, &session["refresh_token"])
        .await
        .assert_problem(401, "session_revoked");
    login(&app, &email, PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
    let user = app.acme.admin.get(&path_of(Role::Member)).await.json();
    assert_eq!(user["has_password"], false);
}

#[tokio::test]
async fn an_admin_ends_the_sessions_and_the_second_factors_of_a_user() {
    let app = start().await;
    let email = address(Tenant::Acme, Role::Member);
    for what in ["sessions", "mfa"] {
        let session = login(&app, &email, PASSWORD)
            .await
            .assert_status(200)
            .json();
        let path = format!("{}/{what}", path_of(Role::Member));
        app.acme.admin.delete(&path).await.assert_status(204);
        refresh(&app, &session["refresh_token"])
            .await
            .assert_problem(401, "session_revoked");
        app.acme.admin.delete(&path).await.assert_status(204);
    }
    let unlock = format!("{}/unlock", path_of(Role::Member));
    app.acme.admin.post(&unlock, ()).await.assert_status(204);
}

#[tokio::test]
async fn who_administers_users_does_not_touch_those_who_have_more() {
    let app = start().await;
    let helper = with_rights(
        &app,
        Tenant::Acme.user(Role::Viewer),
        &["viewer"],
        &["users:manage"],
    );
    let refused = [
        helper
            .post(&format!("{}/disable", path_of(Role::Owner)), ())
            .await,
        helper
            .post(
                &format!("{}/force-password-reset", path_of(Role::Member)),
                (),
            )
            .await,
        helper
            .delete(&format!("{}/sessions", path_of(Role::Admin)))
            .await,
        helper.delete(&path_of(Role::Member)).await,
        helper
            .patch(&path_of(Role::Admin), json!({ "name": "x" }))
            .await,
        helper
            .post(
                "/api/users",
                json!({ "email": "new@acme.test", "roles": ["admin"] }),
            )
            .await,
        // Even an admin, who may do everything, leaves owners alone.
        app.acme.admin.delete(&path_of(Role::Owner)).await,
        app.acme
            .admin
            .post(&format!("{}/disable", path_of(Role::Owner)), ())
            .await,
    ];
    for answer in refused {
        answer.assert_problem(403, "privilege_escalation");
    }
    let made = json!({ "email": "new@acme.test", "roles": ["viewer"] });
    let made = helper
        .post("/api/users", made)
        .await
        .assert_status(201)
        .json();
    helper
        .post(&format!("{}/disable", path(&made)), ())
        .await
        .assert_status(200);
}

#[tokio::test]
async fn another_tenants_user_is_not_there() {
    let app = start().await;
    for user in [
        Tenant::Globex.user(Role::Member),
        UserId::from_uuid(uuid::Uuid::max()),
    ] {
        let path = format!("/api/users/{user}");
        let owner = &app.acme.owner;
        let answers = [
            owner.get(&path).await,
            owner.patch(&path, json!({ "name": "x" })).await,
            owner.delete(&path).await,
            owner.post(&format!("{path}/disable"), ()).await,
            owner.post(&format!("{path}/enable"), ()).await,
            owner.post(&format!("{path}/unlock"), ()).await,
            owner
                .post(&format!("{path}/force-password-reset"), ())
                .await,
            owner.delete(&format!("{path}/sessions")).await,
            owner.delete(&format!("{path}/mfa")).await,
        ];
        for answer in answers {
            answer.assert_problem(404, "not_found");
        }
    }
}
