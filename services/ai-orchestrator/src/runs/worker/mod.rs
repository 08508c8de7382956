//! The worker: takes runs that are due, does as many at once as it has slots, and keeps its leases.

mod drive;
mod finish;
mod hub;
mod pulse;
mod store;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bz_kernel::{RunId, Sources, TenantId};
use bz_service::Job;
use chrono::TimeDelta;
use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::AppState;
use hub::Hub;
pub(crate) use hub::{Answer, Answering, News, Watch};
pub(crate) use pulse::Pulse;

/// How often a worker looks for runs that another process made, and for those that are to end.
const LOOK: Duration = Duration::from_millis(500);
/// How often the open runs are counted for `/health`.
const COUNT: Duration = Duration::from_secs(5);
/// How long a stop waits for the steps in flight: shorter than the time that jobs have to stop.
const PATIENCE: Duration = Duration::from_secs(3);

/// How a worker works.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Runs at the same time; 0 for none.
    pub slots: usize,
    /// How long a lease lasts.
    pub lease: TimeDelta,
    /// How often leases are renewed.
    pub heartbeat: Duration,
}

/// How a run that is being done is stopped.
#[derive(Debug, Clone, Default)]
pub(super) struct Stops {
    /// Tells one taking of a run from another one of the same run.
    taking: u64,
    /// Somebody ended it.
    pub cancel: CancellationToken,
    /// Another worker has it.
    pub lost: CancellationToken,
    /// The process stops: no further step.
    pub drain: CancellationToken,
    /// The process stops now.
    pub halt: CancellationToken,
}

/// The runs of this process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Runs(Arc<Inner>);

struct Inner {
    worker: Uuid,
    pace: Pace,
    hub: Hub,
    pulse: Mutex<Pulse>,
    running: Mutex<HashMap<RunId, Stops>>,
    due: Notify,
    takings: AtomicU64,
    turns: Semaphore,
}

impl Runs {
    /// A worker with a name of its own. It uses at most half of the connections to the database at a time: the rest is for
    /// requests, which do not wait for long.
    pub(crate) fn new(sources: &Sources, pace: Pace, connections: u32) -> Self {
        let turns = usize::try_from(connections / 2).unwrap_or(1).max(1);
        Self(Arc::new(Inner {
            worker: sources.id(),
            pace,
            hub: Hub::new(),
            pulse: Mutex::new(Pulse::new(pace.slots)),
            running: Mutex::default(),
            due: Notify::new(),
            takings: AtomicU64::new(0),
            turns: Semaphore::new(turns),
        }))
    }

    /// There may be something to do.
    pub(crate) fn wake(&self) {
        self.0.due.notify_one();
    }

    /// Ends a run, if this process does it. Other processes see for themselves.
    pub(crate) fn cancel(&self, run: RunId) {
        if let Some(stops) = self.running().get(&run) {
            stops.cancel.cancel();
        }
        self.tell(run);
    }

    /// A run has told something.
    pub(crate) fn tell(&self, run: RunId) {
        self.0.hub.tell(run);
    }

    /// Waits until the worker may use a connection, for as long as the answer is kept.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.0.turns.acquire().await.ok()
    }

    /// Those who watch runs.
    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// What `/health` says.
    pub(crate) fn pulse(&self) -> Pulse {
        lock(&self.0.pulse).clone()
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut Pulse)) {
        change(&mut lock(&self.0.pulse));
    }

    fn running(&self) -> MutexGuard<'_, HashMap<RunId, Stops>> {
        lock(&self.0.running)
    }

    fn all(&self, stop: impl Fn(&Stops)) {
        self.running().values().for_each(stop);
    }
}

/// The job.
pub(super) fn job(app: &AppState) -> Job {
    let app = app.clone();
    Job::new("runs", async move |stop| {
        work(&app, &stop).await;
        Ok(())
    })
}

async fn work(app: &AppState, stop: &CancellationToken) {
    let runs = &app.runs;
    let mut tasks = JoinSet::new();
    let mut look = ticks(LOOK);
    let mut beat = ticks(runs.0.pace.heartbeat);
    let mut count = ticks(COUNT);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = count.tick() => count_open(app).await,
            _ = beat.tick() => renew(app).await,
            _ = look.tick() => {
                end_wanted(app).await;
                claim(app, &mut tasks).await;
            }
            () = runs.0.due.notified() => claim(app, &mut tasks).await,
            Some(_) = tasks.join_next() => claim(app, &mut tasks).await,
        }
    }
    drain(runs, &mut tasks).await;
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Lets the steps in flight come to their end, then leaves the others; either way their leases are given back.
async fn drain(runs: &Runs, tasks: &mut JoinSet<()>) {
    runs.all(|stops| stops.drain.cancel());
    let all = async { while tasks.join_next().await.is_some() {} };
    if timeout(PATIENCE, all).await.is_err() {
        runs.all(|stops| stops.halt.cancel());
        while tasks.join_next().await.is_some() {}
    }
}

/// Takes as many runs as there are free slots.
async fn claim(app: &AppState, tasks: &mut JoinSet<()>) {
    let (runs, pace) = (&app.runs, app.runs.0.pace);
    let free = pace.slots.saturating_sub(tasks.len());
    if free == 0 {
        return;
    }
    let now = app.core.sources.now();
    let most = i32::try_from(free).unwrap_or(1);
    let claimed = store::claim(&app.core.db, now, now + pace.lease, runs.0.worker, most).await;
    let claimed: Vec<(TenantId, RunId)> = match claimed {
        Ok(claimed) => claimed,
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "runs wait: the database cannot be asked");
            return;
        }
    };
    for (tenant, run) in claimed {
        let stops = Stops {
            taking: runs.0.takings.fetch_add(1, Ordering::Relaxed),
            ..Stops::default()
        };
        // A process that stood still may take a run from itself.
        if let Some(before) = runs.running().insert(run, stops.clone()) {
            before.lost.cancel();
        }
        let app = app.clone();
        tasks.spawn(async move {
            drive::run(&app, (tenant, run), &stops).await;
            let mut running = app.runs.running();
            if running
                .get(&run)
                .is_some_and(|now| now.taking == stops.taking)
            {
                running.remove(&run);
            }
        });
    }
}

/// A heartbeat. Runs whose lease is gone are another worker's.
async fn renew(app: &AppState) {
    let runs = &app.runs;
    let ours: Vec<RunId> = runs.running().keys().copied().collect();
    if ours.is_empty() {
        return;
    }
    let until = app.core.sources.now() + runs.0.pace.lease;
    match store::renew(&app.core.db, runs.0.worker, &ours, until).await {
        Ok(kept) => {
            let running = runs.running();
            for lost in ours.iter().filter(|run| !kept.contains(run)) {
                if let Some(stops) = running.get(lost) {
                    stops.lost.cancel();
                }
            }
        }
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "leases of runs could not be renewed");
        }
    }
}

/// Ends the runs that somebody wants to end through another process.
async fn end_wanted(app: &AppState) {
    let runs = &app.runs;
    if runs.running().is_empty() {
        return;
    }
    if let Ok(wanted) = store::to_cancel(&app.core.db, runs.0.worker).await {
        let running = runs.running();
        for stops in wanted.iter().filter_map(|run| running.get(run)) {
            stops.cancel.cancel();
        }
    }
}

async fn count_open(app: &AppState) {
    if let Ok(open) = store::open(&app.core.db).await {
        let now = app.core.sources.now();
        app.runs.note(|pulse| pulse.counted(&open, now));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
