//! Ten thousand refreshes of a hundred sessions at once, with duplicates and thefts.

use std::{collections::HashSet, time::Instant};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_kernel::Rng;
use bz_testkit::{Client, Role, Tenant};
use serde_json::json;
use uuid::Uuid;

use crate::support::{IdentityApp, start};

const SESSIONS: usize = 100;
const REQUESTS: usize = 125;
/// The most that one token is sent at the same time.
const MOST_DUPLICATES: usize = 4;

/// A session as a login leaves it, without the cost of hashing a password; answers its first refresh token.
pub(crate) async fn session(app: &IdentityApp, role: Role) -> (Uuid, String) {
    let (id, secret) = (
        app.core.sources.id::<Uuid>(),
        app.core.sources.rng.bytes::<32>(),
    );
    let (tenant, user) = (
        Tenant::Acme.id().as_uuid(),
        Tenant::Acme.user(role).as_uuid(),
    );
    sqlx::query(
        "WITH session AS ( \
           INSERT INTO identity.sessions (tenant_id, id, user_id, client_id, auth_time, last_used_at, expires_at) \
           VALUES ($1, $2, $3, 'web', $4, $4, $4 + interval '30 days')) \
         INSERT INTO identity.refresh_tokens (tenant_id, session_id, generation, secret_hash, created_at, expires_at) \
         VALUES ($1, $2, 1, $5, $4, $4 + interval '14 days')",
    )
    .bind(tenant)
    .bind(id)
    .bind(user)
    .bind(app.core.sources.now())
    .bind(digest(&SHA256, &secret).as_ref())
    .execute(&mut app.database.admin().await)
    .await
    .unwrap();
    let head = [&tenant.as_bytes()[..], id.as_bytes(), &1_i32.to_be_bytes()].concat();
    let (head, secret) = (URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(secret));
    (id, format!("rt1.{head}.{secret}"))
}

async fn send(client: &Client, token: &str) -> (u16, String) {
    let answer = client
        .post("/auth/refresh", json!({ "refresh_token": token }))
        .await;
    let body = answer.json();
    let text = body["refresh_token"].as_str().or(body["code"].as_str());
    (answer.status.as_u16(), text.unwrap_or_default().to_owned())
}

/// What became of one session's client.
struct Outcome {
    sent: usize,
    stolen: bool,
}

/// Refreshes with random duplicates until all requests are used up. In one session of five a token is used again after
/// its successor was, at a random moment: from then on nothing may work.
async fn client(client: Client, first: String, seed: u64) -> Outcome {
    let rng = Rng::seeded(seed);
    let below = |n: usize| (rng.unit() * n as f64) as usize;
    let stolen = seed.is_multiple_of(5);
    let theft_at = 10 + below(REQUESTS - 20);
    let (mut token, mut before, mut sent) = (first, Vec::<String>::new(), 0);
    while sent < REQUESTS {
        if stolen && sent >= theft_at && before.len() >= 2 {
            let (status, code) = send(&client, &before[below(before.len() - 1)]).await;
            assert_eq!((status, code.as_str()), (401, "refresh_token_reused"));
            let (status, code) = send(&client, &token).await;
            assert_eq!((status, code.as_str()), (401, "session_revoked"));
            return Outcome {
                sent: sent + 2,
                stolen,
            };
        }
        let copies = (1 + below(MOST_DUPLICATES)).min(REQUESTS - sent);
        let answers = (0..copies).map(|_| {
            let (client, token) = (client.clone(), token.clone());
            tokio::spawn(async move { send(&client, &token).await })
        });
        let mut successors = HashSet::new();
        for answer in answers.collect::<Vec<_>>() {
            let (status, successor) = answer.await.unwrap();
            assert_eq!(status, 200, "a duplicate inside the window: {successor}");
            successors.insert(successor);
        }
        assert_eq!(successors.len(), 1, "a fork");
        sent += copies;
        before.push(std::mem::replace(
            &mut token,
            successors.into_iter().next().unwrap(),
        ));
    }
    Outcome { sent, stolen }
}

/// Pitfalls 6, 7: one live chain for each session, no family dies inside the window, each dies at a real reuse.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_refreshes_of_a_hundred_sessions_leave_one_living_chain_each() {
    let app = start().await;
    let (mut ids, mut tasks) = (Vec::new(), Vec::new());
    for seed in 0..SESSIONS {
        let (id, token) = session(&app, Role::ALL[seed % 4]).await;
        ids.push(id);
        tasks.push((app.anonymous.clone(), token, seed as u64));
    }
    let started = Instant::now();
    let running: Vec<_> = tasks
        .into_iter()
        .map(|(caller, token, seed)| tokio::spawn(client(caller, token, seed)))
        .collect();
    let (mut sent, mut stolen) = (0, HashSet::new());
    for (id, running) in ids.iter().zip(running) {
        let outcome = running.await.unwrap();
        sent += outcome.sent;
        if outcome.stolen {
            stolen.insert(*id);
        }
    }
    println!(
        "{sent} refreshes of {SESSIONS} sessions in {:?}, {} stolen",
        started.elapsed(),
        stolen.len()
    );
    let rows: Vec<(Uuid, Option<String>, i64, bool)> = sqlx::query_as(
        "SELECT s.id, s.revoked_reason, count(*) FILTER (WHERE t.used_at IS NULL), \
           max(t.generation) = max(t.generation) FILTER (WHERE t.used_at IS NULL) \
             AND max(t.generation) = count(*) AND min(t.generation) = 1 \
         FROM identity.sessions s \
         JOIN identity.refresh_tokens t ON t.tenant_id = s.tenant_id AND t.session_id = s.id GROUP BY s.tenant_id, s.id",
    )
    .fetch_all(&mut app.database.admin().await)
    .await
    .unwrap();
    assert_eq!(rows.len(), SESSIONS);
    for (id, reason, unused, last_and_no_gap) in rows {
        let expected = stolen.contains(&id).then_some("refresh_reuse");
        assert_eq!(reason.as_deref(), expected, "session {id}");
        assert_eq!((unused, last_and_no_gap), (1, true), "session {id}");
    }
    let told: (i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM identity.audit_log WHERE action = 'session.refresh_reuse_detected'), \
                (SELECT count(*) FROM identity.revocations WHERE kind = 'session'), \
                (SELECT count(*) FROM identity.events WHERE kind = 'session.revoked')",
    )
    .fetch_one(&mut app.database.admin().await)
    .await
    .unwrap();
    let expected = i64::try_from(stolen.len()).unwrap();
    assert_eq!(told, (expected, expected, expected));
}
