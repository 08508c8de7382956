//! Who watches runs hears at once of what this process writes, and of what models say before that is written.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bz_kernel::RunId;
use tokio::sync::broadcast;

/// More than a watcher needs who only looks again.
const KEPT: usize = 1024;

/// What there is to hear.
#[derive(Debug, Clone, Copy)]
pub(crate) enum News {
    /// A run has told something: it is written.
    Told(RunId),
    /// A model goes on with an answer.
    Said(RunId),
}

/// The hub. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hub(Arc<Inner>);

struct Inner {
    news: broadcast::Sender<News>,
    runs: Mutex<HashMap<RunId, Watched>>,
}

/// A run that somebody watches.
#[derive(Default)]
struct Watched {
    watchers: Vec<Begun>,
    /// Those that are being given now.
    answers: Vec<Arc<Answer>>,
}

/// Answers that have begun and that a watcher has not come to yet.
type Begun = Arc<Mutex<Vec<Arc<Answer>>>>;

/// An answer as far as it has come.
pub(crate) struct Answer {
    path: String,
    attempt: i32,
    text: Mutex<String>,
}

impl Answer {
    /// What came behind so many bytes, if anything did.
    pub(crate) fn behind(&self, bytes: usize) -> Option<String> {
        let text = lock(&self.text);
        let rest = text.get(bytes..).filter(|rest| !rest.is_empty());
        rest.map(str::to_owned)
    }
}

impl Hub {
    /// A hub without anybody.
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner {
            news: broadcast::channel(KEPT).0,
            runs: Mutex::default(),
        }))
    }

    /// A run has told something.
    pub(super) fn tell(&self, run: RunId) {
        self.send(News::Told(run));
    }

    fn send(&self, news: News) {
        // Nobody has to watch.
        let _watched = self.0.news.send(news);
    }

    /// Watches a run from now on.
    pub(crate) fn watch(&self, run: RunId) -> Watch {
        let mut runs = lock(&self.0.runs);
        let watched = runs.entry(run).or_default();
        let begun = Arc::new(Mutex::new(watched.answers.clone()));
        watched.watchers.push(Arc::clone(&begun));
        Watch {
            news: self.0.news.subscribe(),
            hub: self.clone(),
            run,
            begun,
        }
    }

    /// An answer that begins at a place in a run; none when nobody watches.
    pub(crate) fn answering(&self, run: RunId, path: &str, attempt: i32) -> Option<Answering> {
        let mut runs = lock(&self.0.runs);
        let watched = runs.get_mut(&run)?;
        if watched.watchers.is_empty() {
            return None;
        }
        let answer = Arc::new(Answer {
            path: path.to_owned(),
            attempt,
            text: Mutex::default(),
        });
        watched.answers.push(Arc::clone(&answer));
        for begun in &watched.watchers {
            lock(begun).push(Arc::clone(&answer));
        }
        let hub = self.clone();
        Some(Answering { hub, run, answer })
    }

    fn change(&self, run: RunId, change: impl FnOnce(&mut Watched)) {
        let mut runs = lock(&self.0.runs);
        if let Some(watched) = runs.get_mut(&run) {
            change(watched);
            if watched.watchers.is_empty() && watched.answers.is_empty() {
                runs.remove(&run);
            }
        }
    }
}

/// Somebody who watches a run, until it is dropped.
pub(crate) struct Watch {
    hub: Hub,
    run: RunId,
    news: broadcast::Receiver<News>,
    begun: Begun,
}

impl Watch {
    /// The next news of any run; an error when some were missed.
    pub(crate) async fn recv(&mut self) -> Result<News, broadcast::error::RecvError> {
        self.news.recv().await
    }

    /// The answer that a worker's attempt gives, or gave meanwhile, at a place.
    pub(crate) fn answer(&self, path: &str, attempt: i64) -> Option<Arc<Answer>> {
        let mut begun = lock(&self.begun);
        let wanted =
            |answer: &Arc<Answer>| answer.path == path && i64::from(answer.attempt) == attempt;
        let at = begun.iter().position(wanted)?;
        Some(begun.swap_remove(at))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let is_other = |begun: &Begun| !Arc::ptr_eq(begun, &self.begun);
        self.hub
            .change(self.run, |run| run.watchers.retain(is_other));
    }
}

/// An answer that is being given, until it is dropped.
pub(crate) struct Answering {
    hub: Hub,
    run: RunId,
    answer: Arc<Answer>,
}

impl Answering {
    /// It goes on.
    pub(crate) fn say(&self, piece: &str) {
        lock(&self.answer.text).push_str(piece);
        self.hub.send(News::Said(self.run));
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let is_other = |answer: &Arc<Answer>| !Arc::ptr_eq(answer, &self.answer);
        self.hub
            .change(self.run, |run| run.answers.retain(is_other));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
