//! How soon a revoked token is refused, here and in another service that follows over HTTP.

use std::time::{Duration, Instant};

use bz_kernel::platform;
use bz_testkit::{Client, Fault, FaultProxy, Role, Tenant, TestApp, redis_url, wait_until};
use chrono::TimeDelta;
use crm::Crm;
use serde_json::{Value, json};
use url::Url;

use crate::support::{IdentityApp, PASSWORD, address, builder, login, refresh, start};

const PATIENCE: Duration = Duration::from_secs(20);
/// A debug build among others on two cores is given a little more than the second that is promised.
const PROMISED: Duration = Duration::from_millis(1500);

/// Identity that listens, and a CRM that follows it, both with their jobs.
struct Platform {
    identity: IdentityApp,
    crm: TestApp<Crm>,
}

impl Platform {
    async fn start(redis: Option<&str>) -> Self {
        let mut identity = match redis {
            Some(url) => builder().redis(url),
            None => builder(),
        }
        .start()
        .await;
        identity.start_jobs();
        let url = identity.listen().await;
        let crm = crm_beside(&identity, &url, redis).await;
        Self { identity, crm }
    }

    /// A new session of acme's member: the way to the CRM, and the answer.
    async fn log_in(&self) -> (Client, Value) {
        self.identity.clock.advance(TimeDelta::milliseconds(5));
        let answer = login(
            &self.identity,
            &address(Tenant::Acme, Role::Member),
            PASSWORD,
        )
        .await;
        let answer = answer.assert_status(200).json();
        let token = answer["access_token"].as_str().unwrap();
        (self.crm.anonymous.with_token(token), answer)
    }

    async fn log_out(&self, session: &Value) {
        let body = json!({ "refresh_token": session["refresh_token"] });
        self.identity
            .anonymous
            .post("/auth/logout", body)
            .await
            .assert_status(204);
    }

    /// Logs in and out several times; how long the CRM took to refuse, the longest.
    async fn slowest(&self, times: usize) -> Duration {
        let mut slowest = Duration::ZERO;
        for _ in 0..times {
            let (client, session) = self.log_in().await;
            leads(&client).await.assert_status(200);
            self.log_out(&session).await;
            let answered = Instant::now();
            wait_until(async || leads(&client).await.status == 401, PATIENCE).await;
            slowest = slowest.max(answered.elapsed());
        }
        slowest
    }
}

async fn crm_beside(identity: &IdentityApp, url: &Url, redis: Option<&str>) -> TestApp<Crm> {
    let builder = TestApp::<Crm>::builder()
        .beside(identity)
        .sibling(&platform::IDENTITY, url);
    let mut crm = match redis {
        Some(url) => builder.redis(url),
        None => builder,
    }
    .start()
    .await;
    crm.start_jobs();
    crm
}

async fn leads(client: &Client) -> bz_testkit::TestResponse {
    client.get("/api/leads").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_is_refused_by_another_service_within_a_second() {
    let platform = Platform::start(Some(&redis_url())).await;
    let slowest = platform.slowest(5).await;
    println!("with redis: refused after {slowest:?} at the latest");
    assert!(slowest < PROMISED, "{slowest:?}");
    let (client, session) = platform.log_in().await;
    platform.log_out(&session).await;
    wait_until(async || leads(&client).await.status == 401, PATIENCE).await;
    let refused = leads(&client).await.assert_problem(401, "unauthenticated");
    assert_eq!(
        refused.header("www-authenticate"),
        Some("Bearer error=\"invalid_token\"")
    );
}

/// Pitfall 62: without Redis revocations come later, by less than a second, and nobody is logged out.
#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_redis_delays_revocations_by_less_than_a_second() {
    let target = redis_url();
    let target = target.trim_start_matches("redis://").trim_end_matches('/');
    let proxy = FaultProxy::start(target.to_owned()).await;
    let url = format!("redis://{}", proxy.address());
    let platform = Platform::start(Some(&url)).await;
    let (bystander, _) = platform.log_in().await;
    platform.slowest(1).await;
    for fault in [Fault::Refuse, Fault::Hang] {
        proxy.set(fault).await;
        let slowest = platform.slowest(4).await;
        println!("with redis in {fault:?}: refused after {slowest:?} at the latest");
        assert!(slowest < PROMISED, "{fault:?}: {slowest:?}");
    }
    leads(&bystander).await.assert_status(200);
}

/// Pitfall 9: a disabled user's access token is refused within a second, and their refresh token at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_whose_tokens_were_revoked_refreshes_and_goes_on_and_a_disabled_one_does_not() {
    let platform = Platform::start(None).await;
    let (client, session) = platform.log_in().await;
    leads(&client).await.assert_status(200);
    revoke_user(&platform.identity, "").await;
    wait_until(async || leads(&client).await.status == 401, PATIENCE).await;
    // A millisecond later is later, although `iat` says the same second.
    platform.identity.clock.advance(TimeDelta::milliseconds(1));
    let again = refresh(&platform.identity, &session["refresh_token"]).await;
    let again = again.assert_status(200).json();
    let fresh = platform
        .crm
        .anonymous
        .with_token(again["access_token"].as_str().unwrap());
    leads(&fresh).await.assert_status(200);

    let disable = "UPDATE identity.users SET status = 'disabled' WHERE email = 'member@acme.test';";
    revoke_user(&platform.identity, disable).await;
    let revoked = Instant::now();
    let refused = refresh(&platform.identity, &again["refresh_token"]).await;
    refused.assert_problem(401, "session_revoked");
    wait_until(async || leads(&fresh).await.status == 401, PATIENCE).await;
    assert!(revoked.elapsed() < PROMISED, "{:?}", revoked.elapsed());
}

/// What the administration of users does: `deed`, and a revocation.
async fn revoke_user(app: &IdentityApp, deed: &str) {
    let (tenant, user) = (Tenant::Acme.id(), Tenant::Acme.user(Role::Member));
    let (id, at) = (app.core.sources.id::<uuid::Uuid>(), app.core.sources.now());
    let sql = format!(
        "{deed} INSERT INTO identity.revocations (tenant_id, id, kind, subject, revoked_at) \
         VALUES ('{tenant}', '{id}', 'user', '{user}', '{at}')",
    );
    let mut admin = app.database.admin().await;
    sqlx::raw_sql(&sql).execute(&mut admin).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_transaction_that_is_still_open_does_not_hold_a_revocation_back() {
    let platform = Platform::start(None).await;
    let mut open = platform.identity.database.admin().await;
    sqlx::raw_sql("BEGIN; SELECT pg_current_xact_id()")
        .execute(&mut open)
        .await
        .unwrap();
    let slowest = platform.slowest(2).await;
    assert!(slowest < PROMISED, "{slowest:?}");
    // One that was open when others were told, and commits later, is told too.
    let (client, _) = platform.log_in().await;
    let (tenant, user) = (Tenant::Acme.id(), Tenant::Acme.user(Role::Member));
    let (id, at) = (
        platform.identity.core.sources.id::<uuid::Uuid>(),
        platform.identity.core.sources.now(),
    );
    let late = format!(
        "INSERT INTO identity.revocations (tenant_id, id, kind, subject, revoked_at) \
         VALUES ('{tenant}', '{id}', 'user', '{user}', '{at}')",
    );
    sqlx::raw_sql(&late).execute(&mut open).await.unwrap();
    platform.identity.clock.advance(TimeDelta::milliseconds(5));
    platform.slowest(1).await;
    leads(&client).await.assert_status(200);
    sqlx::raw_sql("COMMIT").execute(&mut open).await.unwrap();
    wait_until(async || leads(&client).await.status == 401, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_starts_later_knows_what_was_revoked_before() {
    let platform = Platform::start(None).await;
    let (_, session) = platform.log_in().await;
    platform.log_out(&session).await;
    let url = platform.identity.listen().await;
    let late = crm_beside(&platform.identity, &url, None).await;
    let client = late
        .anonymous
        .with_token(session["access_token"].as_str().unwrap());
    wait_until(async || leads(&client).await.status == 401, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_identity_is_away_what_was_revoked_stays_revoked_and_others_go_on() {
    let platform = Platform::start(None).await;
    let proxied = FaultProxy::start(platform.identity.listen().await.authority().to_owned()).await;
    let url: Url = format!("http://{}", proxied.address()).parse().unwrap();
    let crm = crm_beside(&platform.identity, &url, None).await;
    let client = |session: &Value| {
        crm.anonymous
            .with_token(session["access_token"].as_str().unwrap())
    };
    let ((_, ended), (_, good), (_, later)) = (
        platform.log_in().await,
        platform.log_in().await,
        platform.log_in().await,
    );
    platform.log_out(&ended).await;
    wait_until(
        async || leads(&client(&ended)).await.status == 401,
        PATIENCE,
    )
    .await;
    proxied.set(Fault::Refuse).await;
    platform.log_out(&later).await;
    leads(&client(&ended)).await.assert_status(401);
    leads(&client(&good)).await.assert_status(200);
    leads(&client(&later)).await.assert_status(200);
    proxied.set(Fault::Pass).await;
    wait_until(
        async || leads(&client(&later)).await.status == 401,
        PATIENCE,
    )
    .await;
    leads(&client(&good)).await.assert_status(200);
}

#[tokio::test]
async fn the_feed_is_for_services_and_tells_each_revocation_once() {
    let app = start().await;
    let service = app
        .anonymous
        .with_token(app.tokens.service("crm", "events:read"));
    let first = service
        .get("/internal/revocations")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&first["items"], &first["floor"]),
        (&json!([]), &Value::Null)
    );
    revoke_user(&app, "").await;
    let after = async |position: &Value| {
        let path = format!("/internal/revocations?after={}", position.as_str().unwrap());
        service.get(&path).await.assert_status(200).json()
    };
    let second = after(&first["next"]).await;
    let item = json!({
        "kind": "user", "tenant_id": Tenant::Acme.id(), "subject": Tenant::Acme.user(Role::Member),
        "at": app.core.sources.now().timestamp_millis(),
    });
    assert_eq!(second["items"], json!([item]));
    assert_eq!(after(&second["next"]).await["items"], json!([]));
    assert_eq!(after(&first["next"]).await["items"], json!([item]));
    // After an hour no token from before can still be alive.
    app.clock.advance(TimeDelta::minutes(62));
    let late = app
        .anonymous
        .with_token(app.tokens.service("crm", "events:read"));
    let all = late
        .get("/internal/revocations")
        .await
        .assert_status(200)
        .json();
    assert_eq!(all["items"], json!([]));
}

#[tokio::test]
async fn the_feed_is_not_for_people_and_knows_its_positions() {
    let app = start().await;
    let path = "/internal/revocations";
    app.acme
        .owner
        .get(path)
        .await
        .assert_problem(403, "forbidden");
    app.anonymous
        .get(path)
        .await
        .assert_problem(401, "unauthenticated");
    let service = app
        .anonymous
        .with_token(app.tokens.service("crm", "events:read"));
    for wrong in [
        "?after=x",
        "?after=5:1:",
        "?after=1:5:9",
        "?after=",
        "?before=1:1:",
    ] {
        service
            .get(&format!("{path}{wrong}"))
            .await
            .assert_problem(422, "validation_failed");
    }
}

/// Pitfall 65: revocations that no token can be under any more go in batches.
#[tokio::test]
async fn old_revocations_of_all_tenants_go_in_batches() {
    let app = start().await;
    for _ in 0..3 {
        revoke_user(&app, "").await;
    }
    app.clock.advance(TimeDelta::hours(3));
    revoke_user(&app, "").await;
    let purge = async |batch: i32| {
        let mut tx = app.db().system().await.unwrap();
        let before = app.core.sources.now() - TimeDelta::hours(2);
        let deleted: i64 = sqlx::query_scalar("SELECT identity.purge_revocations($1, $2)")
            .bind(before)
            .bind(batch)
            .fetch_one(tx.conn())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        deleted
    };
    assert_eq!((purge(2).await, purge(2).await, purge(2).await), (2, 1, 0));
}
