//! On a server whose transactions have smaller numbers the restored events are neither lost nor repeated.

use serde_json::json;
use sqlx::{Executor, PgConnection};

use crate::backup::{BackupFile, drop_database, further_database};
use crate::support::{Installation, User};

/// What the feed answers behind a position: transaction, sequence and the name of the lead.
async fn feed(conn: &mut PgConnection, position: &str) -> Vec<(String, i64, String)> {
    let (txid, seq) = position.split_once('-').unwrap();
    let sql = format!(
        "SELECT txid::text, seq, (SELECT first_name FROM crm.leads WHERE id::text = data ->> 'id')
         FROM crm.events_after('{txid}', {seq}, 100)"
    );
    sqlx::query_as(&sql).fetch_all(conn).await.unwrap()
}

fn names(events: &[(String, i64, String)]) -> Vec<&str> {
    events.iter().map(|(_, _, name)| name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_keep_their_order_and_readers_their_place() {
    let mut installation = Installation::migrated().await;
    let platform = installation.up().await;
    let user = User::register(&installation.anonymous(), "Ada").await;
    for name in ["one", "two", "three", "four"] {
        user.lead(json!({ "first_name": name })).await;
    }
    user.wait_for_today(&[("leads_created", 4)]).await;
    platform.terminate();
    platform.ended().await;

    // As if written by a server that has run for years; "one" was committed last, and two events have been read.
    let mut admin = installation.database.admin().await;
    admin
        .execute(
            "UPDATE crm.events SET txid = (900000000000 + seq)::text::xid8;
             UPDATE crm.events SET txid = '900000000999' WHERE seq = (SELECT min(seq) FROM crm.events);
             UPDATE analytics.feed_cursors SET cursor =
               (SELECT txid::text || '-' || seq FROM crm.events ORDER BY txid, seq OFFSET 1 LIMIT 1)
             WHERE source = 'crm'",
        )
        .await
        .unwrap();
    assert!(feed(&mut admin, "0-0").await.is_empty(), "of the future");
    let file = BackupFile::new();
    installation.print(&["backup", "--out", file.text()]);
    installation.print(&["restore", "--in", file.text(), "--verify"]);
    let name = further_database(&installation);
    let said = installation.print(&["restore", "--in", file.text(), "--into", &name]);
    assert!(said.contains("4 events were renumbered"), "{said}");

    let mut restored = installation.connect(&name, None).await;
    let all = feed(&mut restored, "0-0").await;
    assert_eq!(names(&all), ["two", "three", "four", "one"]);
    let sql = "SELECT cursor FROM analytics.feed_cursors WHERE source = 'crm'";
    let position: String = sqlx::query_scalar(sql)
        .fetch_one(&mut restored)
        .await
        .unwrap();
    let unread = feed(&mut restored, &position).await;
    assert_eq!(names(&unread), ["four", "one"]);

    // What is written from now on comes behind.
    let url = installation.variable("DATABASE_URL");
    let url = url.replace(installation.database.name(), &name);
    installation.set("DATABASE_URL", &url);
    let platform = installation.up().await;
    user.lead(json!({ "first_name": "five" })).await;
    platform.terminate();
    platform.ended().await;
    let unread = feed(&mut restored, &position).await;
    assert_eq!(names(&unread), ["four", "one", "five"]);
    drop(restored);
    drop_database(&installation, &name).await;
}
