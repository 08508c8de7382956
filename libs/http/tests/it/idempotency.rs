//! Requests that are sent again, against a real database and with the service's own role.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bz_http::{Created, IdempotencyKey, Problem, idempotent};
use bz_kernel::Clock;
use bz_tenant::{Db, TenantScope, TenantTx};
use bz_testkit::{Role, Tenant, TestDb, wait_until};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

const OPERATION: &str = "notes.create";
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note {
    number: u32,
}

/// Numbers the notes it makes, so that a note that was made twice shows.
struct Maker {
    db: Db,
    made: AtomicU32,
}

impl Maker {
    fn new(test: &TestDb) -> Arc<Self> {
        let (db, made) = (test.db("crm"), AtomicU32::new(0));
        Arc::new(Self { db, made })
    }

    async fn make(&self, key: &str, body: &str) -> Result<Created<Note>, Problem> {
        let scope = Tenant::Acme.scope();
        self.make_as(&scope, OPERATION, key, body, async |_| Ok(()))
            .await
    }

    async fn make_as(
        &self,
        scope: &TenantScope,
        operation: &'static str,
        key: &str,
        body: &str,
        work: impl AsyncFnOnce(&mut TenantTx) -> Result<(), Problem>,
    ) -> Result<Created<Note>, Problem> {
        let key = key_of(key).await;
        let with = (&self.db, &Clock::system());
        idempotent(with, scope, &key, operation, &body, async |tx| {
            work(tx).await?;
            let number = self.made.fetch_add(1, SeqCst) + 1;
            Ok(Note { number })
        })
        .await
    }
}

/// The key as the extractor takes it from a request; none for the empty text.
async fn key_of(key: &str) -> IdempotencyKey {
    use axum::extract::FromRequestParts;
    let request = http::Request::post("/");
    let request = match key {
        "" => request,
        key => request.header("idempotency-key", key),
    };
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    IdempotencyKey::from_request_parts(&mut parts, &())
        .await
        .unwrap()
}

fn first(number: u32) -> Created<Note> {
    Created {
        value: Note { number },
        replayed: false,
    }
}

fn again(number: u32) -> Created<Note> {
    Created {
        value: Note { number },
        replayed: true,
    }
}

/// How many keys the database has, of whatever tenant.
async fn keys(test: &TestDb) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM crm.idempotency_keys")
        .fetch_one(&mut test.admin().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_same_request_again_gets_the_same_answer_and_does_nothing() {
    let test = TestDb::new().await;
    let maker = Maker::new(&test);
    assert_eq!(maker.make("k", "a").await.unwrap(), first(1));
    for _ in 0..3 {
        assert_eq!(maker.make("k", "a").await.unwrap(), again(1));
    }
    assert_eq!(maker.made.load(SeqCst), 1);
}

#[tokio::test]
async fn a_replayed_answer_says_so_and_is_a_201_as_the_first_one() {
    let headers = |created: Created<Note>| {
        let response = created.into_response_with(|note| i64::from(note.number));
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["etag"], "\"7\"");
        response.headers().get("idempotency-replayed").cloned()
    };
    assert_eq!(headers(first(7)), None);
    assert_eq!(headers(again(7)).unwrap(), "true");
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused() {
    let test = TestDb::new().await;
    let maker = Maker::new(&test);
    maker.make("k", "a").await.unwrap();
    let refused = maker.make("k", "b").await.unwrap_err();
    assert_eq!(
        (refused.status().as_u16(), refused.code()),
        (422, "idempotency_key_reused")
    );
    assert_eq!(maker.make("k", "a").await.unwrap(), again(1));
}

#[tokio::test]
async fn without_a_key_every_request_is_a_new_one() {
    let test = TestDb::new().await;
    let maker = Maker::new(&test);
    assert_eq!(maker.make("", "a").await.unwrap(), first(1));
    assert_eq!(maker.make("", "a").await.unwrap(), first(2));
    assert_eq!(keys(&test).await, 0);
}

#[tokio::test]
async fn a_key_belongs_to_one_tenant_one_user_and_one_operation() {
    let test = TestDb::new().await;
    let maker = Maker::new(&test);
    let others = [
        (Tenant::Acme.scope(), OPERATION),
        (Tenant::Acme.scope(), "notes.copy"),
        (Tenant::Globex.scope(), OPERATION),
        (
            TenantScope::new(Tenant::Acme.id(), Some(Tenant::Acme.user(Role::Viewer))),
            OPERATION,
        ),
        (TenantScope::new(Tenant::Acme.id(), None), OPERATION),
    ];
    for (number, (scope, operation)) in (1..).zip(&others) {
        let made = maker
            .make_as(scope, operation, "k", "a", async |_| Ok(()))
            .await;
        assert_eq!(made.unwrap(), first(number));
    }
    assert_eq!(keys(&test).await, 5);
}

#[tokio::test]
async fn what_failed_left_no_key_and_may_be_tried_again() {
    let test = TestDb::new().await;
    let maker = Maker::new(&test);
    let scope = Tenant::Acme.scope();
    let failing = async |_: &mut TenantTx| Err(Problem::conflict("taken", "Taken."));
    let failed = maker.make_as(&scope, OPERATION, "k", "a", failing).await;
    assert_eq!(failed.unwrap_err().code(), "taken");
    assert_eq!(maker.make("k", "a").await.unwrap(), first(1));
}

#[tokio::test]
async fn twenty_requests_at_once_with_one_key_make_one_note() {
    let test = TestDb::new().await;
    let maker = Maker::new(&test);
    let tasks = (0..20).map(|_| {
        let maker = Arc::clone(&maker);
        tokio::spawn(async move { maker.make("k", "a").await.unwrap() })
    });
    let mut created = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        created.push(task.await.unwrap());
    }
    assert!(created.iter().all(|created| created.value.number == 1));
    assert_eq!(
        created.iter().filter(|created| !created.replayed).count(),
        1
    );
}

/// Starts a request that holds its key until it is told how to end, and a second one that waits for it.
async fn second_behind_first(
    test: &TestDb,
    first_ends_with: Result<(), Problem>,
) -> (
    Result<Created<Note>, Problem>,
    Result<Created<Note>, Problem>,
) {
    let maker = Maker::new(test);
    let ((has_key, key_taken), (end, ended)) = (oneshot::channel(), oneshot::channel());
    let end_of_first = Mutex::new(Some((has_key, ended, first_ends_with)));
    let one = tokio::spawn({
        let maker = Arc::clone(&maker);
        async move {
            let scope = Tenant::Acme.scope();
            let (has_key, ended, result) = end_of_first.into_inner().unwrap().unwrap();
            let work = async move |_: &mut TenantTx| {
                has_key.send(()).unwrap();
                ended.await.unwrap();
                result
            };
            maker.make_as(&scope, OPERATION, "k", "a", work).await
        }
    });
    key_taken.await.unwrap();
    let two = tokio::spawn({
        let maker = Arc::clone(&maker);
        async move { maker.make("k", "a").await }
    });
    let mut admin = test.admin().await;
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    wait_until(
        async || {
            sqlx::query_scalar::<_, i64>(waiting)
                .fetch_one(&mut admin)
                .await
                .unwrap()
                == 1
        },
        PATIENCE,
    )
    .await;
    end.send(()).unwrap();
    (one.await.unwrap(), two.await.unwrap())
}

#[tokio::test]
async fn a_second_request_waits_for_the_first_and_gets_its_answer() {
    let test = TestDb::new().await;
    let (one, two) = second_behind_first(&test, Ok(())).await;
    assert_eq!((one.unwrap(), two.unwrap()), (first(1), again(1)));
}

#[tokio::test]
async fn a_second_request_does_the_work_when_the_first_fails() {
    let test = TestDb::new().await;
    let fails = Err(Problem::conflict("taken", "Taken."));
    let (one, two) = second_behind_first(&test, fails).await;
    assert_eq!(one.unwrap_err().code(), "taken");
    assert_eq!(two.unwrap(), first(1));
}
