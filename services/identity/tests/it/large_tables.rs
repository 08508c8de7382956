//! Tables that have grown: what requests and jobs ask of them is answered from an index.

use std::time::{Duration, Instant};

use bz_testkit::{NOW, Role, Tenant};
use chrono::TimeDelta;
use sqlx::query_scalar;

use crate::support::{IdentityApp, start};

/// Two tenants' worth each.
const ROWS: i32 = 100_000;
/// What one batch of a job may take, on a machine that does other things as well.
const BATCH_TIME: Duration = Duration::from_secs(1);

/// 200,000 sessions with a refresh token each, and as many entries of the audit log. One session in a hundred has ended, one
/// in two hundred was ended.
async fn fill(app: &IdentityApp) {
    let mut admin = app.database.admin().await;
    // Rows that fit need no check of each.
    let unchecked = "SET session_replication_role = replica";
    sqlx::query(unchecked).execute(&mut admin).await.unwrap();
    let tenants = [app.acme.id().as_uuid(), app.globex.id().as_uuid()];
    let users = [Tenant::Acme, Tenant::Globex].map(|tenant| tenant.user(Role::Member).as_uuid());
    let sessions = "INSERT INTO identity.sessions (tenant_id, id, user_id, client_id, auth_time, last_used_at, expires_at, \
                      revoked_at, revoked_reason) \
                    SELECT t, md5(t::text || n)::uuid, u, 'web', $3, $3, \
                      $3 + CASE WHEN n % 100 = 0 THEN interval '-30 days' ELSE n * interval '1 minute' END, \
                      CASE WHEN n % 200 = 1 THEN $3 - interval '20 days' END, CASE WHEN n % 200 = 1 THEN 'logout' END \
                    FROM unnest($1::uuid[], $2::uuid[]) AS owners(t, u), generate_series(1, $4) AS n";
    let sessions = sqlx::query(sessions)
        .bind(tenants.as_slice())
        .bind(users.as_slice());
    sessions
        .bind(NOW)
        .bind(ROWS)
        .execute(&mut admin)
        .await
        .unwrap();
    let tokens = "INSERT INTO identity.refresh_tokens (tenant_id, session_id, generation, secret_hash, created_at, expires_at) \
                  SELECT tenant_id, id, 1, sha256(''), auth_time, expires_at FROM identity.sessions WHERE client_id = 'web'";
    sqlx::query(tokens).execute(&mut admin).await.unwrap();
    let entries = "INSERT INTO identity.audit_log \
                   SELECT t, n, gen_random_uuid(), $2 + n * interval '1 second', 'user', md5((n % 5000)::text)::uuid, NULL, \
                     'test.' || n % 500, 'user', md5((n % 7000)::text)::uuid, NULL, NULL, NULL, 'success', '{}', sha256(''), \
                     sha256('') \
                   FROM unnest($1::uuid[]) AS t, generate_series(1, $3) AS n";
    let entries = sqlx::query(entries)
        .bind(tenants.as_slice())
        .bind(NOW)
        .bind(ROWS);
    entries.execute(&mut admin).await.unwrap();
    for table in ["sessions", "refresh_tokens", "audit_log"] {
        let analyze = format!("ANALYZE identity.{table}");
        sqlx::query(&analyze).execute(&mut admin).await.unwrap();
    }
}

fn assert_uses(plan: &[String], indexes: &[&str], what: &str) {
    let plan = plan.join("\n");
    let all = indexes.iter().all(|index| plan.contains(index));
    assert!(all && !plan.contains("Seq Scan"), "{what}\n{plan}");
}

/// Pitfalls 65, 66: at 200,000 rows no statement of a request reads a whole table, nor one of the list or the chain.
#[tokio::test]
async fn requests_find_their_rows_among_two_hundred_thousand_by_an_index() {
    let app = start().await;
    fill(&app).await;
    let id = "'00000000-0000-7000-8000-000000000000'";
    let user = format!("'{}'", Tenant::Acme.user(Role::Viewer));
    let mut tx = app.db().tenant(&Tenant::Acme.scope()).await.unwrap();
    for (sql, index) in [
        (format!("SELECT * FROM identity.sessions WHERE id = {id} FOR UPDATE"), "sessions_pkey"),
        (
            format!("SELECT id FROM identity.sessions WHERE user_id = {user} AND revoked_at IS NULL ORDER BY id DESC LIMIT 21"),
            "sessions_",
        ),
        (
            format!("UPDATE identity.sessions SET revoked_at = now(), revoked_reason = 'logout' WHERE user_id = {user} AND revoked_at IS NULL"),
            "sessions_user_idx",
        ),
        (
            format!("SELECT * FROM identity.refresh_tokens WHERE session_id = {id} AND generation = 7"),
            "refresh_tokens_pkey",
        ),
        (
            format!("UPDATE identity.refresh_tokens SET used_at = now() WHERE session_id = {id} AND generation = 7"),
            "refresh_tokens_pkey",
        ),
        ("SELECT * FROM identity.audit_log ORDER BY seq DESC LIMIT 21".to_owned(), "audit_log_pkey"),
        (format!("SELECT * FROM identity.audit_log WHERE actor_id = {id} ORDER BY seq DESC LIMIT 21"), "audit_log_actor_idx"),
        (format!("SELECT * FROM identity.audit_log WHERE target_id = {id} ORDER BY seq DESC LIMIT 21"), "audit_log_target_idx"),
        (
            "SELECT * FROM identity.audit_log WHERE action = 'test.7' AND seq < 90000 ORDER BY seq DESC LIMIT 21".to_owned(),
            "audit_log_action_idx",
        ),
        (
            "SELECT * FROM identity.audit_log WHERE at >= '2001-01-01' AND at < '2001-01-02' ORDER BY seq DESC LIMIT 21".to_owned(),
            "audit_log_at_idx",
        ),
        (
            "SELECT * FROM identity.audit_log WHERE seq > 90000 AND seq <= 95000 ORDER BY seq LIMIT 1000".to_owned(),
            "audit_log_pkey",
        ),
    ] {
        let explain = format!("EXPLAIN {sql}");
        let plan: Vec<String> = query_scalar(&explain).fetch_all(tx.conn()).await.unwrap();
        assert_uses(&plan, &[index], &sql);
    }
}

/// Pitfalls 65, 66: the job that deletes ended sessions finds them by index in all tenants, ends when there are none, and takes
/// less than a second for a batch.
#[tokio::test]
async fn retention_finds_what_has_ended_among_two_hundred_thousand_by_an_index() {
    let app = start().await;
    fill(&app).await;
    let before = NOW - TimeDelta::days(7);
    let mut admin = app.database.admin().await;
    for (sql, indexes) in [
        (
            "EXPLAIN SELECT tenant_id, id FROM identity.sessions WHERE expires_at < $1 OR revoked_at < $1 LIMIT 2000",
            &["sessions_expiry_idx", "sessions_revoked_idx"][..],
        ),
        (
            "EXPLAIN SELECT tenant_id, session_id FROM identity.refresh_tokens WHERE expires_at < $1 LIMIT 2000",
            &["refresh_tokens_expiry_idx"],
        ),
    ] {
        let sql = sql.replace("$1", &format!("'{}'::timestamptz", before.to_rfc3339()));
        let plan: Vec<String> = query_scalar(&sql).fetch_all(&mut admin).await.unwrap();
        assert_uses(&plan, indexes, &sql);
    }
    let mut purged = Vec::new();
    let mut longest = Duration::ZERO;
    loop {
        let mut tx = app.db().system().await.unwrap();
        let started = Instant::now();
        let purge = query_scalar("SELECT identity.purge_expired($1, 500)").bind(before);
        let gone: i64 = purge.fetch_one(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();
        longest = longest.max(started.elapsed());
        purged.push(gone);
        if gone == 0 {
            break;
        }
    }
    println!(
        "{} batches of 500, the longest took {longest:?}",
        purged.len()
    );
    assert!(longest < BATCH_TIME, "{longest:?}");
    let left: i64 = query_scalar("SELECT count(*) FROM identity.sessions WHERE client_id = 'web'")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    // One in a hundred had expired, one in two hundred had been ended.
    assert_eq!(left, i64::from(2 * (ROWS - ROWS / 100 - ROWS / 200)));
    assert!(purged.len() > 2, "{purged:?}");
}
