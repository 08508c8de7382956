use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bz_kernel::platform::CRM;
use bz_testkit::wait_until;
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Api, Installation, User};

const WRITERS: usize = 10;
const ROUNDS: usize = 3;
/// The kill comes after so many acknowledged writes of a round.
const ANSWERS: usize = 100;

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_there_once_and_nothing_is_half_done() {
    let installation = Installation::migrated().await;
    let mut platform = installation.up().await;
    let user = User::register(&installation.anonymous(), "Ada").await;
    let (mut acknowledged, mut attempted) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..ROUNDS {
        let mut writers = JoinSet::new();
        let answers = Arc::new(AtomicUsize::new(0));
        for writer in 0..WRITERS {
            writers.spawn(write_until_it_dies(
                user.api.on_own_connections(true),
                format!("round-{round}-writer-{writer}"),
                Arc::clone(&answers),
            ));
        }
        let enough = async || answers.load(Ordering::Relaxed) >= ANSWERS;
        wait_until(enough, Duration::from_secs(10)).await;
        platform.kill().await;
        while let Some(ended) = writers.join_next().await {
            let (sent, answered) = ended.unwrap();
            attempted.extend(sent);
            acknowledged.extend(answered);
        }

        platform = installation.up().await;
        nothing_is_half_done(&installation, &acknowledged, &attempted).await;
    }
    // The requests nobody had an answer to are sent again, and all is there once.
    for (key, _) in attempted.difference(&keys(&acknowledged)) {
        create(&user.api, key).await.unwrap();
    }
    let leads = i64::try_from(attempted.len()).unwrap();
    assert_eq!(leads_and_events(&installation).await, (leads, leads));
    user.wait_for_today(&[("leads_created", leads)]).await;
}

/// An `Idempotency-Key`, and the id of the lead that was acknowledged under it.
type Write = (String, String);

fn keys(writes: &BTreeSet<Write>) -> BTreeSet<Write> {
    let key = |(key, _): &Write| (key.clone(), String::new());
    writes.iter().map(key).collect()
}

/// Creates leads one after the other until the server is gone. Answers the keys sent, and those answered with the ids.
async fn write_until_it_dies(
    api: Api,
    name: String,
    answers: Arc<AtomicUsize>,
) -> (Vec<Write>, Vec<Write>) {
    let (mut sent, mut acknowledged) = (Vec::new(), Vec::new());
    for n in 0.. {
        let key = format!("{name}-{n}");
        sent.push((key.clone(), String::new()));
        match create(&api, &key).await {
            Ok(id) => {
                acknowledged.push((key, id));
                answers.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => break,
        }
    }
    (sent, acknowledged)
}

async fn create(api: &Api, key: &str) -> reqwest::Result<String> {
    let response = api
        .request(Method::POST, &CRM, "/api/leads")
        .header("idempotency-key", key)
        .json(&json!({ "company_name": key }))
        .send()
        .await?;
    assert_eq!(response.status(), 201);
    let lead: serde_json::Value = response.json().await?;
    Ok(lead["id"].as_str().unwrap().to_owned())
}

/// Leads, and events that a lead was created.
async fn leads_and_events(installation: &Installation) -> (i64, i64) {
    let sql = "SELECT (SELECT count(*) FROM crm.leads),
                      (SELECT count(DISTINCT data ->> 'id') FROM crm.events WHERE kind = 'lead.created')";
    let mut admin = installation.database.admin().await;
    sqlx::query_as(sql).fetch_one(&mut admin).await.unwrap()
}

/// Every acknowledged lead is there; each lead has one event and one answered key, and those have their lead.
async fn nothing_is_half_done(
    installation: &Installation,
    acknowledged: &BTreeSet<Write>,
    attempted: &BTreeSet<Write>,
) {
    let mut admin = installation.database.admin().await;
    let stored: Vec<Write> = sqlx::query_as("SELECT company_name, id::text FROM crm.leads")
        .fetch_all(&mut admin)
        .await
        .unwrap();
    let leads: BTreeSet<Write> = stored.iter().cloned().collect();
    assert_eq!(keys(&leads).len(), stored.len(), "no lead is there twice");
    assert!(
        acknowledged.is_subset(&leads),
        "no acknowledged lead is lost"
    );
    assert!(
        keys(&leads).is_subset(attempted),
        "no lead came from nowhere"
    );

    let events: Vec<String> =
        sqlx::query_scalar("SELECT data ->> 'id' FROM crm.events WHERE kind = 'lead.created'")
            .fetch_all(&mut admin)
            .await
            .unwrap();
    let ids: BTreeSet<String> = leads.iter().map(|(_, id)| id.clone()).collect();
    assert_eq!(events.len(), ids.len());
    assert_eq!(events.into_iter().collect::<BTreeSet<_>>(), ids);

    let answered: Vec<(String, bool)> =
        sqlx::query_as("SELECT key, status = 201 FROM crm.idempotency_keys")
            .fetch_all(&mut admin)
            .await
            .unwrap();
    assert!(answered.iter().all(|(_, answered)| *answered));
    let answered: BTreeSet<Write> = answered
        .into_iter()
        .map(|(key, _)| (key, String::new()))
        .collect();
    assert_eq!(answered, keys(&leads));
}
