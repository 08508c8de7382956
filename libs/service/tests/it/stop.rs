//! Stopping: nothing that was asked is lost.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bz_kernel::ExposeSecret;
use bz_testkit::{TestDb, wait_until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::process::{self, Process};

async fn started(variables: &[(&str, &str)]) -> (TestDb, Process) {
    let db = TestDb::new().await;
    let url = db.url("crm");
    let all: Vec<_> = variables
        .iter()
        .copied()
        .chain([("DATABASE_URL", url.expose_secret())])
        .collect();
    let process = Process::start_ready(&all).await;
    (db, process)
}

/// What happened to the requests of a load.
#[derive(Default)]
struct Load {
    over: AtomicBool,
    answered: AtomicUsize,
    lost: AtomicUsize,
}

/// A client that keeps its connection as long as it may and opens a new one else. Refused connections are what a stop
/// looks like; a request that was sent and not answered is lost.
async fn client(address: SocketAddr, load: Arc<Load>) {
    while !load.over.load(Ordering::SeqCst) {
        let Ok(mut stream) = TcpStream::connect(address).await else {
            return;
        };
        while stream
            .write_all(b"GET /api/ping HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .is_ok()
        {
            let mut head = Vec::new();
            let mut buffer = [0; 1024];
            while !head.ends_with(b"\"pong\"") {
                match stream.read(&mut buffer).await {
                    Ok(read) if read > 0 => head.extend_from_slice(&buffer[..read]),
                    _ => break,
                }
            }
            if !head.ends_with(b"\"pong\"") {
                load.lost.fetch_add(1, Ordering::SeqCst);
                break;
            }
            load.answered.fetch_add(1, Ordering::SeqCst);
            if head.windows(17).any(|part| part == b"connection: close") {
                break;
            }
        }
    }
}

async fn under_load(process: &Process) -> (Arc<Load>, JoinSet<()>) {
    let load = Arc::new(Load::default());
    let mut clients = JoinSet::new();
    for _ in 0..16 {
        clients.spawn(client(process.api, Arc::clone(&load)));
    }
    let patience = Duration::from_secs(10);
    wait_until(
        async || load.answered.load(Ordering::SeqCst) > 200,
        patience,
    )
    .await;
    (load, clients)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_loses_no_request() {
    let (_db, mut process) = started(&[("DRAIN_DELAY", "500ms")]).await;
    let (load, clients) = under_load(&process).await;
    process.signal("TERM");
    // A load balancer opens no further connections from here on.
    wait_until(
        async || process.get("/health/ready").await.0 == 503,
        Duration::from_secs(5),
    )
    .await;
    load.over.store(true, Ordering::SeqCst);
    clients.join_all().await;
    assert!(process.ended().await.success());
    assert_eq!(load.lost.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_loses_no_request_either_when_nobody_is_told_before() {
    let (_db, mut process) = started(&[("DRAIN_DELAY", "0s")]).await;
    let (load, clients) = under_load(&process).await;
    process.signal("TERM");
    // The clients end when they are refused.
    clients.join_all().await;
    assert!(process.ended().await.success());
    assert_eq!(load.lost.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn readiness_ends_before_the_listener_closes_and_requests_in_flight_finish() {
    let (_db, mut process) = started(&[("DRAIN_DELAY", "300ms")]).await;
    let slow = tokio::spawn(process::ask(process.api, "/api/slow"));
    process.signal("TERM");
    wait_until(
        async || process.get("/health/ready").await.0 == 503,
        Duration::from_secs(5),
    )
    .await;
    assert_eq!(process.get("/health/live").await.0, 200);
    assert_eq!(
        process.get("/api/ping").await.0,
        200,
        "still served while draining"
    );
    assert_eq!(slow.await.unwrap().unwrap().0, 200);
    assert!(process.ended().await.success());
}

#[tokio::test]
async fn streams_end_at_a_stop_and_do_not_hold_it_up() {
    let (_db, mut process) = started(&[]).await;
    let mut stream = TcpStream::connect(process.api).await.unwrap();
    stream
        .write_all(b"GET /api/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    stream.read_exact(&mut [0; 64]).await.unwrap();
    let asked = Instant::now();
    process.signal("INT");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "the stream has an orderly end");
    assert!(process.ended().await.success());
    assert!(asked.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn what_is_still_in_flight_after_the_grace_period_is_cut_and_the_exit_code_tells() {
    let (_db, mut process) = started(&[("GRACE_PERIOD", "100ms")]).await;
    let mut stream = TcpStream::connect(process.api).await.unwrap();
    stream.write_all(b"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{").await.unwrap();
    assert_eq!(process.get("/api/ping").await.0, 200);
    process.signal("TERM");
    assert_eq!(process.ended().await.code(), Some(1));
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let (_db, mut process) = started(&[("DRAIN_DELAY", "60s")]).await;
    process.signal("TERM");
    wait_until(
        async || process.get("/health/ready").await.0 == 503,
        Duration::from_secs(5),
    )
    .await;
    process.signal("TERM");
    assert_eq!(process.ended().await.code(), Some(1));
}

#[tokio::test]
async fn a_job_that_fails_or_panics_stops_the_process_in_order_with_a_code() {
    for ending in ["error", "panic"] {
        let db = TestDb::new().await;
        let url = db.url("crm");
        let mut process = Process::start(&[
            ("FIXTURE_FAIL_JOB", ending),
            ("DATABASE_URL", url.expose_secret()),
        ])
        .await;
        assert_eq!(process.ended().await.code(), Some(1), "{ending}");
        let messages: Vec<_> = process
            .logged()
            .iter()
            .map(|line| line["message"].clone())
            .collect();
        assert!(messages.contains(&"stopped".into()), "{messages:?}");
        assert!(
            process.logged().iter().any(|line| line["job"] == "fixture"),
            "{messages:?}"
        );
    }
}
