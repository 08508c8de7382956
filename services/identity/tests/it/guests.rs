//! People of one tenant who work in another.

use bz_testkit::{Role, Tenant};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{
    PASSWORD, accept, address, claims, client, count, execute, guest_of_globex, invite, logged_in,
    login, start, switch, token_of, with_policy,
};

#[tokio::test]
async fn a_guest_is_the_same_person_without_a_password_in_the_other_tenant() {
    let app = start().await;
    let (_, entered) = guest_of_globex(&app, "viewer").await;
    let claims = claims(&app, &entered).await;
    assert_eq!(claims.sub, Tenant::Acme.user(Role::Member).to_string());
    assert_eq!(claims.tid, Some(Tenant::Globex.id().as_uuid()));
    assert_eq!(claims.htid, Some(Tenant::Acme.id().as_uuid()));
    assert_eq!(claims.roles, ["viewer"]);
    let me = client(&app, &entered)
        .get("/auth/me")
        .await
        .assert_status(200)
        .json();
    assert_eq!(me["home_tenant_id"], json!(Tenant::Acme.id()));
    assert_eq!(me["tenant"]["slug"], "globex");
    assert_eq!(me["roles"], json!(["viewer"]));

    let email = address(Tenant::Acme, Role::Member);
    let body = json!({ "email": email, "password": PASSWORD, "tenant": "globex" });
    let refused = app.anonymous.post("/auth/login", body).await;
    refused.assert_problem(401, "invalid_credentials");
    // At home nothing has changed.
    let home = login(&app, &email, PASSWORD)
        .await
        .assert_status(200)
        .json();
    assert_eq!(home["tenant"]["slug"], "acme");
    assert_eq!(home["user"]["id"], entered["user"]["id"]);
    let with_password = "SELECT count(*) FROM identity.users WHERE home_tenant_id IS NOT NULL AND password_hash IS NOT NULL";
    assert_eq!(count(&app, with_password).await, 0);
}

#[tokio::test]
async fn everybody_sees_the_tenants_in_which_they_may_work() {
    let app = start().await;
    let (home, entered) = guest_of_globex(&app, "admin").await;
    for path in ["/auth/tenants", "/api/tenants"] {
        let list = home.get(path).await.assert_status(200).json();
        let expected = json!([
            { "id": Tenant::Globex.id(), "slug": "globex", "name": "Globex", "roles": ["admin"],
              "is_home": false, "is_current": false },
            { "id": Tenant::Acme.id(), "slug": "acme", "name": "Acme", "roles": ["member"],
              "is_home": true, "is_current": true },
        ]);
        assert_eq!(list, json!({ "items": expected, "next_cursor": null }));
    }
    let first = client(&app, &entered)
        .get("/auth/tenants?limit=1")
        .await
        .assert_status(200)
        .json();
    assert_eq!(first["items"][0]["is_current"], true);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = format!("/auth/tenants?limit=1&cursor={cursor}");
    let second = client(&app, &entered)
        .get(&second)
        .await
        .assert_status(200)
        .json();
    assert_eq!(second["items"][0]["is_home"], true);
    assert_eq!(second["next_cursor"], Value::Null);
    // A cursor is its owner's.
    let foreign = app
        .globex
        .owner
        .get(&format!("/auth/tenants?cursor={cursor}"))
        .await;
    foreign.assert_problem(422, "validation_failed");
    let alone = app
        .acme
        .viewer
        .get("/auth/tenants")
        .await
        .assert_status(200)
        .json();
    assert_eq!(alone["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn address_and_name_follow_from_home() {
    let app = start().await;
    guest_of_globex(&app, "member").await;
    let change = "UPDATE identity.users SET email = 'ada@new.test', name = 'Ada' WHERE email = 'member@acme.test' \
                  AND home_tenant_id IS NULL";
    execute(&app, change).await;
    let mut tx = app.db().tenant(&Tenant::Acme.scope()).await.unwrap();
    let spread: i64 = sqlx::query_scalar("SELECT identity.spread_profile($1, now())")
        .bind(Tenant::Acme.user(Role::Member).as_uuid())
        .fetch_one(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(spread, 1);
    let both = "SELECT count(*) FROM identity.users WHERE email = 'ada@new.test' AND name = 'Ada'";
    assert_eq!(count(&app, both).await, 2);
    // An address that somebody else has there stays behind; the name goes.
    let change = "UPDATE identity.users SET email = 'viewer@globex.test', name = 'Lady Ada' \
                  WHERE email = 'ada@new.test' AND home_tenant_id IS NULL";
    execute(&app, change).await;
    let mut tx = app.db().tenant(&Tenant::Acme.scope()).await.unwrap();
    sqlx::query("SELECT identity.spread_profile($1, now())")
        .bind(Tenant::Acme.user(Role::Member).as_uuid())
        .execute(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let guest =
        "SELECT count(*) FROM identity.users WHERE email = 'ada@new.test' AND name = 'Lady Ada'";
    assert_eq!(count(&app, guest).await, 1);
}

#[tokio::test]
async fn a_guest_who_is_taken_away_is_gone_on_both_sides_and_can_come_again() {
    let app = start().await;
    let (home, _) = guest_of_globex(&app, "member").await;
    let mut tx = app.db().tenant(&Tenant::Globex.scope()).await.unwrap();
    let removed: bool = sqlx::query_scalar("SELECT identity.remove_guest($1)")
        .bind(Tenant::Acme.user(Role::Member).as_uuid())
        .fetch_one(tx.conn())
        .await
        .unwrap();
    // A user at home is no guest.
    let owner: bool = sqlx::query_scalar("SELECT identity.remove_guest($1)")
        .bind(Tenant::Globex.user(Role::Owner).as_uuid())
        .fetch_one(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(removed && !owner);
    assert_eq!(
        count(&app, "SELECT count(*) FROM identity.guest_memberships").await,
        0
    );
    switch(&home, "globex")
        .await
        .assert_problem(403, "not_a_member");
    let again = invite(
        &app.globex.owner,
        &address(Tenant::Acme, Role::Member),
        "viewer",
    )
    .await;
    let token = token_of(&app, Tenant::Globex, again).await;
    accept(&home, &token).await.assert_status(200);
}

#[tokio::test]
async fn the_user_chooses_which_tenant_a_bare_login_means() {
    let app = start().await;
    let email = address(Tenant::Acme, Role::Member);
    // The same address registers in globex too, with a password of its own.
    let invitation = invite(&app.globex.owner, &email, "member").await;
    let token = token_of(&app, Tenant::Globex, invitation).await;
    let other = "another long enough password";
    let body = json!({ "token": token, "password": other });
    let joined = app
        .anonymous
        .post("/auth/invitations/accept", body)
        .await
        .assert_status(200)
        .json();
    assert_ne!(joined["user"]["id"], json!(Tenant::Acme.user(Role::Member)));
    login(&app, &email, other)
        .await
        .assert_problem(401, "invalid_credentials");
    let named = json!({ "email": email, "password": other, "tenant": "globex" });
    app.anonymous
        .post("/auth/login", named)
        .await
        .assert_status(200);

    let home = logged_in(&app, Tenant::Acme, Role::Member).await;
    let choose = async |tenant: &str| {
        home.put("/auth/tenants/default", json!({ "tenant": tenant }))
            .await
    };
    choose("nowhere").await.assert_problem(403, "not_a_member");
    choose("globex").await.assert_status(204);
    choose("globex").await.assert_status(204);
    let bare = login(&app, &email, other).await.assert_status(200).json();
    assert_eq!(bare["tenant"]["slug"], "globex");
    login(&app, &email, PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
    choose("acme").await.assert_status(204);
    login(&app, &email, PASSWORD).await.assert_status(200);
    // Where the address has no password, it cannot log in.
    let owner = logged_in(&app, Tenant::Acme, Role::Owner).await;
    let refused = owner
        .put("/auth/tenants/default", json!({ "tenant": "globex" }))
        .await;
    refused.assert_problem(403, "not_a_member");
    for bad in [
        json!({}),
        json!({ "tenant": "" }),
        json!({ "tenant": "x".repeat(65) }),
    ] {
        home.put("/auth/tenants/default", bad)
            .await
            .assert_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn where_addresses_are_verified_only_a_verified_one_moves_its_default() {
    let app = with_policy("verified").await;
    let member = &app.acme.member;
    let choose = async || {
        member
            .put("/auth/tenants/default", json!({ "tenant": "acme" }))
            .await
    };
    choose().await.assert_problem(403, "not_a_member");
    let verify =
        "UPDATE identity.users SET email_verified_at = now() WHERE email = 'member@acme.test'";
    execute(&app, verify).await;
    choose().await.assert_status(204);
}

/// Pitfalls 32, 39: whether an address is known, or a tenant exists, shows in no answer.
#[tokio::test]
async fn what_is_foreign_and_what_is_not_there_get_the_same_answers() {
    let app = start().await;
    let ask = async |email: &str| {
        let body = json!({ "email": email });
        app.anonymous
            .post("/auth/tenants/discover", body)
            .await
            .assert_status(202)
    };
    let (known, unknown) = (ask("owner@acme.test").await, ask("nobody@acme.test").await);
    assert_eq!(known.body, unknown.body);
    let names = |answer: &bz_testkit::TestResponse| {
        answer
            .headers
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&known), names(&unknown));
    let bad = app
        .anonymous
        .post("/auth/tenants/discover", json!({ "email": "no address" }))
        .await;
    bad.assert_problem(422, "validation_failed");

    let home = logged_in(&app, Tenant::Acme, Role::Owner).await;
    let shown = async |tenant: &str| {
        let mut answer = switch(&home, tenant)
            .await
            .assert_problem(403, "not_a_member")
            .json();
        answer.as_object_mut().unwrap().remove("request_id");
        answer
    };
    let foreign = shown("globex").await;
    for nothing in [
        "nowhere",
        &uuid::Uuid::max().to_string(),
        &Tenant::Globex.id().to_string(),
    ] {
        assert_eq!(shown(nothing).await, foreign, "{nothing}");
    }
}

#[tokio::test]
async fn somebody_who_acts_in_anothers_name_neither_switches_nor_joins_nor_makes_tenants() {
    let app = start().await;
    let mut claims =
        app.tokens
            .user_claims(Tenant::Acme, Tenant::Acme.user(Role::Owner), &["owner"]);
    claims.act = Some(bz_auth::claims::Actor {
        sub: Tenant::Acme.user(Role::Admin),
    });
    let acting = app.anonymous.with_token(app.tokens.sign(&claims));
    let id = Tenant::Acme.id();
    let calls = [
        acting.post("/auth/switch-tenant", json!({ "tenant": "globex" })),
        acting.put("/auth/tenants/default", json!({ "tenant": "acme" })),
        acting.post("/api/tenants", json!({ "name": "Another" })),
        acting.post(
            "/api/invitations",
            json!({ "email": "x@example.com", "roles": ["owner"] }),
        ),
        acting.put(&format!("/api/tenants/{id}/policy"), json!({})),
        acting
            .request(http::Method::DELETE, &format!("/api/tenants/{id}"))
            .json(json!({ "slug": "acme" })),
    ];
    for call in calls {
        call.await.assert_problem(403, "impersonation_forbidden");
    }
}

#[tokio::test]
async fn a_home_that_is_gone_a_while_lets_its_guests_in_nowhere() {
    let app = start().await;
    let (home, _) = guest_of_globex(&app, "member").await;
    app.clock.advance(TimeDelta::minutes(1));
    execute(
        &app,
        "UPDATE identity.tenants SET status = 'suspended' WHERE slug = 'acme'",
    )
    .await;
    switch(&home, "globex")
        .await
        .assert_problem(403, "not_a_member");
    execute(
        &app,
        "UPDATE identity.tenants SET status = 'active' WHERE slug = 'acme'",
    )
    .await;
    switch(&home, "globex").await.assert_status(200);
}
