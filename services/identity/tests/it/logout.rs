use bz_testkit::Client;
use serde_json::json;

use crate::support::{IdentityApp, refresh, register, start};

async fn session(app: &IdentityApp, email: &str) -> (Client, serde_json::Value) {
    let answer = register(app, email).await;
    let client = app
        .anonymous
        .with_token(answer["access_token"].as_str().unwrap());
    (client, answer["refresh_token"].clone())
}

#[tokio::test]
async fn logging_out_ends_the_session_of_the_access_token_and_may_be_repeated() {
    let app = start().await;
    let (ada, token) = session(&app, "ada@example.com").await;
    let (_, other) = session(&app, "grace@example.com").await;
    for _ in 0..2 {
        ada.request(http::Method::POST, "/auth/logout")
            .await
            .assert_status(204);
    }
    refresh(&app, &token)
        .await
        .assert_problem(401, "session_revoked");
    refresh(&app, &other).await.assert_status(200);
    let revoked: i64 =
        sqlx::query_scalar("SELECT count(*) FROM identity.events WHERE kind = 'session.revoked'")
            .fetch_one(&mut app.database.admin().await)
            .await
            .unwrap();
    assert_eq!(revoked, 1);
}

#[tokio::test]
async fn a_refresh_token_is_enough_to_log_out_whichever_generation_it_is() {
    let app = start().await;
    let (_, first) = session(&app, "ada@example.com").await;
    let second = refresh(&app, &first).await.assert_status(200).json()["refresh_token"].clone();
    let logout = || {
        app.anonymous
            .post("/auth/logout", json!({ "refresh_token": first }))
    };
    logout().await.assert_status(204);
    logout().await.assert_status(204);
    refresh(&app, &second)
        .await
        .assert_problem(401, "session_revoked");
}

#[tokio::test]
async fn a_wrong_refresh_token_ends_nothing_and_tells_nothing() {
    let app = start().await;
    let (_, token) = session(&app, "ada@example.com").await;
    let mut forged = token.as_str().unwrap().to_owned();
    forged.replace_range(60..64, "AAAA");
    for wrong in ["", "rt1.x.y", forged.as_str()] {
        app.anonymous
            .post("/auth/logout", json!({ "refresh_token": wrong }))
            .await
            .assert_status(204);
    }
    refresh(&app, &token).await.assert_status(200);
}

#[tokio::test]
async fn nobody_in_particular_cannot_log_out() {
    let app = start().await;
    app.anonymous
        .request(http::Method::POST, "/auth/logout")
        .await
        .assert_problem(401, "unauthenticated");
    app.anonymous
        .post("/auth/logout", json!({}))
        .await
        .assert_problem(401, "unauthenticated");
    let forged = app.anonymous.with_token(app.tokens.forged());
    forged
        .request(http::Method::POST, "/auth/logout")
        .await
        .assert_problem(401, "unauthenticated");
    app.anonymous
        .post("/auth/logout", json!({ "everybody": true }))
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn an_access_token_that_has_expired_is_good_for_leaving_and_not_for_throwing_out_others() {
    let app = start().await;
    let (ada, token) = session(&app, "ada@example.com").await;
    app.clock.advance(chrono::TimeDelta::hours(1));
    for scope in ["others", "all"] {
        ada.post("/auth/logout", json!({ "scope": scope }))
            .await
            .assert_problem(401, "unauthenticated");
    }
    refresh(&app, &token).await.assert_status(200);
    ada.post("/auth/logout", json!({ "scope": "session" }))
        .await
        .assert_status(204);
    refresh(&app, &token)
        .await
        .assert_problem(401, "session_revoked");
}

/// The same user, logged in so many times; the refresh tokens.
async fn sessions(app: &IdentityApp, count: usize) -> Vec<serde_json::Value> {
    let mut all = Vec::new();
    for _ in 0..count {
        app.clock.advance(chrono::TimeDelta::seconds(1));
        let answer = crate::support::login(app, "member@acme.test", crate::support::PASSWORD).await;
        all.push(answer.assert_status(200).json());
    }
    all
}

async fn alive(app: &IdentityApp, sessions: &[serde_json::Value]) -> Vec<bool> {
    let mut alive = Vec::new();
    for session in sessions {
        alive.push(refresh(app, &session["refresh_token"]).await.status == 200);
    }
    alive
}

#[tokio::test]
async fn the_others_or_all_end_on_demand_by_either_token() {
    let app = start().await;
    let (_, bystander) = session(&app, "ada@example.com").await;
    for by_refresh_token in [false, true] {
        let all = sessions(&app, 3).await;
        let logout = async |scope: &str| {
            if by_refresh_token {
                let body = json!({ "scope": scope, "refresh_token": all[1]["refresh_token"] });
                return app
                    .anonymous
                    .post("/auth/logout", body)
                    .await
                    .assert_status(204);
            }
            let client = app
                .anonymous
                .with_token(all[1]["access_token"].as_str().unwrap());
            client
                .post("/auth/logout", json!({ "scope": scope }))
                .await
                .assert_status(204)
        };
        logout("others").await;
        logout("others").await;
        assert_eq!(alive(&app, &all).await, [false, true, false]);
        logout("all").await;
        logout("all").await;
        assert_eq!(alive(&app, &all).await, [false, false, false]);
    }
    refresh(&app, &bystander).await.assert_status(200);
    let audited: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM identity.audit_log WHERE action = 'session.logout'",
    )
    .fetch_one(&mut app.database.admin().await)
    .await
    .unwrap();
    assert_eq!(audited, 4, "what ended nothing is not written down");
}

#[tokio::test]
async fn the_refresh_token_of_a_session_that_has_ended_throws_nobody_out() {
    let app = start().await;
    let all = sessions(&app, 2).await;
    let logout = |scope: &str| {
        let body = json!({ "scope": scope, "refresh_token": all[0]["refresh_token"] });
        app.anonymous.post("/auth/logout", body)
    };
    logout("session").await.assert_status(204);
    logout("all").await.assert_status(204);
    assert_eq!(alive(&app, &all).await, [false, true]);
    logout("everything")
        .await
        .assert_problem(422, "validation_failed");
}
