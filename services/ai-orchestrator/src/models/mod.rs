//! The models within the process. They are loaded in the background when the service starts and `MODEL_DIR` has them; one
//! that is not there or cannot be loaded is told in `/health`, and what needs it does without.

mod known;
mod list;
mod load;
mod thread;
mod unload;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, mpsc},
};

use axum::http::StatusCode;
use bz_auth::Caller;
use bz_http::{Problem, Routes, routes};
use bz_inference::{Generate, Generated};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc::UnboundedSender, oneshot};
use utoipa::ToSchema;

pub(crate) use known::{CHAT, EMBEDDINGS, Purpose};
use known::{KNOWN, Known};
use thread::Job;

use crate::app::AppState;

bz_auth::permissions! {
    /// See the models within the process.
    ModelsRead = "models:read",
    /// Load and unload them.
    ModelsManage = "models:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_models_in_process))
        .routes(routes!(load::load_model))
        .routes(routes!(unload::unload_model))
}

/// Work that may wait for the one thread; more is refused.
const MAX_WAITING: usize = 64;
/// When to try again then.
const BUSY_SECONDS: u32 = 2;

/// How a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Its files are not in `MODEL_DIR`.
    Absent,
    /// It is being loaded, or waits for it.
    Loading,
    /// It works.
    Ready,
    /// It could not be loaded.
    Failed,
    /// Somebody unloaded it.
    Unloaded,
}

/// A model within the process.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Model {
    /// Name for programs.
    name: &'static str,
    purpose: Purpose,
    state: State,
    /// How long loading took.
    load_ms: Option<u64>,
    /// Why it could not be loaded.
    problem: Option<String>,
    files: Vec<File>,
}

/// A file that a model is loaded from.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct File {
    name: &'static str,
    /// The checksum that it must have, and has when the model is ready.
    sha256: &'static str,
}

/// Why a model gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModelError {
    /// It is not loaded.
    #[error("the model is not loaded")]
    NotLoaded,
    /// Too much waits for it already.
    #[error("too many requests wait for the model")]
    Busy,
    /// It failed, or found fault with the request.
    #[error("the model gave no answer")]
    Failed(#[source] bz_inference::Error),
}

impl From<ModelError> for Problem {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::NotLoaded => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "model_not_loaded",
                "The model is not loaded",
            ),
            ModelError::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "model_busy",
                "Too many requests wait for the model",
            )
            .retry_after(BUSY_SECONDS),
            ModelError::Failed(error) => Self::internal(error),
        }
    }
}

/// The models. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Models(Arc<Inner>);

struct Inner {
    folder: Option<PathBuf>,
    states: Mutex<[Told; KNOWN.len()]>,
    /// To the thread; dropping it ends the thread.
    jobs: Option<mpsc::Sender<Job>>,
    room: Arc<Semaphore>,
}

/// What is known of a model's state.
#[derive(Debug, Clone)]
struct Told {
    state: State,
    load_ms: Option<u64>,
    problem: Option<String>,
}

impl Models {
    /// The models of a folder; begins to load them. Without a folder there is no thread for them either.
    ///
    /// # Errors
    /// When the thread cannot be made.
    pub(crate) fn start(folder: Option<PathBuf>, context: usize) -> anyhow::Result<Self> {
        let absent = Told {
            state: State::Absent,
            load_ms: None,
            problem: None,
        };
        let (jobs, queue) = mpsc::channel();
        let models = Self(Arc::new(Inner {
            jobs: folder.is_some().then_some(jobs),
            folder: folder.clone(),
            states: Mutex::new([absent.clone(), absent]),
            room: Arc::new(Semaphore::new(MAX_WAITING)),
        }));
        if let Some(folder) = folder {
            thread::spawn(folder, context, queue, Arc::downgrade(&models.0))?;
            for index in 0..KNOWN.len() {
                models.load(index);
            }
        }
        Ok(models)
    }

    /// All models.
    pub(crate) fn list(&self) -> Vec<Model> {
        let states = self.states();
        KNOWN
            .iter()
            .zip(states)
            .map(|(known, told)| Model::of(known, told))
            .collect()
    }

    /// What `/health` says of them: those that are there.
    pub(crate) fn health(&self) -> Vec<Value> {
        let there = self
            .list()
            .into_iter()
            .filter(|model| model.state != State::Absent);
        there
            .map(|model| json!({ "name": model.name, "state": model.state, "load_ms": model.load_ms }))
            .collect()
    }

    fn states(&self) -> [Told; KNOWN.len()] {
        let states = self.0.states.lock();
        states.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a model works, or is about to.
    pub(crate) fn offers(&self, name: &str) -> bool {
        let mut models = KNOWN.iter().zip(self.states());
        models.any(|(known, told)| {
            known.name == name && matches!(told.state, State::Ready | State::Loading)
        })
    }

    /// Whether one is being loaded.
    pub(crate) fn is_loading(&self) -> bool {
        let states = self.states();
        states.iter().any(|told| told.state == State::Loading)
    }

    /// Whether all that was to be loaded is or will be; none when there is nothing to load.
    pub(crate) fn healthy(&self) -> Option<bool> {
        let states = self.states();
        self.0
            .folder
            .as_ref()
            .map(|_| states.iter().all(|told| told.state != State::Failed))
    }

    /// Begins to load a model; answers what it is then. One whose files are not there stays absent.
    fn load(&self, index: usize) -> Model {
        let known = &KNOWN[index];
        let there = self.0.folder.as_ref().is_some_and(|folder| {
            let folder = folder.join(known.name);
            known
                .files
                .iter()
                .all(|(name, _)| folder.join(name).is_file())
        });
        let state = self.states()[index].state;
        if !there {
            self.0.tell(index, State::Absent, None, None);
        } else if !matches!(state, State::Ready | State::Loading) {
            self.0.tell(index, State::Loading, None, None);
            self.0.send(Job::Load(index));
        }
        Model::of(known, self.states()[index].clone())
    }

    /// Begins to unload a model.
    fn unload(&self, index: usize) -> Model {
        if matches!(self.states()[index].state, State::Ready | State::Loading) {
            self.0.tell(index, State::Unloaded, None, None);
            self.0.send(Job::Unload(index));
        }
        Model::of(&KNOWN[index], self.states()[index].clone())
    }

    /// Vectors of texts by the model for them.
    pub(crate) async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        let (answer, wait) = oneshot::channel();
        self.work(|room| Job::Embed(texts, answer, room))?;
        wait.await.map_err(|_| ModelError::NotLoaded)?
    }

    /// An answer of the chat model; `pieces` gets it piece by piece. It ends when the future is dropped.
    pub(crate) async fn chat(
        &self,
        request: Generate,
        pieces: Option<UnboundedSender<String>>,
    ) -> Result<Generated, ModelError> {
        let (answer, wait) = oneshot::channel();
        self.work(|room| Job::Chat(Box::new(request), pieces, answer, room))?;
        wait.await.map_err(|_| ModelError::NotLoaded)?
    }

    fn work(
        &self,
        job: impl FnOnce(tokio::sync::OwnedSemaphorePermit) -> Job,
    ) -> Result<(), ModelError> {
        let room = Arc::clone(&self.0.room).try_acquire_owned();
        let room = room.map_err(|_| ModelError::Busy)?;
        if self.0.send(job(room)) {
            Ok(())
        } else {
            Err(ModelError::NotLoaded)
        }
    }
}

impl Inner {
    fn send(&self, job: Job) -> bool {
        self.jobs
            .as_ref()
            .is_some_and(|jobs| jobs.send(job).is_ok())
    }

    fn tell(&self, index: usize, state: State, load_ms: Option<u64>, problem: Option<String>) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states[index] = Told {
            state,
            load_ms,
            problem,
        };
    }
}

impl Model {
    fn of(known: &Known, told: Told) -> Self {
        let files = known.files.iter();
        Self {
            name: known.name,
            purpose: known.purpose,
            state: told.state,
            load_ms: told.load_ms,
            problem: told.problem,
            files: files.map(|&(name, sha256)| File { name, sha256 }).collect(),
        }
    }
}

/// Goes on for administrators of the tenant that the installation names, since the models are everybody's.
fn may_manage(app: &AppState, caller: &Caller) -> Result<(), Problem> {
    if app.model_admin_tenant == Some(caller.tenant().as_uuid()) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "forbidden",
        "The models belong to the whole installation",
    )
    .detail(
        "Only administrators of the tenant that MODEL_ADMIN_TENANT names may load and unload them.",
    ))
}

/// The place of a model in the list.
fn place(name: &str) -> Result<usize, Problem> {
    let place = KNOWN.iter().position(|known| known.name == name);
    place.ok_or_else(Problem::not_found)
}
