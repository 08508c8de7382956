//! Accepting an invitation.

use bz_testkit::{Role, Tenant};
use chrono::TimeDelta;
use serde_json::json;

use crate::support::{
    PASSWORD, accept, address, claims, client, count, execute, guest_of_globex, invite, logged_in,
    login, refresh, register, start, token_of,
};

const NEW: &str = "a long enough password";

#[tokio::test]
async fn somebody_new_becomes_a_user_with_a_password_and_a_verified_address() {
    let app = start().await;
    let id = invite(&app.acme.owner, "grace@example.com", "member").await;
    let token = token_of(&app, Tenant::Acme, id).await;
    let body = json!({ "token": token, "password": NEW, "name": " Grace " });
    let joined = app
        .anonymous
        .post("/auth/invitations/accept", body.clone())
        .await
        .assert_status(200);
    assert_eq!(joined.header("cache-control"), Some("no-store"));
    let joined = joined.json();
    assert_eq!(
        (
            &joined["user"]["email"],
            &joined["user"]["name"],
            &joined["user"]["email_verified"],
            &joined["tenant"]["slug"]
        ),
        (
            &json!("grace@example.com"),
            &json!("Grace"),
            &json!(true),
            &json!("acme")
        )
    );
    let claims = claims(&app, &joined).await;
    assert_eq!(
        (claims.tid, &claims.roles[..]),
        (claims.htid, &["member".to_owned()][..])
    );
    refresh(&app, &joined["refresh_token"])
        .await
        .assert_status(200);
    // The first tenant of the address is what a login means.
    let bare = login(&app, "grace@example.com", NEW)
        .await
        .assert_status(200)
        .json();
    assert_eq!(bare["user"]["id"], joined["user"]["id"]);
    let shown = app.acme.owner.get("/api/invitations").await.json()["items"][0].clone();
    assert_eq!(
        (&shown["status"], &shown["accepted_by"]),
        (&json!("accepted"), &joined["user"]["id"])
    );
    app.anonymous
        .post("/auth/invitations/accept", body)
        .await
        .assert_problem(400, "token_invalid");
    let told = "SELECT count(*) FROM identity.events WHERE kind = 'member.joined'";
    assert_eq!(count(&app, told).await, 1);
}

/// Pitfall 34: a token is good for one address and once, and nothing else opens an invitation.
#[tokio::test]
async fn an_invitation_is_for_its_address_and_its_id_opens_nothing() {
    let app = start().await;
    let id = invite(
        &app.globex.owner,
        &address(Tenant::Acme, Role::Member),
        "owner",
    )
    .await;
    let token = token_of(&app, Tenant::Globex, id).await;
    let thief = logged_in(&app, Tenant::Acme, Role::Owner).await;
    accept(&thief, &token)
        .await
        .assert_problem(403, "invitation_email_mismatch");
    // A guessed id, with any secret, of this tenant or another.
    let (prefix, secret) = token.rsplit_once('.').unwrap();
    for guess in [
        id.to_string(),
        format!("{prefix}.{}", "A".repeat(secret.len())),
        token_of(&app, Tenant::Acme, id).await,
    ] {
        accept(&thief, &guess)
            .await
            .assert_problem(400, "token_invalid");
        let body = json!({ "token": guess, "password": NEW });
        app.anonymous
            .post("/auth/invitations/accept", body)
            .await
            .assert_problem(400, "token_invalid");
    }
    // A body that names somebody else is refused.
    let token = token_of(&app, Tenant::Globex, id).await;
    let body = json!({ "token": token, "email": "owner@acme.test" });
    thief
        .post("/auth/invitations/accept", body)
        .await
        .assert_problem(422, "validation_failed");
    let home = logged_in(&app, Tenant::Acme, Role::Member).await;
    accept(&home, &token).await.assert_status(200);
    accept(&home, &token)
        .await
        .assert_problem(400, "token_invalid");
}

/// Pitfall 34: accepted by many at once, an invitation makes one member.
#[tokio::test]
async fn of_many_who_accept_at_once_one_gets_in() {
    let app = start().await;
    let id = invite(&app.acme.owner, "grace@example.com", "member").await;
    let token = token_of(&app, Tenant::Acme, id).await;
    let home = register(&app, "grace@example.com").await;
    let (guest, body) = (
        client(&app, &home),
        json!({ "token": token, "password": NEW }),
    );
    let new = || async {
        app.anonymous
            .post("/auth/invitations/accept", body.clone())
            .await
    };
    let known = || async { accept(&guest, &token).await };
    let answers = tokio::join!(new(), known(), new(), known(), new(), known());
    let answers = [
        answers.0, answers.1, answers.2, answers.3, answers.4, answers.5,
    ];
    let (let_in, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(let_in.len(), 1);
    for answer in refused {
        assert_eq!(
            answer.problem_code().as_deref(),
            Some("token_invalid"),
            "{}",
            answer.describe()
        );
    }
    let members = format!(
        "SELECT count(*) FROM identity.users WHERE email = 'grace@example.com' AND tenant_id = '{}'",
        Tenant::Acme.id()
    );
    assert_eq!(count(&app, &members).await, 1);
}

#[tokio::test]
async fn whoever_is_a_member_already_does_not_join_again() {
    let app = start().await;
    let (home, _) = guest_of_globex(&app, "member").await;
    // An invitation from before, as it were.
    let id = invite(&app.globex.owner, "later@example.com", "owner").await;
    let same =
        format!("UPDATE identity.invitations SET email = 'member@acme.test' WHERE id = '{id}'");
    execute(&app, &same).await;
    let token = token_of(&app, Tenant::Globex, id).await;
    accept(&home, &token)
        .await
        .assert_problem(409, "already_member");
    let body = json!({ "token": token, "password": NEW });
    app.anonymous
        .post("/auth/invitations/accept", body)
        .await
        .assert_problem(409, "already_member");
    let own =
        format!("UPDATE identity.invitations SET email = 'owner@globex.test' WHERE id = '{id}'");
    execute(&app, &own).await;
    let owner = logged_in(&app, Tenant::Globex, Role::Owner).await;
    accept(&owner, &token)
        .await
        .assert_problem(409, "already_member");
}

#[tokio::test]
async fn accepting_needs_a_password_or_a_good_token_of_a_living_session() {
    let app = start().await;
    let id = invite(
        &app.globex.owner,
        &address(Tenant::Acme, Role::Member),
        "member",
    )
    .await;
    let token = token_of(&app, Tenant::Globex, id).await;
    let none = accept(&app.anonymous, &token)
        .await
        .assert_problem(422, "validation_failed")
        .json();
    assert_eq!(none["errors"][0]["pointer"], "/password");
    for (password, code) in [("short", "too_short"), ("password123", "too_common")] {
        let body = json!({ "token": token, "password": password });
        let refused = app.anonymous.post("/auth/invitations/accept", body).await;
        assert_eq!(
            refused.assert_problem(422, "validation_failed").json()["errors"][0]["code"],
            code
        );
    }
    // A bad access token does not make somebody new, password or not.
    let body = json!({ "token": token, "password": NEW });
    let expired = app.anonymous.with_token(app.tokens.expired());
    expired
        .post("/auth/invitations/accept", body)
        .await
        .assert_problem(401, "unauthenticated");
    accept(&app.acme.member, &token)
        .await
        .assert_problem(401, "session_revoked");
    app.clock.advance(TimeDelta::days(7));
    let home = logged_in(&app, Tenant::Acme, Role::Member).await;
    accept(&home, &token)
        .await
        .assert_problem(400, "token_invalid");
    assert_eq!(
        count(&app, "SELECT count(*) FROM identity.guest_memberships").await,
        0
    );
}

#[tokio::test]
async fn the_same_address_has_a_password_of_its_own_in_each_tenant_that_it_registered_in() {
    let app = start().await;
    let email = address(Tenant::Acme, Role::Viewer);
    let id = invite(&app.globex.owner, &email, "admin").await;
    let token = token_of(&app, Tenant::Globex, id).await;
    let body = json!({ "token": token, "password": NEW });
    app.anonymous
        .post("/auth/invitations/accept", body)
        .await
        .assert_status(200);
    let at = async |tenant: &str, password: &str| {
        let body = json!({ "email": email, "password": password, "tenant": tenant });
        app.anonymous.post("/auth/login", body).await
    };
    let acme = at("acme", PASSWORD).await.assert_status(200).json();
    let globex = at("globex", NEW).await.assert_status(200).json();
    assert_ne!(acme["user"]["id"], globex["user"]["id"]);
    assert_eq!(claims(&app, &globex).await.roles, ["admin"]);
    at("acme", NEW)
        .await
        .assert_problem(401, "invalid_credentials");
    at("globex", PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
    // Two users: neither is the other's guest.
    let list = client(&app, &globex).get("/auth/tenants").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

/// Pitfalls 24, 25: no key lets a row refer to another tenant's, and none tells that an id or an address is taken there.
#[tokio::test]
async fn rows_refer_only_to_their_own_tenant_and_the_same_values_stand_in_two() {
    let app = start().await;
    let (acme, globex) = (Tenant::Acme.id(), Tenant::Globex.id());
    let (user, session) = (Tenant::Globex.user(Role::Owner), uuid::Uuid::max());
    let tables = [
        format!(
            "INSERT INTO identity.memberships (tenant_id, user_id, role, created_at, updated_at) \
                 VALUES ('{acme}', '{user}', 'owner', now(), now())"
        ),
        format!(
            "INSERT INTO identity.guest_memberships (tenant_id, user_id, guest_tenant_id, created_at) \
                 VALUES ('{acme}', '{user}', '{globex}', now())"
        ),
        format!(
            "INSERT INTO identity.sessions (tenant_id, id, user_id, client_id, auth_time, last_used_at, expires_at) \
                 VALUES ('{acme}', '{session}', '{user}', 'web', now(), now(), now())"
        ),
    ];
    for sql in tables {
        let refused = sqlx::raw_sql(&sql)
            .execute(&mut app.database.admin().await)
            .await
            .unwrap_err();
        let refused = refused.to_string();
        assert!(refused.contains("foreign key"), "{refused}");
    }
    let keys = "SELECT count(*) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
                JOIN pg_namespace n ON n.oid = c.relnamespace \
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' \
                WHERE n.nspname = 'identity' AND k.contype IN ('f', 'u', 'p') AND a.attnum <> ALL (k.conkey)";
    assert_eq!(count(&app, keys).await, 0);
    let same = "INSERT INTO identity.users (tenant_id, id, email, created_at, updated_at) VALUES";
    execute(
        &app,
        &format!("{same} ('{acme}', '{user}', 'owner@globex.test', now(), now())"),
    )
    .await;
}
