//! A consumer that follows a feed over HTTP, whatever happens to it.

use std::{
    future::IntoFuture,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use anyhow::ensure;
use bz_auth::ServiceTokens;
use bz_events::{Consumer, Envelope, EventHandler, Redis, wake};
use bz_http::client::Sibling;
use bz_kernel::{SecretString, Sources, platform};
use bz_testkit::{Fault, FaultProxy, Tenant, TestDb, redis_url, wait_until};
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::support::Producer;

const PATIENCE: Duration = Duration::from_secs(20);

/// Keeps what it was given, as a service would in its database.
#[derive(Clone)]
struct Recorder {
    seen: Arc<Mutex<Vec<u64>>>,
    position: Arc<Mutex<Option<String>>>,
    failures: Arc<AtomicU32>,
    entered: Arc<AtomicU32>,
    gate: Arc<Semaphore>,
}

impl Recorder {
    fn new() -> Self {
        Self {
            seen: Arc::default(),
            position: Arc::default(),
            failures: Arc::default(),
            entered: Arc::default(),
            gate: Arc::new(Semaphore::new(1)),
        }
    }

    fn seen(&self) -> Vec<u64> {
        self.seen.lock().unwrap().clone()
    }

    async fn wait_for(&self, expected: impl IntoIterator<Item = u64>) {
        let expected: Vec<u64> = expected.into_iter().collect();
        wait_until(async || self.seen() == expected, PATIENCE).await;
    }
}

impl EventHandler for Recorder {
    async fn position(&self) -> anyhow::Result<Option<String>> {
        Ok(self.position.lock().unwrap().clone())
    }

    async fn handle(&self, batch: Vec<Envelope>, next: &str) -> anyhow::Result<()> {
        self.entered.fetch_add(1, SeqCst);
        let _open = self.gate.acquire().await?;
        let left = self.failures.load(SeqCst);
        if left > 0 {
            self.failures.store(left - 1, SeqCst);
        }
        ensure!(left == 0, "this batch fails");
        for event in batch {
            ensure!(
                event.tenant_id == Tenant::Acme.id(),
                "a tenant was lost on the way"
            );
            self.seen
                .lock()
                .unwrap()
                .push(event.data["n"].as_u64().unwrap());
        }
        *self.position.lock().unwrap() = Some(next.to_owned());
        Ok(())
    }
}

/// A producer behind a proxy, and a consumer of it.
struct Line {
    _database: TestDb,
    producer: Producer,
    proxy: FaultProxy,
    redis: Redis,
}

impl Line {
    #[expect(clippy::disallowed_methods, reason = "a server for the test")]
    async fn new(redis: Redis) -> Self {
        let database = TestDb::new().await;
        let producer = Producer::new(&database);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(axum::serve(listener, producer.router()).into_future());
        let proxy = FaultProxy::start(address).await;
        Self {
            _database: database,
            producer,
            proxy,
            redis,
        }
    }

    fn follow(&self, handler: &Recorder) -> (CancellationToken, JoinHandle<()>) {
        let base = format!("http://{}", self.proxy.address()).parse().unwrap();
        let consumer = Consumer {
            source: &platform::CRM,
            sibling: Sibling::new("crm", &base, &Sources::system()).unwrap(),
            tokens: ServiceTokens::fixed(self.producer.service_token()),
            redis: self.redis.clone(),
        };
        let stop = CancellationToken::new();
        (
            stop.clone(),
            tokio::spawn(consumer.run(handler.clone(), stop)),
        )
    }

    async fn write(&self, numbers: std::ops::Range<usize>) {
        for n in numbers {
            self.producer.write(Tenant::Acme, n).await;
        }
    }
}

async fn stopped(stop: &CancellationToken, task: JoinHandle<()>) {
    stop.cancel();
    tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
}

#[tokio::test]
async fn it_takes_in_what_was_there_and_what_comes_and_goes_on_where_it_stopped() {
    let line = Line::new(Redis::none()).await;
    let handler = Recorder::new();
    line.write(0..3).await;
    let (stop, task) = line.follow(&handler);
    handler.wait_for(0..3).await;
    line.write(3..5).await;
    handler.wait_for(0..5).await;
    stopped(&stop, task).await;
    line.write(5..7).await;
    let (stop, task) = line.follow(&handler);
    handler.wait_for(0..7).await;
    stopped(&stop, task).await;
    assert_eq!(handler.seen(), (0..7).collect::<Vec<_>>());
}

#[tokio::test]
async fn more_events_than_one_answer_holds_are_pulled_without_a_pause() {
    let line = Line::new(Redis::none()).await;
    let handler = Recorder::new();
    let mut tx = line
        .producer
        .db
        .tenant(&Tenant::Acme.scope())
        .await
        .unwrap();
    for n in 0..2500 {
        let event = bz_events::NewEvent {
            kind: "lead.created",
            actor: None,
            data: serde_json::json!({"n": n}),
        };
        bz_events::append(&mut tx, &line.producer.sources, event)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let (stop, task) = line.follow(&handler);
    handler.wait_for(0..2500).await;
    stopped(&stop, task).await;
}

#[tokio::test]
async fn a_batch_that_fails_comes_again_until_it_is_taken_in() {
    let line = Line::new(Redis::none()).await;
    let handler = Recorder::new();
    handler.failures.store(3, SeqCst);
    line.write(0..3).await;
    let (stop, task) = line.follow(&handler);
    handler.wait_for(0..3).await;
    assert_eq!(handler.failures.load(SeqCst), 0);
    stopped(&stop, task).await;
}

#[tokio::test]
async fn a_feed_that_is_away_is_followed_again_when_it_is_back() {
    let line = Line::new(Redis::none()).await;
    let handler = Recorder::new();
    line.write(0..1).await;
    let (stop, task) = line.follow(&handler);
    handler.wait_for(0..1).await;
    line.proxy.set(Fault::Refuse).await;
    line.write(1..4).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(handler.seen(), [0]);
    line.proxy.set(Fault::Pass).await;
    handler.wait_for(0..4).await;
    stopped(&stop, task).await;
}

#[tokio::test]
async fn events_arrive_within_two_seconds_without_redis_and_at_once_with_it() {
    let url = SecretString::from(redis_url());
    for (redis, limit) in [
        (Redis::none(), Duration::from_secs(2)),
        (
            Redis::connect_lazy(Some(&url)).unwrap(),
            Duration::from_millis(400),
        ),
    ] {
        let line = Line::new(redis.clone()).await;
        let handler = Recorder::new();
        let (stop, task) = line.follow(&handler);
        line.write(0..1).await;
        handler.wait_for(0..1).await;
        // The fastest of some: other tests' transactions may hold an event back for a moment.
        let mut fastest = Duration::MAX;
        for n in 1..6 {
            // Another test's wake-up on the same channel only makes this consumer look once more.
            line.write(n..n + 1).await;
            let committed = Instant::now();
            wake(&redis, platform::CRM.schema);
            handler.wait_for(0..=n as u64).await;
            fastest = fastest.min(committed.elapsed());
        }
        assert!(fastest < limit, "{fastest:?}");
        stopped(&stop, task).await;
    }
}

#[tokio::test]
async fn a_stop_lets_the_batch_in_hand_be_finished() {
    let line = Line::new(Redis::none()).await;
    let handler = Recorder::new();
    let closed = handler.gate.clone().acquire_owned().await.unwrap();
    line.write(0..1).await;
    let (stop, task) = line.follow(&handler);
    wait_until(async || handler.entered.load(SeqCst) > 0, PATIENCE).await;
    stop.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!task.is_finished());
    drop(closed);
    tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
    assert_eq!(handler.seen(), [0]);
    assert!(handler.position.lock().unwrap().is_some());
}

#[tokio::test]
async fn a_stop_ends_a_consumer_that_waits_for_a_feed_that_hangs() {
    let line = Line::new(Redis::none()).await;
    line.proxy.set(Fault::Hang).await;
    let (stop, task) = line.follow(&Recorder::new());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let asked = Instant::now();
    stopped(&stop, task).await;
    assert!(asked.elapsed() < Duration::from_millis(500));
}
