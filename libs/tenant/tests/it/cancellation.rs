//! Requests that go away at any moment: an HTTP server drops the future of a request whose client has left.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bz_kernel::Rng;
use bz_tenant::{Db, DbError, SystemTx};
use bz_testkit::{Fault, wait_until};
use uuid::Uuid;

use crate::support::{add, all, notes, open_transactions, tenant};

/// How many requests have to be dropped and how many writes acknowledged before it is enough.
const DROPPED: u32 = 300;
const ACKNOWLEDGED: usize = 100;
/// How many requests are at work at the same time, on five connections.
const AT_ONCE: u32 = 8;

/// What the requests know.
#[derive(Default)]
struct Seen {
    next: AtomicU64,
    dropped: AtomicU32,
    finished: AtomicU32,
    /// Acknowledged writes: id and tenant.
    acknowledged: Mutex<BTreeMap<u64, u128>>,
    foreign: AtomicU32,
}

impl Seen {
    fn enough(&self) -> bool {
        self.dropped.load(Relaxed) >= DROPPED
            && self.acknowledged.lock().unwrap().len() >= ACKNOWLEDGED
    }
}

/// Reads, or reads, then writes, then commits: three points between turns and three inside them.
async fn request(db: &Db, id: u64, seen: &Seen) -> Result<(), DbError> {
    let number = u128::from(id % 2 + 1);
    let is_read = id.is_multiple_of(3);
    let mut tx = if is_read {
        db.read(&tenant(number)).await?
    } else {
        db.tenant(&tenant(number)).await?
    };
    let rows = all(tx.conn()).await?;
    let foreign = rows
        .iter()
        .filter(|(owner, _)| *owner != Uuid::from_u128(number))
        .count();
    seen.foreign
        .fetch_add(u32::try_from(foreign).unwrap(), Relaxed);
    if is_read {
        return Ok(());
    }
    add(&mut tx, id.into()).await?;
    tx.commit().await?;
    seen.acknowledged.lock().unwrap().insert(id, number);
    Ok(())
}

/// Pitfalls 23, 68: a request that was cut off leaves its tenant, or half a state, on the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_dropped_at_random_points_leave_nothing_behind() {
    let (test, _) = notes().await;
    let proxy = test.proxy().await;
    let db = test.db_through(&proxy, "crm");
    let ms = Duration::from_millis;
    proxy
        .set(Fault::Delay {
            latency: ms(1),
            jitter: ms(2),
        })
        .await;
    let (seen, rng) = (Arc::new(Seen::default()), Rng::seeded(42));

    let workers = (0..AT_ONCE).map(|_| {
        let (db, seen, rng) = (db.clone(), Arc::clone(&seen), rng.clone());
        tokio::spawn(async move {
            while !seen.enough() {
                let id = seen.next.fetch_add(1, Relaxed);
                // Patience for a part of a request, for most of one, for connecting first, for all of that.
                let patience =
                    ms([20, 60, 150, 500][rng.bytes::<1>()[0] as usize % 4]).mul_f64(rng.unit());
                match tokio::time::timeout(patience, request(&db, id, &seen)).await {
                    Err(_) => {
                        no_tenant_is_left(&mut db.system().await.unwrap()).await;
                        seen.dropped.fetch_add(1, Relaxed)
                    }
                    Ok(result) => {
                        result.expect("a request that is not dropped succeeds");
                        seen.finished.fetch_add(1, Relaxed)
                    }
                };
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    proxy.set(Fault::Pass).await;

    let acknowledged = seen.acknowledged.lock().unwrap().clone();
    println!(
        "{} dropped, {} finished, {} writes acknowledged",
        seen.dropped.load(Relaxed),
        seen.finished.load(Relaxed),
        acknowledged.len()
    );
    assert_eq!(
        seen.foreign.load(Relaxed),
        0,
        "rows of the other tenant were seen"
    );
    let mut admin = test.admin().await;
    wait_until(
        async || open_transactions(&mut admin).await == 0,
        Duration::from_secs(10),
    )
    .await;
    every_connection_is_clean(&db).await;

    let stored: BTreeMap<u128, Uuid> = all(&mut admin)
        .await
        .unwrap()
        .into_iter()
        .map(|(owner, id)| (id.as_u128(), owner))
        .collect();
    for (id, owner) in &acknowledged {
        assert_eq!(
            stored.get(&u128::from(*id)),
            Some(&Uuid::from_u128(*owner)),
            "write {id} was lost"
        );
    }
    for (id, owner) in &stored {
        assert_eq!(
            owner.as_u128(),
            id % 2 + 1,
            "row {id} belongs to the wrong tenant"
        );
    }
}

/// Takes all connections of the pool at the same time and looks at each.
async fn every_connection_is_clean(db: &Db) {
    let mut held = Vec::new();
    for _ in 0..db.pool_status().max {
        let mut tx = db.system().await.unwrap();
        no_tenant_is_left(&mut tx).await;
        held.push(tx);
    }
}

/// Looks at a connection right after a request was dropped: a transaction with a tenant would heal one that was left
/// open, by setting its own.
async fn no_tenant_is_left(tx: &mut SystemTx) {
    let sql = "SELECT coalesce(current_setting('app.tenant_id', true), '')";
    let left: String = sqlx::query_scalar(sql).fetch_one(tx.conn()).await.unwrap();
    assert_eq!(left, "", "a tenant was left on a connection");
}
