//! The hashing threads of one priority.

use std::sync::{
    Arc, Mutex, PoisonError, Weak,
    mpsc::{self, Receiver, RecvTimeoutError, Sender},
};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{Priority, admission::Memory, phc::MEMORY_KIB};

/// How long an idle thread keeps its memory for the next hash, which then starts without page faults.
const KEEP_MEMORY: Duration = Duration::from_secs(2);

/// A hash on its way to a thread.
struct Job {
    work: Box<dyn FnOnce(&mut Memory) + Send>,
    /// What others may have when it is done, a permit for a thread among it.
    held: Box<dyn Send>,
}

/// Threads, and who may have one.
pub(super) struct Crew {
    threads: Arc<Semaphore>,
    pool: Arc<Pool>,
}

struct Pool {
    jobs: Vec<Sender<Job>>,
    /// Threads without a job, the last used on top: it is the one whose memory is still there.
    idle: Mutex<Vec<usize>>,
}

impl Crew {
    /// Starts so many threads.
    pub(super) fn start(count: usize, priority: Priority) -> Self {
        let (jobs, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::channel()).unzip();
        let pool = Arc::new(Pool {
            jobs,
            idle: Mutex::new((0..count).collect()),
        });
        for (index, receiver) in receivers.into_iter().enumerate() {
            start_thread(index, receiver, Arc::downgrade(&pool), priority);
        }
        Self {
            threads: Arc::new(Semaphore::new(count)),
            pool,
        }
    }

    /// One permit for each thread.
    pub(super) const fn threads(&self) -> &Arc<Semaphore> {
        &self.threads
    }

    /// Hands work to an idle thread for somebody who holds a thread's permit.
    pub(super) fn submit(
        &self,
        held: impl Send + 'static,
        work: impl FnOnce(&mut Memory) + Send + 'static,
    ) {
        self.pool.submit(Job {
            work: Box::new(work),
            held: Box::new(held),
        });
    }
}

impl Pool {
    /// Hands the job to an idle thread. There is one: the job holds a thread's permit.
    fn submit(&self, job: Job) {
        if let Some(index) = self.idle().pop()
            && let Some(thread) = self.jobs.get(index)
        {
            // A closed channel drops the job, and the caller is told by its closed answer.
            let _closed = thread.send(job);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<usize>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread ends when the pool is gone, because its channel is closed then.
#[expect(
    clippy::expect_used,
    reason = "a process that cannot start two threads cannot serve either"
)]
fn start_thread(index: usize, jobs: Receiver<Job>, pool: Weak<Pool>, priority: Priority) {
    std::thread::Builder::new()
        .name(format!("password-{index}"))
        .spawn(move || {
            priority.take();
            work(index, &jobs, &pool);
        })
        .expect("a thread");
}

fn work(index: usize, jobs: &Receiver<Job>, pool: &Weak<Pool>) {
    let mut memory = Memory::default();
    loop {
        let job = if memory.is_empty() {
            jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            jobs.recv_timeout(KEEP_MEMORY)
        };
        match job {
            Ok(Job { work, held }) => {
                // A panic of one job must not take the thread, and with it a core's worth of logins.
                if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&mut memory)))
                    .is_err()
                {
                    tracing::error!("a password hash panicked");
                }
                // Old hashes are larger, and rare.
                if memory.len() > MEMORY_KIB as usize {
                    memory = Memory::default();
                }
                // First idle, then free: whoever gets the permit must find the thread.
                if let Some(pool) = pool.upgrade() {
                    pool.idle().push(index);
                }
                drop(held);
            }
            Err(RecvTimeoutError::Timeout) => memory = Memory::default(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
