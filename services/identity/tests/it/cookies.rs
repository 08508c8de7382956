//! Sessions whose refresh token is in a cookie, and pages that must not use it.

use bz_testkit::{TestRequest, TestResponse};
use http::Method;
use serde_json::json;

use crate::support::{HASHER, IdentityApp, PASSWORD, builder, cheap, refresh};

const OWNER: &str = "owner@acme.test";
const OURS: &str = "https://app.example.com";

async fn started() -> IdentityApp {
    let builder = builder().env("COOKIE_ORIGINS", OURS);
    HASHER.scope(cheap(), builder.start()).await
}

fn from_page(request: TestRequest, origin: &str) -> TestRequest {
    request
        .header("origin", origin)
        .header("x-requested-with", "fetch")
}

fn login(app: &IdentityApp) -> TestRequest {
    let body = json!({ "email": OWNER, "password": PASSWORD, "delivery": "cookie" });
    app.anonymous.post("/auth/login", body)
}

/// Name and value of a cookie that the answer sets.
fn cookie(answer: &TestResponse, name: &str) -> Option<String> {
    let set = answer.headers.get_all("set-cookie").iter();
    let set = set.map(|value| value.to_str().unwrap());
    let found = set.filter(|text| text.starts_with(&format!("{name}=")));
    let found = found.map(str::to_owned).next_back()?;
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(found.split("; ").any(|part| part == attribute), "{found}");
    }
    assert!(!found.contains("Domain"), "{found}");
    Some(found.split(';').next().unwrap().to_owned())
}

async fn session(app: &IdentityApp) -> String {
    let answer = from_page(login(app), OURS).await.assert_status(200);
    cookie(&answer, "__Host-rt").unwrap()
}

#[tokio::test]
async fn a_page_of_ours_has_its_refresh_token_where_no_script_reads_it() {
    let app = started().await;
    let answer = from_page(login(&app), OURS).await.assert_status(200);
    assert!(answer.json().get("refresh_token").is_none());
    let first = cookie(&answer, "__Host-rt").unwrap();
    let with = |path: &str, cookie: &str| {
        let request = app.anonymous.request(Method::POST, path);
        from_page(request.header("cookie", cookie), OURS)
    };
    let second = with("/auth/refresh", &first).await.assert_status(200);
    assert!(second.json().get("refresh_token").is_none());
    let second = cookie(&second, "__Host-rt").unwrap();
    assert_ne!(first, second);
    let out = with("/auth/logout", &second).await.assert_status(204);
    assert_eq!(cookie(&out, "__Host-rt").unwrap(), "__Host-rt=");
    with("/auth/refresh", &second)
        .await
        .assert_problem(401, "session_revoked");
    // Without a cookie it is as before.
    let body = json!({ "email": OWNER, "password": PASSWORD, "delivery": "body" });
    let answer = app
        .anonymous
        .post("/auth/login", body)
        .await
        .assert_status(200);
    assert!(cookie(&answer, "__Host-rt").is_none());
    let token = answer.json()["refresh_token"].clone();
    let answer = refresh(&app, &token).await.assert_status(200);
    assert!(cookie(&answer, "__Host-rt").is_none());
}

/// Pitfall 15: no page of another origin logs in, refreshes or logs out with somebody's cookie, by a form or by a script.
#[tokio::test]
async fn pages_of_others_cannot_use_the_cookie() {
    let app = started().await;
    let token = session(&app).await;
    let request = |path: &str| {
        let request = app.anonymous.request(Method::POST, path);
        request.header("cookie", &token)
    };
    for path in ["/auth/refresh", "/auth/logout"] {
        let form = |origin: &str| request(path).form(&[("x", "1")]).header("origin", origin);
        // Browsers send a form without asking, with its origin, and with no header of its own.
        for origin in ["https://evil.example", "null"] {
            let answer = form(origin).await;
            assert!(
                (400..500).contains(&answer.status.as_u16()),
                "{}",
                answer.describe()
            );
            request(path)
                .header("origin", origin)
                .await
                .assert_problem(403, "origin_not_allowed");
        }
        for origin in [
            "https://evil.example",
            "https://app.example.com.evil.example",
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://APP.example.com/",
            "null",
        ] {
            from_page(request(path), origin)
                .await
                .assert_problem(403, "origin_not_allowed");
        }
        let without_header = request(path).header("origin", OURS);
        without_header
            .await
            .assert_problem(403, "origin_not_allowed");
        let without_origin = request(path).header("x-requested-with", "fetch");
        without_origin
            .await
            .assert_problem(403, "origin_not_allowed");
    }
    from_page(login(&app), "https://evil.example")
        .await
        .assert_problem(403, "origin_not_allowed");
    login(&app).await.assert_problem(403, "origin_not_allowed");
    // A page that logs its visitor in as somebody else leaves no cookie behind.
    let form = [("username", OWNER), ("password", PASSWORD)];
    let foreign = app
        .anonymous
        .request(Method::POST, "/auth/login")
        .form(&form);
    let answer = foreign
        .header("origin", "https://evil.example")
        .await
        .assert_status(200);
    assert!(answer.header("set-cookie").is_none());
    // After all of this the session is still there.
    from_page(request("/auth/refresh"), OURS)
        .await
        .assert_status(200);
}

#[tokio::test]
async fn an_access_token_logs_out_and_takes_the_cookie_along() {
    let app = started().await;
    let answer = from_page(login(&app), OURS).await.assert_status(200);
    let token = cookie(&answer, "__Host-rt").unwrap();
    let client = app
        .anonymous
        .with_token(answer.json()["access_token"].as_str().unwrap());
    let out = client
        .request(Method::POST, "/auth/logout")
        .header("cookie", &token);
    let out = out.await.assert_status(204);
    assert_eq!(cookie(&out, "__Host-rt").unwrap(), "__Host-rt=");
}

#[tokio::test]
async fn without_configured_origins_there_are_no_cookies_for_refresh_tokens() {
    let app = HASHER.scope(cheap(), builder().start()).await;
    from_page(login(&app), OURS)
        .await
        .assert_problem(403, "origin_not_allowed");
}

#[tokio::test]
async fn a_session_has_the_name_of_its_device_and_may_be_short() {
    let app = started().await;
    let body = json!({ "email": OWNER, "password": PASSWORD, "device_name": " Ada's laptop ", "remember": false });
    let answer = app
        .anonymous
        .post("/auth/login", body)
        .await
        .assert_status(200)
        .json();
    assert_eq!(answer["refresh_expires_in"], 12 * 3600);
    let (name, hours): (String, i64) = sqlx::query_as(
        "SELECT device_name, (extract(epoch FROM expires_at - auth_time) / 3600)::bigint FROM identity.sessions",
    )
    .fetch_one(&mut app.database.admin().await)
    .await
    .unwrap();
    assert_eq!((name.as_str(), hours), ("Ada's laptop", 24));
    let long = "x".repeat(121);
    for (pointer, value) in [
        ("/device_name", json!(long)),
        ("/device_name", json!("  ")),
        ("/delivery", json!("mail")),
        ("/remember", json!("yes")),
    ] {
        let mut body = json!({ "email": OWNER, "password": PASSWORD });
        body[&pointer[1..]] = value;
        let problem = app.anonymous.post("/auth/login", body).await;
        let problem = problem.assert_problem(422, "validation_failed").json();
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
}
