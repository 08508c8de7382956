//! User tables that other services hashed, and clients that were written for one.
//!
//! The hashes were made by fastapi-users 15.0.5 with pwdlib 0.3.0, argon2-cffi 25.1.0 and bcrypt 5.0.0 from PyPI:
//!
//! ```python
//! fastapi_users.password.PasswordHelper().hash("legacy-pass")
//! pwdlib.hashers.bcrypt.BcryptHasher(rounds=10).hash("legacy-pass")
//! bcrypt.hashpw("Zoë's pass".encode(), bcrypt.gensalt(5, prefix=b"2a"))
//! bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(5))
//! bcrypt.hashpw("Zoe\u0308 und der Fluss".encode(), bcrypt.gensalt(5))
//! ```

use bz_testkit::Client;
use serde_json::{Value, json};

use crate::support::{IdentityApp, builder, client_program, login, register, start};

const FASTAPI_USERS: &str = "$argon2id$v=19$m=65536,t=3,p=4$slbg2qMMFQYRg95A0bkwUQ$USC0GdZHAYNP+o5JMxLFAdkc/2kla5med8HUIIqeHG8";
const PWDLIB_BCRYPT: &str = "$2b$10$BMsyFQXwq97u2GuxX2ln4OcW.Xd7DuimNs6ZRUJiq0c1VTUggCQQS";
const BCRYPT_2A: &str = "$2a$05$sn3xgM1PU.adeOuVo/7AmeOLrhNp5KyjzZsehEouSaSzkANEPf2Ry";
const BCRYPT_72: &str = "$2b$05$8TIKEOekSBRvlAxwUzXMxeyBzzBlUPxZ/q5mZioniY34X/Z3ahdA2";
const BCRYPT_DECOMPOSED: &str = "$2b$05$QBsAVv71BIqbRAvYyrp7G.m0vJAHHR8WEsoUT7Z5vHj9yfgoOiLPu";

const EMAIL: &str = "ada@example.com";

async fn import(app: &IdentityApp, hash: &str) {
    sqlx::query("UPDATE identity.users SET password_hash = $1 WHERE email = $2")
        .bind(hash)
        .bind(EMAIL)
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
}

async fn stored(app: &IdentityApp) -> String {
    sqlx::query_scalar("SELECT password_hash FROM identity.users WHERE email = $1")
        .bind(EMAIL)
        .fetch_one(&mut app.database.admin().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn whoever_was_hashed_elsewhere_logs_in_and_is_hashed_anew() {
    let app = start().await;
    register(&app, EMAIL).await;
    for (hash, password) in [
        (FASTAPI_USERS, "legacy-pass"),
        (PWDLIB_BCRYPT, "legacy-pass"),
        (&PWDLIB_BCRYPT.replace("$2b$", "$2y$"), "legacy-pass"),
        (BCRYPT_2A, "Zoë's pass"),
        // Typed and hashed in a form of Unicode that is not the one that we hash.
        (BCRYPT_DECOMPOSED, "Zoe\u{308} und der Fluss"),
    ] {
        import(&app, hash).await;
        login(&app, EMAIL, "another-pass")
            .await
            .assert_problem(401, "invalid_credentials");
        assert_eq!(stored(&app).await, hash, "a wrong password changes nothing");
        login(&app, EMAIL, password).await.assert_status(200);
        let new = stored(&app).await;
        assert!(
            new.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}: {new}"
        );
        login(&app, EMAIL, password).await.assert_status(200);
    }
}

/// Pitfall 45: of a password that bcrypt has cut at 72 bytes nobody knows the rest, so that it is never taken over into a
/// new hash; with our own hash every byte counts, and so does no form of Unicode.
#[tokio::test]
async fn what_bcrypt_cut_off_does_not_become_the_password() {
    let app = start().await;
    register(&app, EMAIL).await;
    import(&app, BCRYPT_72).await;
    let (exact, longer) = ("x".repeat(72), format!("{}y", "x".repeat(72)));
    login(&app, EMAIL, &"x".repeat(71)).await.assert_status(401);
    login(&app, EMAIL, &longer).await.assert_status(200);
    assert_eq!(stored(&app).await, BCRYPT_72);
    login(&app, EMAIL, &exact).await.assert_status(200);
    assert!(stored(&app).await.starts_with("$argon2id$"));
    login(&app, EMAIL, &longer).await.assert_status(401);
    login(&app, EMAIL, &exact).await.assert_status(200);
    for nul in [r#"{"email":"ada@example.com","password":"x\u0000y"}"#] {
        let request = app.anonymous.request(http::Method::POST, "/auth/login");
        request
            .body("application/json", nul)
            .await
            .assert_problem(422, "validation_failed");
    }
}

/// Pitfall 44: a stored hash that asks for more than any honest one is not computed, whatever the password.
#[tokio::test]
async fn hostile_parameters_in_a_stored_hash_cost_nothing() {
    let app = start().await;
    register(&app, EMAIL).await;
    for hash in [
        &FASTAPI_USERS.replace("m=65536", "m=4194304"),
        &FASTAPI_USERS.replace("t=3", "t=4000000"),
        &FASTAPI_USERS.replace("p=4", "p=255"),
        &PWDLIB_BCRYPT.replace("$10$", "$31$"),
        &PWDLIB_BCRYPT.replace("$10$", "$15$"),
        &PWDLIB_BCRYPT.replace("$10$", "$03$"),
        &PWDLIB_BCRYPT.replace("$10$", "$xx$"),
        "$2b$10$short",
        "$2x$10$BMsyFQXwq97u2GuxX2ln4OcW.Xd7DuimNs6ZRUJiq0c1VTUggCQQS",
        "$1$oldmd5$xxxxxxxxxxxxxxxxxxxxxx",
        "legacy-pass",
    ] {
        import(&app, hash).await;
        let began = std::time::Instant::now();
        login(&app, EMAIL, "legacy-pass")
            .await
            .assert_problem(401, "invalid_credentials");
        assert!(began.elapsed().as_secs() < 10, "{hash}");
        app.clock.advance(chrono::TimeDelta::minutes(40));
    }
}

/// What a client of FastAPI-Users does, by its `BearerTransport` and its `schemas.BaseUser`.
async fn fastapi_users_client(anonymous: &Client, password: &str) {
    let form = [("username", EMAIL), ("password", password)];
    let request = anonymous.request(http::Method::POST, "/auth/login");
    let token: Value = request.form(&form).await.assert_status(200).json();
    assert!(
        token["token_type"]
            .as_str()
            .unwrap()
            .eq_ignore_ascii_case("bearer")
    );
    let me = anonymous.with_token(token["access_token"].as_str().unwrap());
    let me: Value = me.get("/auth/me").await.assert_status(200).json();
    assert!(me["id"].as_str().unwrap().parse::<uuid::Uuid>().is_ok());
    assert_eq!(me["email"], EMAIL);
    for (name, value) in [("is_active", true), ("is_superuser", false)] {
        assert_eq!(me[name], json!(value), "{name}");
    }
    assert!(me["is_verified"].is_boolean());
}

#[tokio::test]
async fn a_client_of_fastapi_users_and_its_user_table_work_unchanged() {
    let app = start().await;
    register(&app, EMAIL).await;
    import(&app, FASTAPI_USERS).await;
    fastapi_users_client(&app.anonymous, "legacy-pass").await;
}

/// The same with the library's own models, over a socket.
#[tokio::test(flavor = "multi_thread")]
async fn the_real_models_of_fastapi_users_accept_our_answers() {
    let Some(python) = client_program("venv/bin/python") else {
        return;
    };
    let app = builder().start().await;
    register(&app, EMAIL).await;
    import(&app, FASTAPI_USERS).await;
    let url = app.listen().await;
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/clients/fastapi_users_client.py"
    );
    let ran = tokio::process::Command::new(python)
        .args([script, url.as_str(), EMAIL, "legacy-pass"])
        .output()
        .await
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}
