//! Redis that is slow, gone, and back.

use std::time::{Duration, Instant};

use bz_events::{
    Redis, channel,
    redis::{CALL_LIMIT, Notice, RETRY_PAUSE, Subscription},
    wake,
};
use bz_kernel::SecretString;
use bz_testkit::{Fault, FaultProxy, redis_url, wait_until};

const PATIENCE: Duration = Duration::from_secs(10);
/// What a call may take beyond its limit on a busy machine.
const SLACK: Duration = Duration::from_millis(150);

fn target() -> String {
    redis_url()
        .trim_start_matches("redis://")
        .trim_end_matches('/')
        .to_owned()
}

async fn proxied() -> (FaultProxy, Redis) {
    let proxy = FaultProxy::start(target()).await;
    let url = SecretString::from(format!("redis://{}", proxy.address()));
    (proxy, Redis::connect_lazy(Some(&url)).unwrap())
}

async fn message(subscription: &mut Subscription) -> Option<Notice> {
    tokio::time::timeout(PATIENCE, subscription.next())
        .await
        .ok()
}

#[tokio::test]
async fn without_a_redis_every_call_fails_at_once_and_nothing_is_heard() {
    let redis = Redis::connect_lazy(None).unwrap();
    assert!(!redis.is_configured());
    assert!(redis.ping().await.is_err());
    wake(&redis, "crm");
    let mut subscription = redis.subscribe(&["x"]);
    let heard = tokio::time::timeout(Duration::from_millis(50), subscription.next()).await;
    assert!(heard.is_err());
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_repeating_it() {
    for url in ["http://x", "redis://:secret@", "", "127.0.0.1:6379/secret"] {
        let error = Redis::connect_lazy(Some(&SecretString::from(url))).err();
        assert!(
            error.is_some_and(|error| !error.to_string().contains("secret")),
            "{url}"
        );
    }
}

#[tokio::test]
async fn commands_pipelines_and_scripts_work_as_on_any_connection() {
    let (_proxy, mut redis) = proxied().await;
    let key = format!("bz:test:{}", uuid::Uuid::from_u128(rand_key()));
    redis.ping().await.unwrap();
    let (count, ttl): (i64, i64) = ::redis::pipe()
        .incr(&key, 2)
        .expire(&key, 60)
        .ignore()
        .ttl(&key)
        .query_async(&mut redis)
        .await
        .unwrap();
    assert_eq!((count, ttl), (2, 60));
    let script = ::redis::Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    assert_eq!(
        script
            .key(&key)
            .arg(5)
            .invoke_async::<i64>(&mut redis)
            .await
            .unwrap(),
        7
    );
    ::redis::cmd("DEL")
        .arg(&key)
        .query_async::<()>(&mut redis)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_error_that_redis_answers_does_not_count_as_an_outage() {
    let (_proxy, mut redis) = proxied().await;
    for _ in 0..3 {
        assert!(
            ::redis::cmd("NO_SUCH_COMMAND")
                .query_async::<()>(&mut redis)
                .await
                .is_err()
        );
        redis.ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_redis_that_is_gone_costs_one_try_a_second_and_is_found_again() {
    let (proxy, redis) = proxied().await;
    redis.ping().await.unwrap();
    proxy.set(Fault::Refuse).await;
    assert!(redis.ping().await.is_err());
    let started = Instant::now();
    for _ in 0..10_000 {
        assert!(redis.ping().await.is_err());
    }
    assert!(
        started.elapsed() < RETRY_PAUSE,
        "10,000 calls took {:?}",
        started.elapsed()
    );
    proxy.set(Fault::Pass).await;
    wait_until(async || redis.ping().await.is_ok(), PATIENCE).await;
    assert!(started.elapsed() < RETRY_PAUSE * 3);
}

#[tokio::test]
async fn a_redis_that_hangs_costs_a_tenth_of_a_second_once_in_a_second() {
    let (proxy, redis) = proxied().await;
    redis.ping().await.unwrap();
    proxy.set(Fault::Hang).await;
    let started = Instant::now();
    assert!(redis.ping().await.is_err());
    assert!(
        started.elapsed() < CALL_LIMIT + SLACK,
        "{:?}",
        started.elapsed()
    );
    let started = Instant::now();
    for _ in 0..1000 {
        assert!(redis.ping().await.is_err());
    }
    assert!(started.elapsed() < SLACK, "{:?}", started.elapsed());
    proxy.set(Fault::Pass).await;
    wait_until(async || redis.ping().await.is_ok(), PATIENCE).await;
}

#[tokio::test]
async fn preparing_a_redis_that_is_not_there_yet_waits_for_nothing() {
    let proxy = FaultProxy::start(target()).await;
    proxy.set(Fault::Refuse).await;
    let url = SecretString::from(format!("redis://{}", proxy.address()));
    let redis = Redis::connect_lazy(Some(&url)).unwrap();
    assert!(redis.ping().await.is_err());
    proxy.set(Fault::Pass).await;
    wait_until(async || redis.ping().await.is_ok(), PATIENCE).await;
}

#[tokio::test]
async fn a_subscription_listens_again_after_the_connection_was_lost() {
    let (proxy, redis) = proxied().await;
    let name = format!("bz:test:{}", rand_key());
    let mut subscription = redis.subscribe(&[&name]);
    for round in ["before", "after"] {
        assert_eq!(message(&mut subscription).await, Some(Notice::Subscribed));
        redis.publish(&name, round).await.unwrap();
        let expected = Notice::Message {
            channel: name.clone(),
            payload: round.into(),
        };
        assert_eq!(message(&mut subscription).await, Some(expected));
        if round == "before" {
            proxy.set(Fault::Refuse).await;
            assert!(redis.ping().await.is_err());
            proxy.set(Fault::Pass).await;
            wait_until(async || redis.ping().await.is_ok(), PATIENCE).await;
        }
    }
}

#[tokio::test]
async fn a_burst_of_wake_ups_is_a_few_messages_and_the_last_commit_is_not_missed() {
    let (_proxy, redis) = proxied().await;
    let schema: &'static str = format!("test{}", rand_key()).leak();
    let mut subscription = redis.subscribe(&[&channel(schema)]);
    assert_eq!(message(&mut subscription).await, Some(Notice::Subscribed));
    for _ in 0..1000 {
        wake(&redis, schema);
    }
    let expected = Notice::Message {
        channel: channel(schema),
        payload: String::new(),
    };
    assert_eq!(message(&mut subscription).await, Some(expected.clone()));
    wake(&redis, schema);
    assert_eq!(message(&mut subscription).await, Some(expected));
    let further = tokio::time::timeout(Duration::from_millis(100), subscription.next()).await;
    assert!(further.is_err(), "{further:?}");
}

/// Tests share a Redis, so each has names of its own.
fn rand_key() -> u128 {
    u128::from_le_bytes(bz_kernel::Rng::system().bytes())
}
