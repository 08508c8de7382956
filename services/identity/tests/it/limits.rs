//! How often something may be done, counted in Redis and without it.

use std::net::IpAddr;

use bz_testkit::{Fault, FaultProxy, Role, Tenant, TestAppBuilder, TestResponse, redis_url};
use chrono::TimeDelta;
use serde_json::json;

use crate::support::{
    HASHER, IdentityApp, IdentityUnderTest, PASSWORD, address, builder, cheap, register,
};

/// Addresses that no other test uses: the tests share a Redis.
fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

async fn started(builder: TestAppBuilder<IdentityUnderTest>) -> IdentityApp {
    HASHER.scope(cheap(), builder.start()).await
}

async fn login_from(app: &IdentityApp, ip: IpAddr, email: &str) -> TestResponse {
    let body = json!({ "email": email, "password": "a guess" });
    app.anonymous.post("/auth/login", body).from(ip).await
}

#[track_caller]
fn assert_limited(answer: TestResponse, seconds: u32) {
    let answer = answer.assert_problem(429, "rate_limited");
    assert_eq!(
        answer.header("retry-after"),
        Some(seconds.to_string().as_str())
    );
}

#[tokio::test]
async fn logins_from_one_address_are_limited_whoever_they_are_for() {
    for (builder, from) in [
        (builder(), ip("203.0.113.1")),
        (builder().redis(redis_url()), ip("203.0.113.2")),
    ] {
        let app = started(builder).await;
        let known = address(Tenant::Acme, Role::Owner);
        for n in 0..10 {
            login_from(&app, from, &format!("nobody-{n}@example.com"))
                .await
                .assert_problem(401, "invalid_credentials");
        }
        assert_limited(login_from(&app, from, "nobody@example.com").await, 3);
        assert_limited(login_from(&app, from, &known).await, 3);
        login_from(&app, ip("203.0.113.3"), "nobody-3@example.com")
            .await
            .assert_problem(401, "invalid_credentials");
        app.clock.advance(TimeDelta::seconds(2));
        login_from(&app, from, "nobody-4@example.com")
            .await
            .assert_problem(401, "invalid_credentials");
        assert_limited(login_from(&app, from, "nobody@example.com").await, 3);
    }
}

/// Pitfall 61: what a client writes into forwarding headers resets nothing, and neither do the many addresses of one
/// subscriber of IPv6.
#[tokio::test]
async fn nobody_escapes_a_limit_by_claiming_or_having_other_addresses() {
    let app = started(builder().env("LOGIN_LIMIT_PER_IP", "3")).await;
    let body = json!({ "email": "nobody@example.com", "password": "a guess" });
    let claim = |header: &'static str, value: &'static str| {
        let request = app.anonymous.post("/auth/login", &body);
        request.from(ip("203.0.113.9")).header(header, value)
    };
    claim("x-forwarded-for", "9.9.9.9").await.assert_status(401);
    for (header, value) in [
        ("x-forwarded-for", "9.9.9.10"),
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=9.9.9.9"),
        ("x-real-ip", "9.9.9.9"),
        ("x-client-ip", "9.9.9.9"),
        ("true-client-ip", "9.9.9.9"),
        ("cf-connecting-ip", "9.9.9.9"),
    ] {
        claim(header, value)
            .await
            .assert_problem(429, "rate_limited");
    }
    login_from(&app, ip("2001:db8:1:1::1"), "nobody@example.com")
        .await
        .assert_status(401);
    login_from(&app, ip("2001:db8:1:1:ffff::2"), "nobody@example.com")
        .await
        .assert_problem(429, "rate_limited");
    login_from(&app, ip("2001:db8:1:2::1"), "nobody@example.com")
        .await
        .assert_status(401);

    let behind = builder()
        .env("LOGIN_LIMIT_PER_IP", "3")
        .env("TRUSTED_PROXIES", "10.0.0.0/8");
    let app = started(behind).await;
    let through = |forwarded: &'static str| {
        let request = app.anonymous.post("/auth/login", &body);
        request
            .from(ip("10.0.0.1"))
            .header("x-forwarded-for", forwarded)
    };
    through("203.0.113.20").await.assert_status(401);
    through("203.0.113.21").await.assert_status(401);
    through("9.9.9.9, 203.0.113.21").await.assert_status(429);
}

#[tokio::test]
async fn the_machine_itself_is_not_limited_in_development_but_in_production() {
    let attempts = async |app: &IdentityApp| {
        for n in 0..12 {
            let answer = login_from(app, ip("127.0.0.1"), &format!("nobody-{n}@example.com")).await;
            if answer.status == 429 {
                return n;
            }
        }
        12
    };
    assert_eq!(attempts(&started(builder()).await).await, 12);
    let production = builder().env("ENVIRONMENT", "production");
    assert_eq!(attempts(&started(production).await).await, 10);
}

#[tokio::test]
async fn a_tenant_that_is_named_has_a_ceiling_of_its_own() {
    let app = started(builder().env("LOGIN_LIMIT_PER_TENANT", "2")).await;
    let at = |tenant: &'static str, from: &'static str| {
        let body =
            json!({ "email": "nobody@example.com", "password": "a guess", "tenant": tenant });
        app.anonymous.post("/auth/login", body).from(ip(from))
    };
    at("acme", "203.0.113.31").await.assert_status(401);
    at("Acme ", "203.0.113.32").await.assert_status(401);
    at("acme", "203.0.113.33")
        .await
        .assert_problem(429, "rate_limited");
    at("globex", "203.0.113.33").await.assert_status(401);
}

#[tokio::test]
async fn registrations_and_refreshes_are_limited() {
    let app = started(builder().env("REFRESH_LIMIT_PER_SESSION", "60")).await;
    let register_from = |n: usize, from: &'static str| {
        let body = json!({ "email": format!("user-{n}@example.com"), "password": PASSWORD });
        app.anonymous.post("/auth/register", body).from(ip(from))
    };
    for n in 0..10 {
        register_from(n, "203.0.113.41").await.assert_status(201);
    }
    assert_limited(register_from(10, "203.0.113.41").await, 361);
    register_from(11, "203.0.113.42").await.assert_status(201);

    let token = register(&app, "ada@example.com").await["refresh_token"].clone();
    let refresh = || {
        let body = json!({ "refresh_token": token });
        app.anonymous.post("/auth/refresh", body)
    };
    for _ in 0..60 {
        refresh().await.assert_status(200);
    }
    assert_limited(refresh().await, 2);
    // Whoever knows a session's name does not use up what its owner has.
    let elsewhere = refresh().from(ip("203.0.113.43")).await;
    elsewhere.assert_status(200);
}

#[tokio::test]
async fn refresh_tokens_are_not_guessed_many_times_from_one_address() {
    let app = started(builder().env("LOGIN_LIMIT_PER_IP", "3")).await;
    let token = register(&app, "ada@example.com").await["refresh_token"].clone();
    let mut guess = token.as_str().unwrap().to_owned();
    guess.replace_range(60..64, "AAAA");
    let refresh = || {
        let body = json!({ "refresh_token": guess });
        app.anonymous
            .post("/auth/refresh", body)
            .from(ip("203.0.113.51"))
    };
    for _ in 0..3 {
        refresh().await.assert_problem(401, "refresh_token_invalid");
    }
    refresh().await.assert_problem(429, "rate_limited");
}

/// Pitfall 62: without Redis the limits hold at half their size, nobody is logged out, and when it is back it counts on.
#[tokio::test]
async fn losing_redis_neither_lifts_the_limits_nor_logs_anybody_out() {
    let redis = redis_url();
    let target = redis
        .trim_start_matches("redis://")
        .trim_end_matches('/')
        .to_owned();
    let proxy = FaultProxy::start(target).await;
    let url = format!("redis://{}", proxy.address());
    let app = started(builder().redis(url)).await;
    let session = register(&app, "ada-of-pitfall-62@example.com").await;
    let logins = async |from: &str| {
        for n in 0..11 {
            let name = format!("pitfall-62-{n}-{from}@example.com").replace(':', "-");
            if login_from(&app, ip(from), &name).await.status == 429 {
                return n;
            }
        }
        11
    };
    assert_eq!(logins("203.0.113.61").await, 10);
    proxy.set(Fault::Refuse).await;
    assert_eq!(logins("203.0.113.62").await, 5);
    let body = json!({ "refresh_token": session["refresh_token"] });
    app.anonymous
        .post("/auth/refresh", body)
        .await
        .assert_status(200);
    let ada = app
        .anonymous
        .with_token(session["access_token"].as_str().unwrap());
    ada.get("/auth/me").await.assert_status(200);
    // Failures are counted all the while, and half as many are free.
    let guess = json!({ "email": "ada-of-pitfall-62@example.com", "password": "a guess" });
    for _ in 0..2 {
        app.anonymous
            .post("/auth/login", &guess)
            .await
            .assert_status(401);
    }
    let right = json!({ "email": "ada-of-pitfall-62@example.com", "password": PASSWORD });
    app.anonymous
        .post("/auth/login", &right)
        .await
        .assert_status(401);
    app.clock.advance(TimeDelta::seconds(1));
    app.anonymous
        .post("/auth/login", &right)
        .await
        .assert_status(200);
    proxy.set(Fault::Pass).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(logins("203.0.113.63").await, 10);
}

/// Pitfall 69: a clock that jumps by an hour, either way, neither shuts anybody out for that long nor breaks a login.
#[tokio::test]
async fn a_clock_that_jumps_shuts_nobody_out() {
    let app = started(builder()).await;
    for jump in [TimeDelta::hours(1), TimeDelta::hours(-1)] {
        for n in 0..10 {
            login_from(&app, ip("203.0.113.71"), &format!("nobody-{n}@example.com")).await;
        }
        app.clock.advance(jump);
        app.clock.advance(TimeDelta::seconds(20));
        login_from(&app, ip("203.0.113.71"), "nobody@example.com")
            .await
            .assert_problem(401, "invalid_credentials");
    }
}
