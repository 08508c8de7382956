use serde_json::json;
use totp_rs::Secret;

use crate::{
    mfa::{activate, enrol, shown, with_app},
    support::{PASSWORD, start},
};

#[tokio::test]
async fn a_registration_sent_again_gives_no_session_where_a_second_factor_is_needed() {
    let app = start().await;
    let request = json!({ "email": "ada@example.com", "password": PASSWORD });
    let send = async || {
        app.anonymous
            .post("/auth/register", &request)
            .header("idempotency-key", "k1")
            .await
    };
    let first = send().await.assert_status(201).json();
    send().await.assert_status(201);
    let ada = app
        .anonymous
        .with_token(first["access_token"].as_str().unwrap());
    let enrolment = enrol(&ada).await;
    let code = shown(&app, enrolment["secret"].as_str().unwrap());
    activate(&ada, &enrolment, &code).await.assert_status(200);
    send().await.assert_problem(409, "email_taken");
}

#[tokio::test]
async fn what_the_database_keeps_of_an_app_and_of_recovery_codes_cannot_be_read() {
    let app = start().await;
    let (secret, recovery) = with_app(&app).await;
    let raw = Secret::try_from_base32(&secret).unwrap();
    let kept: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT sealed_secret FROM identity.totp_factors UNION ALL SELECT code_mac FROM identity.recovery_codes",
    )
    .fetch_all(&mut app.database.admin().await)
    .await
    .unwrap();
    assert_eq!(kept.len(), 11);
    let plain: &[u8] = raw.as_ref();
    for kept in kept {
        assert!(!kept.windows(plain.len()).any(|window| window == plain));
        let code = recovery[0].as_bytes();
        assert!(!kept.windows(code.len()).any(|window| window == code));
    }
}
