//! Who may hash now, who waits, and who is turned away.
//!
//! A hash is 20 ms of a core and 19 MiB. As many run at once as there are cores, on threads of their own with a lower
//! priority than the ones that answer requests; memory is charged by what each hash needs; the queue is short.

use std::collections::HashMap;
use std::sync::{
    Arc, Mutex, PoisonError, Weak,
    mpsc::{self, Receiver, RecvTimeoutError, Sender},
};
use std::time::Duration;

use argon2::Block;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    Priority,
    phc::{MEMORY_KIB, MOST_MEMORY_KIB},
};

/// How many may wait for each one that runs.
const WAITING_PER_CORE: usize = 4;
/// How long one waits at most.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// How long an idle thread keeps its memory for the next hash, which then starts without page faults.
const KEEP_MEMORY: Duration = Duration::from_secs(2);

/// The queue is full, or the part of it that is for one of those who ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// A hash on its way to a thread.
struct Job {
    work: Box<dyn FnOnce(&mut Memory) + Send>,
    admitted: Admitted,
}

/// The hashing threads and the queue in front of them.
pub(super) struct Hasher {
    /// One permit for each hash that runs or waits.
    places: Arc<Semaphore>,
    /// KiB of memory.
    memory: Arc<Semaphore>,
    /// One permit for each thread.
    threads: Arc<Semaphore>,
    shares: Arc<Shares>,
    pool: Arc<Pool>,
}

/// How many places those who ask have now, by their name: a tenant, a network.
struct Shares {
    places: usize,
    held: Mutex<HashMap<String, usize>>,
}

/// One place in somebody's share.
struct Share {
    shares: Arc<Shares>,
    of: String,
}

struct Pool {
    jobs: Vec<Sender<Job>>,
    /// Threads without a job, the last used on top: it is the one whose memory is still there.
    idle: Mutex<Vec<usize>>,
}

/// What a hash holds from its admission to its end, whether or not somebody still waits for it.
struct Admitted {
    _place: OwnedSemaphorePermit,
    _memory: OwnedSemaphorePermit,
    _thread: OwnedSemaphorePermit,
    _share: Share,
}

impl Hasher {
    /// Starts `cores` threads.
    pub(super) fn start(cores: usize, priority: Priority) -> Self {
        let (jobs, receivers): (Vec<_>, Vec<_>) = (0..cores).map(|_| mpsc::channel()).unzip();
        let pool = Arc::new(Pool {
            jobs,
            idle: Mutex::new((0..cores).collect()),
        });
        for (index, receiver) in receivers.into_iter().enumerate() {
            start_thread(index, receiver, Arc::downgrade(&pool), priority);
        }
        // A hash with the most memory that is allowed must fit, or it would wait for ever.
        let memory = (cores * MEMORY_KIB as usize).max(MOST_MEMORY_KIB as usize);
        let places = cores * (1 + WAITING_PER_CORE);
        Self {
            places: Arc::new(Semaphore::new(places)),
            shares: Arc::new(Shares {
                places,
                held: Mutex::default(),
            }),
            memory: Arc::new(Semaphore::new(memory)),
            threads: Arc::new(Semaphore::new(cores)),
            pool,
        }
    }

    /// Runs `work` on a hashing thread once `memory_kib` and a thread are free. The work is finished when the caller
    /// goes away meanwhile, and its place is only then free again.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        asker: &str,
        memory_kib: u32,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Full> {
        let admitted = self.admit(asker, memory_kib).await.inspect_err(|Full| {
            metrics::counter!("identity_password_hashes_rejected_total").increment(1);
        })?;
        let (answer, answered) = oneshot::channel();
        let started = std::time::Instant::now();
        let work = Box::new(move |memory: &mut Memory| {
            let out = work(memory);
            metrics::histogram!("identity_password_hash_seconds").record(started.elapsed());
            // The caller may be gone.
            let _unwanted = answer.send(out);
        });
        self.pool.submit(Job { work, admitted });
        answered.await.map_err(|_| Full)
    }

    async fn admit(&self, asker: &str, memory_kib: u32) -> Result<Admitted, Full> {
        let share = Shares::take(&self.shares, asker).ok_or(Full)?;
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| Full)?;
        let both = async {
            let memory = Arc::clone(&self.memory)
                .acquire_many_owned(memory_kib)
                .await;
            (memory, Arc::clone(&self.threads).acquire_owned().await)
        };
        match tokio::time::timeout(LONGEST_WAIT, both).await {
            Ok((Ok(memory), Ok(thread))) => Ok(Admitted {
                _place: place,
                _memory: memory,
                _thread: thread,
                _share: share,
            }),
            _ => Err(Full),
        }
    }
}

impl Shares {
    /// A place for one who asks. The places are divided evenly among those who have some, and a quarter is never one's
    /// alone: whoever comes second finds room.
    fn take(shares: &Arc<Self>, asker: &str) -> Option<Share> {
        let mut held = shares.held();
        let others = held.len() - usize::from(held.contains_key(asker));
        let most = (shares.places / (others + 1)).min(shares.places - shares.places / 4);
        let mine = held.entry(asker.to_owned()).or_default();
        if *mine >= most.max(1) {
            return None;
        }
        *mine += 1;
        Some(Share {
            shares: Arc::clone(shares),
            of: asker.to_owned(),
        })
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<String, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.shares.held();
        if let Some(mine) = held.get_mut(&self.of) {
            *mine -= 1;
            if *mine == 0 {
                held.remove(&self.of);
            }
        }
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
        let job = if memory.0.is_empty() {
            jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            jobs.recv_timeout(KEEP_MEMORY)
        };
        match job {
            Ok(Job { work, admitted }) => {
                // A panic of one job must not take the thread, and with it a core's worth of logins.
                if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&mut memory)))
                    .is_err()
                {
                    tracing::error!("a password hash panicked");
                }
                // Old hashes are larger, and rare.
                if memory.0.len() > MEMORY_KIB as usize {
                    memory = Memory::default();
                }
                // First idle, then free: whoever gets the permit must find the thread.
                if let Some(pool) = pool.upgrade() {
                    pool.idle().push(index);
                }
                drop(admitted);
            }
            Err(RecvTimeoutError::Timeout) => memory = Memory::default(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// The memory of one hash, reused by the next one on the same thread.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

/// glibc keeps a freed allocation for itself when it is of a size that it has seen freed before, up to this many
/// bytes (`DEFAULT_MMAP_THRESHOLD_MAX`); larger ones go back to the kernel. Address space is reserved above it, only
/// what a hash needs is touched.
const GIVEN_BACK_WHEN_FREED: usize = 32 * 1024 * 1024 + Block::SIZE;

impl Memory {
    /// At least `count` blocks; what is in them does not matter to Argon2.
    pub(super) fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.0.capacity() < count {
            self.0 = Vec::with_capacity(count.max(GIVEN_BACK_WHEN_FREED / Block::SIZE));
        }
        if self.0.len() < count {
            self.0.resize(count, Block::new());
        }
        &mut self.0[..count]
    }
}
