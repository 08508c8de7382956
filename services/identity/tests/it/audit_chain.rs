//! The audit log's chain: that it has no gaps, and that whoever owns the database cannot change it unseen.

use aws_lc_rs::digest::{SHA256, digest};
use bz_testkit::{Tenant, wait_until};
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{Executor, PgConnection, query_scalar};
use tokio::task::JoinSet;

use crate::{
    audit::append,
    support::{IdentityApp, start},
};

/// The database as whoever owns the tables of the schema reaches it.
async fn as_owner(app: &IdentityApp) -> PgConnection {
    let mut owner = app.database.admin().await;
    let tenant = Tenant::Acme.id();
    let sql = format!("SET ROLE identity_owner; SET app.tenant_id = '{tenant}'");
    owner.execute(&*sql).await.unwrap();
    owner
}

async fn verify(app: &IdentityApp) -> Value {
    let answer = app.acme.owner.get("/api/audit-log/verify").await;
    answer.assert_status(200).json()
}

pub(crate) async fn with_entries(count: usize) -> IdentityApp {
    let app = start().await;
    for n in 0..count {
        append(
            &app.core,
            Tenant::Acme,
            "test.done",
            &json!({ "n": n, "ä": "\u{1}\n\"" }),
        )
        .await;
    }
    app
}

#[tokio::test]
async fn a_log_that_nobody_touched_is_intact_and_so_is_an_empty_one() {
    let app = start().await;
    let expected = |entries: i64| json!({ "intact": true, "verified": entries, "last_seq": entries, "broken": null, "next_after": null });
    assert_eq!(verify(&app).await, expected(0));
    for n in 0..3 {
        append(&app.core, Tenant::Acme, "test.done", &json!({ "n": n })).await;
    }
    assert_eq!(verify(&app).await, expected(3));
    let rest = app
        .acme
        .owner
        .get("/api/audit-log/verify?after=2")
        .await
        .json();
    assert_eq!(
        (&rest["intact"], &rest["verified"]),
        (&json!(true), &json!(1))
    );
    let beyond = app
        .acme
        .owner
        .get("/api/audit-log/verify?after=9")
        .await
        .json();
    assert_eq!(
        (&beyond["intact"], &beyond["verified"]),
        (&json!(true), &json!(0))
    );
}

/// Pitfall 59: what the owner of the tables changes, deletes or forges is found, with the first number where it shows.
#[tokio::test]
async fn what_the_owner_changes_is_found_at_its_number() {
    let rehash =
        "UPDATE identity.audit_log SET action = 'test.other', hash = sha256('x') WHERE seq = 4";
    let deeds = [
        (
            "UPDATE identity.audit_log SET action = 'test.other' WHERE seq = 4",
            4,
            "changed",
        ),
        (
            "UPDATE identity.audit_log SET changes = '{\"n\": 9}' WHERE seq = 2",
            2,
            "changed",
        ),
        (
            "UPDATE identity.audit_log SET changes = 'no JSON' WHERE seq = 2",
            2,
            "changed",
        ),
        (
            "UPDATE identity.audit_log SET at = at + interval '1 us' WHERE seq = 6",
            6,
            "changed",
        ),
        (rehash, 4, "changed"),
        ("DELETE FROM identity.audit_log WHERE seq = 3", 3, "missing"),
        (
            "DELETE FROM identity.audit_log WHERE seq <= 2",
            1,
            "missing",
        ),
        (
            "DELETE FROM identity.audit_log WHERE seq >= 5",
            5,
            "missing",
        ),
        ("DELETE FROM identity.audit_log", 1, "missing"),
        (
            "UPDATE identity.audit_heads SET hash = sha256('x')",
            6,
            "head",
        ),
        ("UPDATE identity.audit_heads SET seq = 9", 7, "missing"),
        ("DELETE FROM identity.audit_heads", 1, "head"),
        (
            "UPDATE identity.audit_heads AS h SET seq = l.seq, hash = l.hash FROM identity.audit_log AS l WHERE l.seq = 4",
            5,
            "head",
        ),
    ];
    let app = with_entries(6).await;
    for (deed, seq, fault) in deeds {
        let mut owner = as_owner(&app).await;
        owner
            .execute("CREATE TABLE identity.kept_log AS TABLE identity.audit_log")
            .await
            .unwrap();
        owner
            .execute("CREATE TABLE identity.kept_heads AS TABLE identity.audit_heads")
            .await
            .unwrap();
        assert_eq!(verify(&app).await["intact"], true);
        let done = owner.execute(deed).await.unwrap();
        assert!(done.rows_affected() > 0, "{deed}");
        let found = verify(&app).await;
        assert_eq!(
            found["broken"],
            json!({ "seq": seq, "fault": fault }),
            "{deed}"
        );
        assert_eq!(found["intact"], false);
        owner
            .execute(
                "DELETE FROM identity.audit_log; DELETE FROM identity.audit_heads; \
                 INSERT INTO identity.audit_log TABLE identity.kept_log; \
                 INSERT INTO identity.audit_heads TABLE identity.kept_heads; \
                 DROP TABLE identity.kept_log, identity.kept_heads",
            )
            .await
            .unwrap();
    }
}

/// An entry that was written anew with the right hash of its content, by somebody who knows the canonical form.
#[tokio::test]
async fn an_entry_that_was_written_anew_does_not_fit_the_one_behind_it() {
    let app = with_entries(6).await;
    let mut owner = as_owner(&app).await;
    let forged = "{\"forged\":true}";
    owner
        .execute(&*format!(
            "UPDATE identity.audit_log SET changes = '{forged}' WHERE seq = 3"
        ))
        .await
        .unwrap();
    let page = app.acme.owner.get("/api/audit-log?limit=100").await.json();
    let entry = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["seq"] == 3);
    let hash = hash_of(entry.unwrap());
    owner
        .execute(&*format!(
            "UPDATE identity.audit_log SET hash = decode('{hash}', 'hex') WHERE seq = 3"
        ))
        .await
        .unwrap();
    assert_eq!(
        verify(&app).await["broken"],
        json!({ "seq": 4, "fault": "unlinked" })
    );
}

/// Pitfall 59: a tail that was cut off together with the head does not fit the day's anchor, which the owner of the
/// tables cannot make.
#[tokio::test]
async fn a_tail_that_was_cut_off_with_its_head_does_not_fit_the_anchor() {
    let mut app = with_entries(6).await;
    let mut admin = app.database.admin().await;
    app.start_jobs();
    let anchored = async |count: i64| {
        let mut admin = app.database.admin().await;
        let anchors = "SELECT count(*) FROM identity.audit_anchors";
        wait_until(
            async || {
                query_scalar::<_, i64>(anchors)
                    .fetch_one(&mut admin)
                    .await
                    .unwrap()
                    == count
            },
            std::time::Duration::from_secs(10),
        )
        .await;
    };
    anchored(1).await;
    app.stop_jobs().await;
    assert_eq!(verify(&app).await["intact"], true);

    let cut = "DELETE FROM identity.audit_log WHERE seq > 4; \
               UPDATE identity.audit_heads AS h SET seq = l.seq, hash = l.hash FROM identity.audit_log AS l WHERE l.seq = 4";
    as_owner(&app).await.execute(cut).await.unwrap();
    assert_eq!(
        verify(&app).await["broken"],
        json!({ "seq": 5, "fault": "anchor" })
    );
    // The log grows on over the place that was cut: the entry is there, but is not the one that was anchored.
    for _ in 0..3 {
        append(&app.core, Tenant::Acme, "test.done", &json!({ "n": 0 })).await;
    }
    assert_eq!(
        verify(&app).await["broken"],
        json!({ "seq": 6, "fault": "anchor" })
    );
    // An anchor that fits, made without the platform's secret.
    let forge = "UPDATE identity.audit_anchors AS a SET hash = l.hash FROM identity.audit_log AS l WHERE l.seq = a.seq";
    admin.execute(forge).await.unwrap();
    assert_eq!(
        verify(&app).await["broken"],
        json!({ "seq": 6, "fault": "anchor" })
    );
}

#[tokio::test]
async fn a_log_that_grows_is_anchored_once_a_day() {
    let app = with_entries(1).await;
    append(&app.core, Tenant::Globex, "test.done", &json!({})).await;
    let mut admin = app.database.admin().await;
    let mut counts = Vec::new();
    for hours in [0, 1, 24, 48] {
        app.clock.advance(TimeDelta::hours(hours));
        append(&app.core, Tenant::Acme, "test.done", &json!({})).await;
        let mut app = IdentityApp::builder().beside(&app).start().await;
        app.start_jobs();
        let unanchored = "SELECT count(*) FROM identity.audit_heads_to_anchor($1, $2, 100)";
        let since = app.core.sources.now() - TimeDelta::days(1);
        let db = app.db().clone();
        wait_until(
            async || {
                let mut tx = db.system().await.unwrap();
                let left: i64 = query_scalar(unanchored)
                    .bind(since)
                    .bind(uuid::Uuid::nil())
                    .fetch_one(tx.conn())
                    .await
                    .unwrap();
                left == 0
            },
            std::time::Duration::from_secs(10),
        )
        .await;
        app.stop_jobs().await;
        let count: i64 = query_scalar("SELECT count(*) FROM identity.audit_anchors")
            .fetch_one(&mut admin)
            .await
            .unwrap();
        counts.push(count);
    }
    assert_eq!(counts, [2, 2, 3, 4], "globex' log did not grow");
}

/// Pitfalls 21, 26, 59: the role that pods hold reads the log and appends through one function, which leads to no other
/// tenant and does not work without one; it can do nothing else.
#[tokio::test]
async fn the_role_of_the_service_cannot_write_to_the_log() {
    let app = with_entries(2).await;
    for deed in [
        "INSERT INTO identity.audit_log SELECT * FROM identity.audit_log WHERE seq = 1",
        "UPDATE identity.audit_log SET action = 'x'",
        "DELETE FROM identity.audit_log",
        "TRUNCATE identity.audit_log",
        "INSERT INTO identity.audit_heads (seq, hash) VALUES (1, sha256(''))",
        "UPDATE identity.audit_heads SET seq = 1",
        "DELETE FROM identity.audit_heads",
        "TRUNCATE identity.audit_heads",
        "UPDATE identity.audit_anchors SET seq = 1",
        "DELETE FROM identity.audit_anchors",
        "TRUNCATE identity.audit_anchors",
    ] {
        let mut tx = app.db().tenant(&Tenant::Acme.scope()).await.unwrap();
        let refused = tx.conn().execute(deed).await.unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{deed}: {refused}");
    }
    let mut tx = app.db().system().await.unwrap();
    let sql = "SELECT identity.audit_append(gen_random_uuid(), now(), 'system', NULL, NULL, 'x', NULL, NULL, NULL, NULL, \
               NULL, 'success', '{}')";
    assert!(tx.conn().execute(sql).await.is_err());
    assert_eq!(verify(&app).await["last_seq"], 2);
}

#[tokio::test]
async fn entries_that_are_written_at_once_take_turns_and_a_rollback_leaves_no_gap() {
    let app = start().await;
    let mut writers = JoinSet::new();
    for n in 0..40 {
        let core = app.core.clone();
        writers.spawn(async move {
            if n % 4 == 0 {
                let mut tx = core.db.tenant(&Tenant::Acme.scope()).await.unwrap();
                let sql = "SELECT identity.audit_append(gen_random_uuid(), now(), 'system', NULL, NULL, 'x', NULL, NULL, \
                           NULL, NULL, NULL, 'success', '{}')";
                tx.conn().execute(sql).await.unwrap();
                drop(tx);
            } else {
                append(&core, Tenant::Acme, "test.done", &json!({ "n": n })).await;
            }
        });
    }
    writers.join_all().await;
    let found = verify(&app).await;
    assert_eq!(
        (&found["intact"], &found["last_seq"]),
        (&json!(true), &json!(30))
    );
}

/// The hash that an entry must have.
pub(crate) fn hash_of(entry: &Value) -> String {
    let mut entry = entry.clone();
    entry.as_object_mut().unwrap().remove("hash");
    hex::encode(digest(&SHA256, entry.to_string().as_bytes()))
}
