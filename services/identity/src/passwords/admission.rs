//! Who may hash now, who waits, and who is turned away.
//!
//! A hash is 20 ms of a core and 19 MiB. As many run at once as there are cores, on threads of their own with a lower
//! priority than the ones that answer requests; memory is charged by what each hash needs; the queue is short.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argon2::Block;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    Priority,
    crew::Crew,
    patience::{PATIENCE, Patience, Turn},
    phc::{MEMORY_KIB, MOST_MEMORY_KIB},
};

/// How many may wait for each one that runs.
const WAITING_PER_CORE: usize = 4;
/// How long one waits at most.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The queue is full, or the part of it that is for one of those who ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// The hashing threads and the queue in front of them.
pub(super) struct Hasher {
    /// One permit for each hash that runs or waits.
    places: Arc<Semaphore>,
    /// KiB of memory.
    memory: Arc<Semaphore>,
    shares: Arc<Shares>,
    /// Threads that take what nobody else wants, where hashes may run on those.
    idle: Option<Crew>,
    crew: Crew,
    patience: Arc<Patience>,
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

/// What a hash holds from its admission to its end, whether or not somebody still waits for it.
pub(super) struct Admitted {
    _place: OwnedSemaphorePermit,
    _memory: OwnedSemaphorePermit,
    _thread: OwnedSemaphorePermit,
    _share: Share,
}

impl Hasher {
    /// Starts `cores` threads, or as many of two priorities of which one set works at a time.
    pub(super) fn start(cores: usize, priority: Priority) -> Self {
        let (idle, priority) = match priority {
            Priority::Auto => (Some(Crew::start(cores, Priority::Idle)), Priority::Low),
            one => (None, one),
        };
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
            idle,
            crew: Crew::start(cores, priority),
            patience: Arc::default(),
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
        let (crew, patience) = self.choose();
        let admitted = self.admit(asker, memory_kib, crew).await;
        let admitted = admitted.inspect_err(|Full| {
            metrics::counter!("identity_password_hashes_rejected_total").increment(1);
        })?;
        let (answer, mut answered) = oneshot::channel();
        let started = std::time::Instant::now();
        let watching = patience.clone();
        let work = move |memory: &mut Memory| {
            let out = match &watching {
                Some(patience) => patience.watch(|| work(memory)),
                None => work(memory),
            };
            metrics::histogram!("identity_password_hash_seconds").record(started.elapsed());
            // The caller may be gone.
            let _unwanted = answer.send(out);
        };
        crew.submit(admitted, work);
        if let Some(patience) = patience {
            match tokio::time::timeout(PATIENCE, &mut answered).await {
                Ok(answer) => return answer.map_err(|_| Full),
                Err(_) => patience.lose(),
            }
        }
        answered.await.map_err(|_| Full)
    }

    /// The threads for the next hash, and who is told when they get nothing to run on.
    fn choose(&self) -> (&Crew, Option<Arc<Patience>>) {
        let Some(idle) = &self.idle else {
            return (&self.crew, None);
        };
        match self.patience.ask() {
            Turn::Idle => return (idle, Some(Arc::clone(&self.patience))),
            Turn::Low => {}
            Turn::Probe => match Arc::clone(idle.threads()).try_acquire_owned() {
                Ok(thread) => {
                    let patience = Arc::clone(&self.patience);
                    idle.submit(thread, move |_| patience.probe());
                }
                // All of them are still at what they did not get done.
                Err(_) => self.patience.lose(),
            },
        }
        (&self.crew, None)
    }

    async fn admit(&self, asker: &str, memory_kib: u32, crew: &Crew) -> Result<Admitted, Full> {
        let share = Shares::take(&self.shares, asker).ok_or(Full)?;
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| Full)?;
        let both = async {
            let memory = Arc::clone(&self.memory)
                .acquire_many_owned(memory_kib)
                .await;
            (memory, Arc::clone(crew.threads()).acquire_owned().await)
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

/// The memory of one hash, reused by the next one on the same thread.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

/// glibc keeps a freed allocation for itself when it is of a size that it has seen freed before, up to this many
/// bytes (`DEFAULT_MMAP_THRESHOLD_MAX`); larger ones go back to the kernel. Address space is reserved above it, only
/// what a hash needs is touched.
const GIVEN_BACK_WHEN_FREED: usize = 32 * 1024 * 1024 + Block::SIZE;

impl Memory {
    /// How many blocks a hash has used.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

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
