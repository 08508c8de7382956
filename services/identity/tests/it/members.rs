use bz_kernel::UserId;
use bz_testkit::{Client, Role, Tenant, TestResponse};
use serde_json::{Value, json};

use crate::{
    rights::revocations,
    roles::{role, told},
    support::{PASSWORD, address, login, refresh, start},
};

fn path(user: UserId) -> String {
    format!("/api/members/{user}")
}

async fn give(client: &Client, user: UserId, roles: Value) -> TestResponse {
    let path = format!("{}/roles", path(user));
    client.put(&path, json!({ "roles": roles })).await
}

#[tokio::test]
async fn members_are_listed_and_read_with_their_roles() {
    let app = start().await;
    let page = app.acme.viewer.get("/api/members?limit=3").await;
    let page = page.assert_status(200).json();
    let emails = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|it| it["email"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        emails(&page),
        ["viewer@acme.test", "member@acme.test", "admin@acme.test"]
    );
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = app
        .acme
        .viewer
        .get(&format!("/api/members?limit=3&cursor={cursor}"))
        .await;
    assert_eq!(emails(&rest.assert_status(200).json()), ["owner@acme.test"]);
    let one = app
        .acme
        .viewer
        .get(&path(Tenant::Acme.user(Role::Admin)))
        .await;
    let one = one.assert_status(200);
    assert_eq!(one.header("etag"), Some("\"1\""));
    assert_eq!(
        one.json(),
        json!({
            "user_id": Tenant::Acme.user(Role::Admin), "email": "admin@acme.test", "name": null, "status": "active",
            "roles": [{ "id": "admin", "name": "admin" }],
            "created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-02T09:00:00Z", "version": 1,
        })
    );
    let suspended = app.acme.viewer.get("/api/members?status=suspended").await;
    assert_eq!(emails(&suspended.assert_status(200).json()), [""; 0]);
    app.acme
        .viewer
        .get(&path(Tenant::Globex.user(Role::Admin)))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn roles_are_given_on_the_version_that_was_read_and_named_ones_only() {
    let app = start().await;
    let owner = &app.acme.owner;
    let viewer = Tenant::Acme.user(Role::Viewer);
    let sales = role(owner, "Sales", &["leads:write"]).await;
    let put = |version: &str| {
        owner
            .put(
                &format!("{}/roles", path(viewer)),
                json!({ "roles": ["member", sales, sales] }),
            )
            .header("if-match", version)
    };
    let changed = put("\"1\"").await.assert_status(200).json();
    assert_eq!(
        (&changed["roles"], &changed["version"]),
        (
            &json!([{ "id": "member", "name": "member" }, { "id": sales, "name": "Sales" }]),
            &json!(2)
        )
    );
    put("\"1\"")
        .await
        .assert_problem(412, "precondition_failed");
    assert_eq!(revocations(&app, viewer).await, 1);
    let wrong = [
        (json!(["member", "viewer"]), "ambiguous"),
        (json!(["boss"]), "unknown_role"),
        (json!([uuid::Uuid::max()]), "unknown_role"),
        (json!(vec![sales; 21]), "too_long"),
    ];
    for (roles, code) in wrong {
        let refused = give(owner, viewer, roles).await;
        let refused = refused.assert_problem(422, "validation_failed").json();
        assert_eq!(refused["errors"][0]["code"], code);
    }
    give(owner, UserId::from_uuid(uuid::Uuid::max()), json!([]))
        .await
        .assert_problem(404, "not_found");
    give(owner, Tenant::Globex.user(Role::Viewer), json!([]))
        .await
        .assert_problem(404, "not_found");
    give(&app.acme.member, viewer, json!([]))
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_suspended_member_is_out_at_once_and_comes_back() {
    let app = start().await;
    let email = address(Tenant::Acme, Role::Member);
    let session = login(&app, &email, PASSWORD)
        .await
        .assert_status(200)
        .json();
    let member = Tenant::Acme.user(Role::Member);
    let patch = async |status: &str| {
        app.acme
            .admin
            .patch(&path(member), json!({ "status": status }))
            .await
    };
    let changed = patch("suspended").await.assert_status(200).json();
    assert_eq!(
        (&changed["status"], &changed["version"]),
        (&json!("suspended"), &json!(2))
    );
    refresh(&app, &session["refresh_token"])
        .await
        .assert_problem(401, "session_revoked");
    login(&app, &email, PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
    // Again it is the same, and nothing is told twice.
    patch("suspended").await.assert_status(200);
    patch("active").await.assert_status(200);
    login(&app, &email, PASSWORD).await.assert_status(200);
    assert_eq!(told(&app, "member.%").await, ["member.updated"; 2]);
    patch("asleep")
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn a_removed_member_is_out_at_once_and_may_become_a_member_again() {
    let app = start().await;
    let email = address(Tenant::Acme, Role::Member);
    let session = login(&app, &email, PASSWORD)
        .await
        .assert_status(200)
        .json();
    let member = Tenant::Acme.user(Role::Member);
    let owner = &app.acme.owner;
    owner.delete(&path(member)).await.assert_status(204);
    refresh(&app, &session["refresh_token"])
        .await
        .assert_problem(401, "session_revoked");
    login(&app, &email, PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
    owner
        .get(&path(member))
        .await
        .assert_problem(404, "not_found");
    owner
        .delete(&path(member))
        .await
        .assert_problem(404, "not_found");
    give(owner, member, json!(["viewer"]))
        .await
        .assert_status(200);
    login(&app, &email, PASSWORD).await.assert_status(200);
    owner
        .delete(&path(Tenant::Globex.user(Role::Member)))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn the_last_owner_stays_one() {
    let app = start().await;
    let (owner, admin) = (&app.acme.owner, Tenant::Acme.user(Role::Admin));
    let last = Tenant::Acme.user(Role::Owner);
    let users = format!("/api/users/{last}");
    let suspend = json!({ "status": "suspended" });
    let attempts = async || {
        [
            give(owner, last, json!(["admin"])).await,
            owner.patch(&path(last), &suspend).await,
            owner.delete(&path(last)).await,
            owner.post(&format!("{users}/disable"), ()).await,
            owner.delete(&users).await,
        ]
    };
    for refused in attempts().await {
        refused.assert_problem(409, "last_owner");
    }
    // A second owner who cannot log in does not count.
    give(owner, admin, json!(["owner"]))
        .await
        .assert_status(200);
    owner.patch(&path(admin), &suspend).await.assert_status(200);
    for refused in attempts().await {
        refused.assert_problem(409, "last_owner");
    }
    let active = json!({ "status": "active" });
    owner.patch(&path(admin), active).await.assert_status(200);
    give(owner, last, json!(["admin"])).await.assert_status(200);
}

/// Pitfall 54: two owners who take the role from each other at the same moment leave one.
#[tokio::test]
async fn of_two_owners_who_demote_each_other_at_once_one_stays() {
    let app = start().await;
    let (first, second) = (
        Tenant::Acme.user(Role::Owner),
        Tenant::Acme.user(Role::Admin),
    );
    give(&app.acme.owner, second, json!(["owner"]))
        .await
        .assert_status(200);
    let claims = app.tokens.user_claims(Tenant::Acme, second, &["owner"]);
    let second_client = app.anonymous.with_token(app.tokens.sign(&claims));
    for round in 0..8 {
        let (one, other) = tokio::join!(
            give(&app.acme.owner, second, json!(["admin"])),
            give(&second_client, first, json!(["admin"])),
        );
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "round {round}");
        for user in [first, second] {
            give(&app.acme.owner, user, json!(["owner"]))
                .await
                .assert_status(200);
        }
    }
}
