//! Failed logins look alike: the same bytes, and the same distribution of times.

use std::time::{Duration, Instant};

use bz_kernel::Rng;
use bz_testkit::{Tenant, TestRequest};
use identity::passwords::{Cost, Passwords};
use serde_json::{Value, json};

use crate::support::{HASHER, IdentityApp, PASSWORD, builder};

/// Samples of each class.
const SAMPLES: usize = 400;
/// Below this probability two samples are taken to be of two distributions.
const SIGNIFICANCE: f64 = 0.01;
/// Of two equal distributions one measurement in a hundred says that they differ; of two that differ each says so.
const MEASUREMENTS: usize = 3;

/// Why a login fails.
const CLASSES: [&str; 6] = [
    "wrong password",
    "unknown address",
    "unknown tenant",
    "disabled",
    "unverified",
    "waiting",
];

fn body(class: &str, n: usize) -> Value {
    let (name, password, tenant) = match class {
        "wrong password" => (format!("wrong-{n}"), "a guess", "acme"),
        "unknown address" => (format!("nobody-{n}"), "a guess", "acme"),
        "unknown tenant" => (format!("wrong-{n}"), PASSWORD, "nowhere"),
        "disabled" => (format!("disabled-{n}"), PASSWORD, "acme"),
        "unverified" => (format!("unverified-{n}"), "a guess", "acme"),
        _ => ("owner".to_owned(), PASSWORD, "acme"),
    };
    json!({ "email": format!("{name}@acme.test"), "password": password, "tenant": tenant })
}

fn attempt(app: &IdentityApp, class: &str, n: usize) -> TestRequest {
    app.anonymous.post("/auth/login", body(class, n))
}

/// The service, with accounts of which each fails only once, and an owner who has to wait.
async fn arranged() -> IdentityApp {
    // The work of a login as it is: what else takes time, takes it beside the hash.
    let hasher = Passwords::with_cost(Rng::seeded(3), 2, Cost::STANDARD);
    let builder = builder().env("REGISTRATION_POLICY", "verified");
    let app = HASHER.scope(hasher, builder.start()).await;
    let mut admin = app.database.admin().await;
    for (kind, status, verified) in [
        ("wrong", "active", true),
        ("disabled", "disabled", true),
        ("unverified", "active", false),
    ] {
        sqlx::query(
            "WITH made AS ( \
               INSERT INTO identity.users (tenant_id, id, email, password_hash, status, email_verified_at, created_at, \
                 updated_at) \
               SELECT u.tenant_id, gen_random_uuid(), $2 || '-' || n || '@acme.test', u.password_hash, $3, \
                 CASE WHEN $4 THEN u.created_at END, u.created_at, u.created_at \
               FROM generate_series(0, $5) n, identity.users u \
               WHERE u.tenant_id = $1 AND u.email = 'owner@acme.test' \
               RETURNING tenant_id, id, created_at) \
             INSERT INTO identity.memberships (tenant_id, user_id, role, created_at, updated_at) \
             SELECT tenant_id, id, 'member', created_at, created_at FROM made",
        )
        .bind(Tenant::Acme.id().as_uuid())
        .bind(kind)
        .bind(status)
        .bind(verified)
        .bind(i32::try_from((SAMPLES + 1) * MEASUREMENTS).unwrap())
        .execute(&mut admin)
        .await
        .unwrap();
    }
    sqlx::query("ANALYZE identity.users")
        .execute(&mut admin)
        .await
        .unwrap();
    for _ in 0..5 {
        let guess = json!({ "email": "owner@acme.test", "password": "a guess", "tenant": "acme" });
        app.anonymous
            .post("/auth/login", guess)
            .await
            .assert_status(401);
    }
    app
}

/// Pitfall 38: status, headers and body of every failure are the same, byte for byte.
#[tokio::test]
async fn every_failed_login_is_answered_with_the_same_bytes() {
    let app = arranged().await;
    let mut answers = Vec::new();
    for class in CLASSES {
        let answer = attempt(&app, class, 0)
            .header("x-request-id", "the-same")
            .await;
        let mut headers: Vec<_> = answer
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect();
        headers.sort();
        answers.push((answer.status, headers, answer.body));
    }
    for (class, answer) in CLASSES.iter().zip(&answers) {
        assert_eq!(answer, &answers[0], "{class}");
    }
    assert_eq!(answers[0].0, 401);
}

/// Pitfalls 35, 36: how long a failed login takes tells nothing of why it failed. The times of each class are compared
/// with those of wrong passwords by the two-sample test of Kolmogorov and Smirnov.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_failed_login_takes_the_same_time() {
    let app = arranged().await;
    let mut suspects: Vec<&str> = CLASSES[1..].to_vec();
    for measurement in 0..MEASUREMENTS {
        let times = measure(&app, measurement).await;
        let of = |class: &str| &times[CLASSES.iter().position(|known| *known == class).unwrap()];
        let wrong = of(CLASSES[0]);
        println!("{:16} median {:6.0} us", CLASSES[0], median(wrong));
        suspects.retain(|class| {
            let (distance, p) = kolmogorov_smirnov(wrong, of(class));
            println!(
                "{class:16} median {:6.0} us, D = {distance:.3}, p = {p:.3}",
                median(of(class))
            );
            p <= SIGNIFICANCE
        });
        if suspects.is_empty() {
            return;
        }
    }
    panic!("these take another time than a wrong password: {suspects:?}");
}

/// Microseconds of each class, measured by turns in a random order.
async fn measure(app: &IdentityApp, measurement: usize) -> Vec<Vec<f64>> {
    let rng = Rng::seeded(17 + measurement as u64);
    let mut times = vec![Vec::new(); CLASSES.len()];
    for n in 0..SAMPLES {
        let mut order: Vec<usize> = (0..CLASSES.len()).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, (rng.unit() * (last + 1) as f64) as usize);
        }
        for class in order {
            let request = attempt(app, CLASSES[class], measurement * SAMPLES + n);
            let began = Instant::now();
            let answer = request.await;
            times[class].push(began.elapsed().as_secs_f64() * 1e6);
            answer.assert_problem(401, "invalid_credentials");
            // What is written down after an answer must not be in the time of the next one.
            while !app.core.tasks.is_empty() {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        }
    }
    times
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// The largest distance of the two empirical distributions, and how probable one at least as large is when they are the
/// same (Press et al., Numerical Recipes, 14.3).
fn kolmogorov_smirnov(a: &[f64], b: &[f64]) -> (f64, f64) {
    let share_below = |times: &[f64], limit: f64| {
        times.iter().filter(|time| **time <= limit).count() as f64 / times.len() as f64
    };
    let distance = a
        .iter()
        .chain(b)
        .map(|limit| (share_below(a, *limit) - share_below(b, *limit)).abs())
        .fold(0.0, f64::max);
    let size = ((a.len() * b.len()) as f64 / (a.len() + b.len()) as f64).sqrt();
    let lambda = (size + 0.12 + 0.11 / size) * distance;
    let p: f64 = (1..=100)
        .map(|k| {
            let k = f64::from(k);
            let sign = if k % 2.0 == 1.0 { 2.0 } else { -2.0 };
            sign * (-2.0 * k * k * lambda * lambda).exp()
        })
        .sum();
    (distance, if lambda < 0.2 { 1.0 } else { p.clamp(0.0, 1.0) })
}

#[test]
fn the_test_tells_distributions_apart_and_equal_ones_not() {
    let rng = Rng::seeded(5);
    let sample = |shift: f64| -> Vec<f64> { (0..SAMPLES).map(|_| rng.unit() + shift).collect() };
    assert!(kolmogorov_smirnov(&sample(0.0), &sample(0.0)).1 > SIGNIFICANCE);
    assert!(kolmogorov_smirnov(&sample(0.0), &sample(0.15)).1 < SIGNIFICANCE);
}
