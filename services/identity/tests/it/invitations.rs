//! Inviting, sending again, taking back, looking into.

use bz_testkit::{Role, Tenant};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{accept, address, count, execute, invite, logged_in, start, token_of};

fn request(email: &str) -> Value {
    json!({ "email": email, "roles": ["member"] })
}

#[tokio::test]
async fn an_invitation_is_stored_without_its_token_and_told_without_the_address() {
    let app = start().await;
    let body =
        json!({ "email": " Grace@Example.COM ", "roles": ["viewer"], "message": "Welcome!" });
    let made = app
        .acme
        .admin
        .post("/api/invitations", body)
        .await
        .assert_status(201)
        .json();
    assert_eq!(
        made,
        json!({
            "id": made["id"], "email": "grace@example.com", "roles": ["viewer"], "message": "Welcome!",
            "status": "pending", "invited_by": Tenant::Acme.user(Role::Admin),
            "created_at": "2026-03-02T09:00:00Z", "expires_at": "2026-03-09T09:00:00Z",
            "accepted_at": null, "accepted_by": null,
        })
    );
    let list = app
        .acme
        .owner
        .get("/api/invitations")
        .await
        .assert_status(200)
        .json();
    assert_eq!(list, json!({ "items": [made], "next_cursor": null }));
    let told = "SELECT count(*) FROM identity.events WHERE kind = 'invitation.created' AND data::text NOT LIKE '%grace%'";
    assert_eq!(count(&app, told).await, 1);
    let audited = "SELECT count(*) FROM identity.audit_log WHERE action = 'invitation.created' AND result = 'success'";
    assert_eq!(count(&app, audited).await, 1);
}

#[tokio::test]
async fn the_same_request_with_its_key_invites_once_and_another_one_replaces_the_first() {
    let app = start().await;
    let send = async |key: &str, email: &str| {
        app.acme
            .owner
            .post("/api/invitations", request(email))
            .header("idempotency-key", key)
            .await
    };
    let first = send("k1", "grace@example.com")
        .await
        .assert_status(201)
        .json();
    let again = send("k1", "grace@example.com").await.assert_status(201);
    assert_eq!(
        (again.header("idempotency-replayed"), again.json()),
        (Some("true"), first.clone())
    );
    send("k1", "hedy@example.com")
        .await
        .assert_problem(422, "idempotency_key_reused");
    let second = send("k2", "grace@example.com")
        .await
        .assert_status(201)
        .json();
    let list = app.acme.owner.get("/api/invitations").await.json();
    let status = |id: &Value| {
        let items = list["items"].as_array().unwrap().iter();
        items.into_iter().find(|item| item["id"] == *id).unwrap()["status"].clone()
    };
    assert_eq!(
        (status(&first["id"]), status(&second["id"])),
        (json!("revoked"), json!("pending"))
    );
    // The same address may be invited by another tenant.
    invite(&app.globex.owner, "grace@example.com", "member").await;
}

#[tokio::test]
async fn of_many_invitations_of_one_address_at_once_one_stays_open() {
    let app = start().await;
    let send = || async {
        app.acme
            .owner
            .post("/api/invitations", request("grace@example.com"))
            .await
    };
    let answers = tokio::join!(send(), send(), send(), send());
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        let code = answer.problem_code();
        assert!(
            answer.status == 201 || code.as_deref() == Some("idempotency_in_progress"),
            "{}",
            answer.describe()
        );
    }
    let open = "SELECT count(*) FROM identity.invitations WHERE revoked_at IS NULL";
    assert_eq!(count(&app, open).await, 1);
}

#[tokio::test]
async fn a_member_is_not_invited() {
    let app = start().await;
    let own = app
        .acme
        .owner
        .post(
            "/api/invitations",
            request(&address(Tenant::Acme, Role::Viewer)),
        )
        .await;
    own.assert_problem(409, "already_member");
    // Somebody of another tenant is.
    invite(
        &app.acme.owner,
        &address(Tenant::Globex, Role::Viewer),
        "member",
    )
    .await;
}

#[tokio::test]
async fn nobody_gives_away_a_role_above_their_own() {
    let app = start().await;
    let ask = async |client: &bz_testkit::Client, role: &str| {
        client
            .post(
                "/api/invitations",
                json!({ "email": "grace@example.com", "roles": [role] }),
            )
            .await
    };
    ask(&app.acme.admin, "owner")
        .await
        .assert_problem(403, "privilege_escalation");
    ask(&app.acme.admin, "admin").await.assert_status(201);
    ask(&app.acme.owner, "owner").await.assert_status(201);
    // An admin does not send an owner's invitation again either.
    let list = app.acme.admin.get("/api/invitations").await.json();
    let items = list["items"].as_array().unwrap();
    let open = items
        .iter()
        .find(|item| item["status"] == "pending")
        .unwrap();
    let resend = format!("/api/invitations/{}/resend", open["id"].as_str().unwrap());
    app.acme
        .admin
        .post(&resend, json!({}))
        .await
        .assert_problem(403, "privilege_escalation");
    for client in [&app.acme.member, &app.acme.viewer] {
        ask(client, "viewer").await.assert_problem(403, "forbidden");
        client
            .get("/api/invitations")
            .await
            .assert_problem(403, "forbidden");
    }
    ask(&app.anonymous, "viewer")
        .await
        .assert_problem(401, "unauthenticated");
}

#[tokio::test]
async fn everything_that_is_wrong_with_an_invitation_is_told_at_once() {
    let app = start().await;
    let body = json!({ "email": "nobody", "roles": ["root"], "expires_in": 2_592_001, "message": "\u{7}" });
    let refused = app
        .acme
        .owner
        .post("/api/invitations", body)
        .await
        .assert_problem(422, "validation_failed")
        .json();
    let pointers: Vec<&str> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["/email", "/roles/0", "/expires_in", "/message"]);
    for roles in [json!([]), json!(["member", "viewer"]), json!("member")] {
        let body = json!({ "email": "grace@example.com", "roles": roles });
        app.acme
            .owner
            .post("/api/invitations", body)
            .await
            .assert_problem(422, "validation_failed");
    }
    // Ids are made by the server.
    let mut chosen = request("grace@example.com");
    chosen["id"] = json!(uuid::Uuid::max());
    app.acme
        .owner
        .post("/api/invitations", chosen)
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn an_invitation_sent_again_has_a_new_token_and_its_whole_time() {
    let app = start().await;
    let body = json!({ "email": "grace@example.com", "roles": ["member"], "expires_in": 86_400 });
    let made = app
        .acme
        .owner
        .post("/api/invitations", body)
        .await
        .assert_status(201)
        .json();
    let id: uuid::Uuid = made["id"].as_str().unwrap().parse().unwrap();
    let token = token_of(&app, Tenant::Acme, id).await;
    let look = async |token: &str| {
        app.anonymous
            .post("/auth/invitations/lookup", json!({ "token": token }))
            .await
    };
    app.clock.advance(TimeDelta::days(2));
    look(&token).await.assert_problem(400, "token_invalid");
    let list = app.acme.owner.get("/api/invitations").await.json();
    assert_eq!(list["items"][0]["status"], "expired");
    let resend = format!("/api/invitations/{id}/resend");
    let sent = app
        .acme
        .owner
        .post(&resend, json!({}))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&sent["status"], &sent["expires_at"]),
        (&json!("pending"), &json!("2026-03-05T09:00:00Z"))
    );
    look(&token).await.assert_problem(400, "token_invalid");
    look(&token_of(&app, Tenant::Acme, id).await)
        .await
        .assert_status(200);
    app.acme
        .member
        .post(&resend, json!({}))
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn an_invitation_that_is_taken_back_opens_nothing() {
    let app = start().await;
    let id = invite(&app.acme.owner, "grace@example.com", "member").await;
    let token = token_of(&app, Tenant::Acme, id).await;
    let path = format!("/api/invitations/{id}");
    app.globex
        .owner
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .viewer
        .delete(&path)
        .await
        .assert_problem(403, "forbidden");
    app.acme.owner.delete(&path).await.assert_status(204);
    app.acme.owner.delete(&path).await.assert_status(204);
    let body = json!({ "token": token, "password": "a long enough password" });
    app.anonymous
        .post("/auth/invitations/accept", body)
        .await
        .assert_problem(400, "token_invalid");
    app.acme
        .owner
        .post(&format!("{path}/resend"), json!({}))
        .await
        .assert_problem(409, "invitation_closed");

    let home = logged_in(&app, Tenant::Globex, Role::Owner).await;
    let id = invite(
        &app.acme.owner,
        &address(Tenant::Globex, Role::Owner),
        "member",
    )
    .await;
    accept(&home, &token_of(&app, Tenant::Acme, id).await)
        .await
        .assert_status(200);
    app.acme
        .owner
        .delete(&format!("/api/invitations/{id}"))
        .await
        .assert_problem(409, "invitation_closed");
}

#[tokio::test]
async fn a_token_shows_what_it_is_about_and_every_bad_one_gets_the_same_answer() {
    let app = start().await;
    let id = invite(&app.acme.owner, "grace@example.com", "viewer").await;
    let token = token_of(&app, Tenant::Acme, id).await;
    let look = async |token: &str| {
        app.anonymous
            .post("/auth/invitations/lookup", json!({ "token": token }))
            .await
    };
    assert_eq!(
        look(&token).await.assert_status(200).json(),
        json!({
            "tenant": { "id": Tenant::Acme.id(), "slug": "acme", "name": "Acme" },
            "email": "grace@example.com", "roles": ["viewer"], "expires_at": "2026-03-09T09:00:00Z",
            "password_min_length": 8,
        })
    );
    let bare = async |token: &str| {
        let mut answer = look(token)
            .await
            .assert_problem(400, "token_invalid")
            .json();
        answer.as_object_mut().unwrap().remove("request_id");
        answer
    };
    let nonsense = bare("inv1.nonsense").await;
    // Of another tenant, of another id, with another secret, of another kind.
    let other = invite(&app.globex.owner, "grace@example.com", "viewer").await;
    let foreign = token_of(&app, Tenant::Globex, other).await;
    let (head, secret) = (
        foreign
            .split_once('.')
            .unwrap()
            .1
            .split_once('.')
            .unwrap()
            .0,
        token.rsplit_once('.').unwrap().1,
    );
    for bad in [
        format!("inv1.{head}.{secret}"),
        token.replacen("inv1", "rt1", 1),
        String::new(),
        "x".repeat(10_000),
    ] {
        assert_eq!(bare(&bad).await, nonsense, "{bad:.20}");
    }
    execute(
        &app,
        "UPDATE identity.tenants SET status = 'suspended' WHERE slug = 'acme'",
    )
    .await;
    assert_eq!(bare(&token).await, nonsense);
}

#[tokio::test]
async fn the_policy_says_who_may_be_invited() {
    let app = start().await;
    let policy = format!("/api/tenants/{}/policy", Tenant::Acme.id());
    let put = async |body| app.acme.owner.put(&policy, body).await.assert_status(200);
    let open = invite(&app.acme.owner, "first@elsewhere.test", "member").await;
    put(json!({ "allowed_domains": ["Example.com"] })).await;
    invite(&app.acme.owner, "grace@example.com", "member").await;
    let refused = app
        .acme
        .owner
        .post("/api/invitations", request("grace@elsewhere.test"))
        .await;
    let refused = refused.assert_problem(422, "validation_failed").json();
    assert_eq!(refused["errors"][0]["code"], "domain_not_allowed");
    put(json!({ "registration": "closed" })).await;
    let refused = app
        .acme
        .owner
        .post("/api/invitations", request("hedy@example.com"))
        .await;
    refused.assert_problem(403, "registration_disabled");
    // What was sent before waits.
    let token = token_of(&app, Tenant::Acme, open).await;
    let body = json!({ "token": token, "password": "a long enough password" });
    let accept = async || {
        app.anonymous
            .post("/auth/invitations/accept", body.clone())
            .await
    };
    accept().await.assert_problem(403, "registration_disabled");
    put(json!({ "password_min_length": 30 })).await;
    let short = accept()
        .await
        .assert_problem(422, "validation_failed")
        .json();
    assert_eq!(short["errors"][0]["code"], "too_short");
    put(json!({})).await;
    accept().await.assert_status(200);
}
