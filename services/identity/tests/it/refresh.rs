use chrono::TimeDelta;
use serde_json::json;

use crate::support::{claims, refresh, register, start};

#[tokio::test]
async fn a_refresh_gives_new_tokens_of_the_same_session() {
    let app = start().await;
    let first = register(&app, "ada@example.com").await;
    app.clock.advance(TimeDelta::minutes(30));
    let second = refresh(&app, &first["refresh_token"])
        .await
        .assert_status(200);
    assert_eq!(second.header("cache-control"), Some("no-store"));
    let second = second.json();
    assert_eq!(
        (&second["session_id"], &second["user"]),
        (&first["session_id"], &first["user"])
    );
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(second["refresh_expires_in"], 14 * 24 * 3600);
    let claims = claims(&app, &second).await;
    assert_eq!(claims.iat - claims.auth_time.unwrap(), 30 * 60);
    refresh(&app, &second["refresh_token"])
        .await
        .assert_status(200);
}

#[tokio::test]
async fn the_same_token_sent_again_within_ten_seconds_gets_the_same_successor() {
    let app = start().await;
    let first = register(&app, "ada@example.com").await["refresh_token"].clone();
    let second = refresh(&app, &first).await.assert_status(200).json()["refresh_token"].clone();
    app.clock.advance(TimeDelta::seconds(10));
    let again = refresh(&app, &first).await.assert_status(200).json();
    assert_eq!(again["refresh_token"], second);
    assert_eq!(again["refresh_expires_in"], 14 * 24 * 3600 - 10);
    refresh(&app, &second).await.assert_status(200);
}

/// Pitfall 7: a token that is used again too late ends the session, which is written down and told.
#[tokio::test]
async fn a_token_sent_again_after_ten_seconds_ends_the_whole_session() {
    let app = start().await;
    let first = register(&app, "ada@example.com").await["refresh_token"].clone();
    let second = refresh(&app, &first).await.assert_status(200).json()["refresh_token"].clone();
    app.clock.advance(TimeDelta::seconds(11));
    refresh(&app, &first)
        .await
        .assert_problem(401, "refresh_token_reused");
    refresh(&app, &second)
        .await
        .assert_problem(401, "session_revoked");
    refresh(&app, &first)
        .await
        .assert_problem(401, "session_revoked");
    let told: String = sqlx::query_scalar(
        "SELECT data->>'reason' FROM identity.events WHERE kind = 'session.revoked'",
    )
    .fetch_one(&mut app.database.admin().await)
    .await
    .unwrap();
    assert_eq!(told, "refresh_reuse");
    let audited: (String, String, String, serde_json::Value) = sqlx::query_as(
        "SELECT a.action, a.result, r.kind, a.changes::jsonb->'generation' \
         FROM identity.audit_log a JOIN identity.revocations r ON r.subject = a.target_id \
         WHERE a.action LIKE 'session.%'",
    )
    .fetch_one(&mut app.database.admin().await)
    .await
    .unwrap();
    assert_eq!(
        audited,
        (
            "session.refresh_reuse_detected".into(),
            "failure".into(),
            "session".into(),
            json!(1)
        )
    );
}

#[tokio::test]
async fn each_session_has_its_own_patience_for_an_unused_token() {
    let app = start().await;
    let first = register(&app, "ada@example.com").await["refresh_token"].clone();
    // Of a user who did not want to be remembered.
    let brief = "UPDATE identity.sessions SET refresh_lifetime = 43200";
    sqlx::query(brief)
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    let second = refresh(&app, &first).await.assert_status(200).json();
    assert_eq!(second["refresh_expires_in"], 12 * 3600);
    app.clock.advance(TimeDelta::hours(13));
    refresh(&app, &second["refresh_token"])
        .await
        .assert_problem(401, "refresh_token_expired");
}

#[tokio::test]
async fn a_token_whose_successor_was_used_ends_the_session_at_once() {
    let app = start().await;
    let first = register(&app, "ada@example.com").await["refresh_token"].clone();
    let second = refresh(&app, &first).await.assert_status(200).json()["refresh_token"].clone();
    let third = refresh(&app, &second).await.assert_status(200).json()["refresh_token"].clone();
    refresh(&app, &first)
        .await
        .assert_problem(401, "refresh_token_reused");
    refresh(&app, &third)
        .await
        .assert_problem(401, "session_revoked");
}

#[tokio::test]
async fn a_guess_does_not_end_the_session_it_names() {
    let app = start().await;
    let token = register(&app, "ada@example.com").await["refresh_token"].clone();
    let mut guess = token.as_str().unwrap().to_owned();
    guess.replace_range(60..64, "AAAA");
    for wrong in [
        json!(guess),
        json!(""),
        json!("rt1.."),
        json!("eyJhbGciOiJub25lIn0.e30."),
    ] {
        refresh(&app, &wrong)
            .await
            .assert_problem(401, "refresh_token_invalid");
    }
    refresh(&app, &token).await.assert_status(200);
}

#[tokio::test]
async fn a_token_of_one_tenant_is_worth_nothing_under_anothers_name() {
    let app = start().await;
    let ada = register(&app, "ada@example.com").await["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let grace = register(&app, "grace@example.com").await["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    // The head of Grace's token names her tenant and session; the secret is Ada's.
    let mixed = format!("{}{}", &grace[..53], &ada[53..]);
    refresh(&app, &json!(mixed))
        .await
        .assert_problem(401, "refresh_token_invalid");
    refresh(&app, &json!(grace)).await.assert_status(200);
}

#[tokio::test]
async fn tokens_end_unused_after_two_weeks_and_sessions_after_a_month() {
    let app = start().await;
    let unused = register(&app, "ada@example.com").await["refresh_token"].clone();
    let mut token = register(&app, "grace@example.com").await["refresh_token"].clone();
    for _ in 0..2 {
        app.clock.advance(TimeDelta::days(13));
        token = refresh(&app, &token).await.assert_status(200).json()["refresh_token"].clone();
    }
    refresh(&app, &unused)
        .await
        .assert_problem(401, "refresh_token_expired");
    app.clock.advance(TimeDelta::days(3));
    let last = refresh(&app, &token).await.assert_status(200).json();
    assert_eq!(
        last["refresh_expires_in"],
        24 * 3600,
        "not beyond the end of the session"
    );
    app.clock.advance(TimeDelta::days(1));
    refresh(&app, &last["refresh_token"])
        .await
        .assert_problem(401, "refresh_token_expired");
}

#[tokio::test]
async fn a_disabled_user_does_not_refresh() {
    let app = start().await;
    let token = register(&app, "ada@example.com").await["refresh_token"].clone();
    let disable = "UPDATE identity.users SET status = 'disabled' WHERE email = 'ada@example.com'";
    sqlx::query(disable)
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    refresh(&app, &token)
        .await
        .assert_problem(401, "session_revoked");
}

#[tokio::test]
async fn what_is_no_refresh_is_told_where_it_is_wrong() {
    let app = start().await;
    let request = |body: serde_json::Value| app.anonymous.post("/auth/refresh", body);
    request(json!({}))
        .await
        .assert_problem(422, "validation_failed");
    request(json!({ "refresh_token": 7 }))
        .await
        .assert_problem(422, "validation_failed");
    request(json!({ "refresh_token": "x", "scope": "all" }))
        .await
        .assert_problem(422, "validation_failed");
}
