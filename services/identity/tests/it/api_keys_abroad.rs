//! API keys in a service that is not identity.

use std::time::{Duration, Instant};

use bz_kernel::platform;
use bz_testkit::{Client, TestApp, wait_until};
use chrono::TimeDelta;
use crm::Crm;
use serde_json::json;

use crate::{
    api_keys::{create, path, rotate, with},
    support::{IdentityApp, builder},
};

const PATIENCE: Duration = Duration::from_secs(20);
const PROMISED: Duration = Duration::from_millis(1500);

/// Identity and a CRM that follows it.
async fn platform_of_two() -> (IdentityApp, TestApp<Crm>) {
    let mut identity = builder().start().await;
    identity.start_jobs();
    let url = identity.listen().await;
    let mut crm = TestApp::<Crm>::builder()
        .beside(&identity)
        .sibling(&platform::IDENTITY, &url)
        .start()
        .await;
    crm.start_jobs();
    (identity, crm)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_accepts_keys_and_refuses_them_within_a_second() {
    let (identity, crm) = platform_of_two().await;
    let owner = &identity.acme.owner;
    let key = create(owner, &["leads:read"]).await;
    let program = with(&crm.anonymous, &key);
    let leads = async |client: &Client| client.get("/api/leads").await;
    leads(&program).await.assert_status(200);
    let lead = json!({ "first_name": "Ada" });
    program
        .post("/api/leads", &lead)
        .await
        .assert_problem(403, "forbidden");
    // What the CRM remembers for half a minute is forgotten when the key changes.
    identity.clock.advance(TimeDelta::milliseconds(5));
    owner
        .patch(&path(&key), json!({ "scopes": ["leads:write"] }))
        .await
        .assert_status(200);
    identity.clock.advance(TimeDelta::milliseconds(5));
    wait_until(async || leads(&program).await.status == 403, PATIENCE).await;
    program.post("/api/leads", &lead).await.assert_status(201);
    identity.clock.advance(TimeDelta::milliseconds(5));
    let renewed = rotate(owner, &key).await.assert_status(200).json();
    identity.clock.advance(TimeDelta::milliseconds(5));
    wait_until(async || leads(&program).await.status == 401, PATIENCE).await;
    let program = with(&crm.anonymous, &renewed);
    program.post("/api/leads", &lead).await.assert_status(201);
    identity.clock.advance(TimeDelta::milliseconds(5));
    owner.delete(&path(&key)).await.assert_status(204);
    let deleted = Instant::now();
    wait_until(async || leads(&program).await.status == 401, PATIENCE).await;
    println!("a deleted key was refused after {:?}", deleted.elapsed());
    assert!(deleted.elapsed() < PROMISED, "{:?}", deleted.elapsed());
    let forged = "ak_dev_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    leads(&crm.anonymous.with_token(forged))
        .await
        .assert_problem(401, "unauthenticated");
}
