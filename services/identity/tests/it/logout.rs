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
    let expired = app.anonymous.with_token(app.tokens.expired());
    expired
        .request(http::Method::POST, "/auth/logout")
        .await
        .assert_problem(401, "unauthenticated");
    app.anonymous
        .post("/auth/logout", json!({ "everybody": true }))
        .await
        .assert_problem(422, "validation_failed");
}
