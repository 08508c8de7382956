//! The audit log as a file.

use std::{collections::BTreeSet, process::Stdio};

use bz_testkit::wait_until;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::audit_chain::{hash_of, with_entries};

#[tokio::test]
async fn an_export_is_complete_and_verifies_by_itself() {
    let app = with_entries(1201).await;
    let answer = app
        .acme
        .owner
        .get("/api/audit-log/export")
        .await
        .assert_status(200);
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let mut previous = "0".repeat(64);
    let mut seqs = BTreeSet::new();
    for line in answer.text().lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        assert_eq!(entry["prev_hash"], previous);
        previous = hash_of(&entry);
        assert_eq!(entry["hash"], previous);
        seqs.insert(entry["seq"].as_i64().unwrap());
    }
    assert_eq!(seqs, (1..=1202).collect(), "the export is the last entry");
    verified_by_python(answer.text()).await;

    let filtered = app
        .acme
        .owner
        .get("/api/audit-log/export?action=audit_log.exported")
        .await;
    assert_eq!(filtered.text().lines().count(), 2);
    let foreign = app.globex.owner.get("/api/audit-log/export").await;
    assert_eq!(foreign.text().lines().count(), 1, "its own entry");
}

/// The program of docs/security.md.
async fn verified_by_python(export: &str) {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/security.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let program = docs.split("```python\n").nth(1).unwrap();
    let program = program.split("```").next().unwrap();
    let python = tokio::process::Command::new("python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else {
        println!("skipped: python3 is not installed");
        return;
    };
    let mut stdin = python.stdin.take().unwrap();
    let export = export.to_owned();
    let writing = tokio::spawn(async move { stdin.write_all(export.as_bytes()).await });
    let output = python.wait_with_output().await.unwrap();
    writing.await.unwrap().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("1202 entries, intact; head "), "{said}");
}

#[tokio::test]
async fn an_export_is_read_page_by_page() {
    let app = with_entries(1100).await;
    let answer = app.acme.owner.get("/api/audit-log/export").stream().await;
    let mut body = answer.into_body().into_data_stream();
    let first = body.next().await.unwrap().unwrap();
    assert_eq!(
        first.split(|byte| *byte == b'\n').count(),
        501,
        "a page of 500 lines"
    );
    // Nothing is read ahead: a slow client holds no connection.
    let idle = async || app.db().pool_status().idle == app.db().pool_status().size;
    wait_until(idle, std::time::Duration::from_secs(5)).await;
}
