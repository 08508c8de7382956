use bz_auth::{claims::Actor, permission::is_administration};
use bz_kernel::UserId;
use bz_testkit::{Client, Role, Tenant, TestResponse, checks::access::Exceptions};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{IdentityApp, claims, start, with_rights};

fn path(user: UserId) -> String {
    format!("/api/users/{user}/impersonate")
}

async fn impersonate(client: &Client, user: UserId) -> TestResponse {
    client
        .post(&path(user), json!({ "reason": " Ticket 4711 " }))
        .await
}

fn with(app: &IdentityApp, answer: &Value) -> Client {
    app.anonymous
        .with_token(answer["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn an_admin_acts_in_a_members_name_for_a_while_and_it_is_written_down() {
    let app = start().await;
    let (admin, member) = (
        Tenant::Acme.user(Role::Admin),
        Tenant::Acme.user(Role::Member),
    );
    let answer = impersonate(&app.acme.admin, member)
        .await
        .assert_status(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let answer = answer.json();
    assert_eq!(
        (
            &answer["expires_in"],
            &answer["user"]["id"],
            answer.get("refresh_token")
        ),
        (&json!(900), &json!(member), None)
    );
    let token = claims(&app, &answer).await;
    assert_eq!(token.exp - token.iat, 900);
    assert_eq!(token.act, Some(Actor { sub: admin }));
    assert_eq!(token.roles, ["member"]);
    let client = with(&app, &answer);
    let me = client.get("/auth/me").await.assert_status(200).json();
    assert_eq!(
        (&me["id"], &me["impersonated_by"]),
        (&json!(member), &json!(admin))
    );
    let row: (Value, String) = sqlx::query_as(
        "SELECT changes::jsonb, action FROM identity.audit_log WHERE target_id = $1 AND actor_id = $2",
    )
    .bind(member.as_uuid())
    .bind(admin.as_uuid())
    .fetch_one(&mut app.database.admin().await)
    .await
    .unwrap();
    assert_eq!(
        row,
        (
            json!({ "session_id": answer["session_id"], "reason": "Ticket 4711", "seconds": 900 }),
            "user.impersonated".to_owned()
        )
    );
    app.clock.advance(TimeDelta::seconds(931));
    client
        .get("/auth/me")
        .await
        .assert_problem(401, "unauthenticated");
}

#[tokio::test]
async fn the_reason_and_the_time_have_their_limits() {
    let app = start().await;
    let member = path(Tenant::Acme.user(Role::Member));
    for wrong in [
        json!({}),
        json!({ "reason": " " }),
        json!({ "reason": "x".repeat(501) }),
        json!({ "reason": "x", "ttl_seconds": 59 }),
        json!({ "reason": "x", "ttl_seconds": 3601 }),
        json!({ "reason": "x", "act": "x" }),
    ] {
        let answer = app.acme.admin.post(&member, wrong).await;
        answer.assert_problem(422, "validation_failed");
    }
    let longest = json!({ "reason": "x", "ttl_seconds": 3600 });
    let answer = app.acme.admin.post(&member, longest).await;
    assert_eq!(answer.assert_status(200).json()["expires_in"], 3600);
}

/// Pitfall 71: whom nobody acts for, and who acts for nobody.
#[tokio::test]
async fn the_strong_are_nobodys_to_act_for_and_the_weak_act_for_nobody() {
    let app = start().await;
    let user = |role| Tenant::Acme.user(role);
    for (client, role) in [
        (&app.acme.owner, Role::Owner),
        (&app.acme.owner, Role::Admin),
        (&app.acme.admin, Role::Owner),
        (&app.acme.admin, Role::Admin),
    ] {
        impersonate(client, user(role))
            .await
            .assert_problem(403, "impersonation_forbidden");
    }
    impersonate(&app.acme.member, user(Role::Viewer))
        .await
        .assert_problem(403, "forbidden");
    let helper = user(Role::Admin);
    let helper = with_rights(&app, helper, &["viewer"], &["users:impersonate"]);
    impersonate(&helper, user(Role::Viewer))
        .await
        .assert_status(200);
    impersonate(&helper, user(Role::Member))
        .await
        .assert_problem(403, "privilege_escalation");
    for stranger in [
        Tenant::Globex.user(Role::Member),
        UserId::from_uuid(uuid::Uuid::max()),
    ] {
        impersonate(&app.acme.owner, stranger)
            .await
            .assert_problem(404, "not_found");
    }
    app.acme
        .owner
        .post(&format!("/api/users/{}/disable", user(Role::Member)), ())
        .await
        .assert_status(200);
    impersonate(&app.acme.owner, user(Role::Member))
        .await
        .assert_problem(409, "user_inactive");
    let gone = UserId::from_uuid(uuid::Uuid::max());
    let gone = with_rights(&app, gone, &["admin"], &[]);
    impersonate(&gone, user(Role::Viewer))
        .await
        .assert_problem(401, "unauthenticated");
    app.clock.advance(TimeDelta::minutes(6));
    impersonate(&app.acme.owner, user(Role::Viewer))
        .await
        .assert_problem(401, "reauthentication_required");
}

/// Pitfall 71: with the token of somebody who acts in another's name, no operation that administers works, and none that
/// is the user's own affair: credentials, sessions, the tenant that one works in.
#[tokio::test]
async fn nothing_that_is_the_users_own_or_administers_works_in_their_name() {
    let app = start().await;
    let subject = app.subject();
    // An owner's token, so that no permission is missing.
    let mut claims =
        app.tokens
            .user_claims(Tenant::Acme, Tenant::Acme.user(Role::Owner), &["owner"]);
    claims.act = Some(Actor {
        sub: Tenant::Acme.user(Role::Admin),
    });
    let client = app.anonymous.with_token(app.tokens.sign(&claims));
    let public = Exceptions::of_service("identity").public;
    let mut refused = 0;
    for operation in subject.document.operations() {
        let is_own = operation.path.starts_with("/auth/")
            && operation.changes_something()
            && operation.name() != "POST /auth/logout"
            // Its body is a browser's to make; without the options, which are refused, there is none.
            && operation.name() != "POST /auth/passkeys/register/verify";
        let administers = operation
            .permission
            .as_deref()
            .is_some_and(is_administration);
        if public.has(&operation) || !(is_own || administers) {
            continue;
        }
        let uri = operation.uri(subject.document, &operation.sample_path(subject.document));
        let mut request = client.request(operation.method.clone(), &uri);
        if let Some(body) = &operation.body {
            request = request.body(&body.content_type, body.encode(&body.sample));
        }
        request.await.assert_problem(403, "impersonation_forbidden");
        refused += 1;
    }
    assert!(refused >= 15, "only {refused} operations were tried");
    client.get("/scim/v2/Users").await.assert_status(403);
}

#[tokio::test]
async fn it_ends_with_a_logout_and_when_whoever_acts_may_do_less() {
    let app = start().await;
    let (admin, member) = (
        Tenant::Acme.user(Role::Admin),
        Tenant::Acme.user(Role::Member),
    );
    let live = async || -> i64 {
        sqlx::query_scalar(
            "SELECT count(*) FROM identity.sessions WHERE impersonator_id = $1 AND revoked_at IS NULL",
        )
        .bind(admin.as_uuid())
        .fetch_one(&mut app.database.admin().await)
        .await
        .unwrap()
    };
    let answer = impersonate(&app.acme.admin, member)
        .await
        .assert_status(200);
    let logout = with(&app, &answer.json()).request(http::Method::POST, "/auth/logout");
    logout.await.assert_status(204);
    assert_eq!(live().await, 0);
    for change in ["roles", "disable"] {
        impersonate(&app.acme.admin, member)
            .await
            .assert_status(200);
        assert_eq!(live().await, 1);
        let answer = match change {
            "roles" => {
                let path = format!("/api/members/{admin}/roles");
                app.acme
                    .owner
                    .put(&path, json!({ "roles": ["member"] }))
                    .await
            }
            _ => {
                let path = format!("/api/users/{admin}/disable");
                app.acme.owner.post(&path, ()).await
            }
        };
        answer.assert_status(200);
        assert_eq!(live().await, 0);
    }
}
