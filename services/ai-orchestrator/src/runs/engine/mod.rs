//! Doing a run: tasks, questions to models, calls of tools. It always walks the run from its beginning; what the journal has is
//! taken from there, so that a second walk comes to where the first one ended without doing anything twice.

mod agent;
mod ask;
mod call;
mod crew;
mod meter;
mod output;
mod prompt;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use bz_kernel::{CrewId, SecretString, UserId};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    RunOutput, TaskResult,
    journal::{Entry, Event, Journal, Step},
    plan::Plan,
};
use crate::{
    app::AppState,
    knowledge::Citation,
    llm::{Charge, LlmError},
    tools::{self, Usable},
};
pub(super) use meter::{Meter, Used};

/// The most places of documents that a run names.
const MOST_CITATIONS: usize = 100;

/// Why a run does not go on now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Halt {
    /// It waits for a person.
    Blocked,
    /// The user's token is not accepted any more.
    Unauthorized,
    /// Somebody else may have what it needs in a while.
    Retry {
        /// For programs.
        code: String,
        /// For people.
        message: String,
    },
    /// It reached a limit.
    Limit {
        /// Which.
        limit: &'static str,
        /// For people.
        message: String,
    },
    /// It cannot go on.
    Failed {
        /// For programs.
        code: String,
        /// For people.
        message: String,
    },
    /// Somebody ended it.
    Cancelled,
    /// The process stops: another one goes on.
    Drained,
    /// It is another worker's, or the database does not answer.
    Lost,
}

impl Halt {
    /// It cannot go on.
    pub(super) fn failed(code: &str, message: impl Into<String>) -> Self {
        Self::Failed {
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

impl From<LlmError> for Halt {
    fn from(error: LlmError) -> Self {
        let (code, message) = (error.code().to_owned(), error.to_string());
        match error {
            LlmError::BudgetExceeded { .. } => Self::Limit {
                limit: "budget",
                message,
            },
            LlmError::Cancelled => Self::Drained,
            error if error.is_transient() => Self::Retry { code, message },
            _ => Self::Failed { code, message },
        }
    }
}

/// One walk through a run.
pub(crate) struct Engine {
    /// What the service has.
    pub app: AppState,
    /// What is to be done.
    pub plan: Plan,
    /// What it was given.
    pub inputs: Map<String, Value>,
    /// The crew, whose budget it is charged to as well.
    pub crew: Option<CrewId>,
    /// The tools that are there.
    pub tools: HashMap<String, Usable>,
    /// The user's token.
    pub token: Option<SecretString>,
    /// For whom it works.
    pub user: UserId,
    /// What is done.
    pub journal: Journal,
    /// What is used.
    pub meter: Meter,
    /// No further step, because the process stops.
    pub drain: CancellationToken,
    /// What it gave so far.
    pub made: Mutex<Made>,
}

/// What a run gave so far.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// Of tasks that are done.
    pub tasks: Vec<TaskResult>,
    /// The last words in others.
    pub words: BTreeMap<String, String>,
    /// The places of documents that were read.
    pub citations: Vec<Citation>,
}

impl Engine {
    /// Walks.
    ///
    /// # Errors
    /// [`Halt`].
    pub(crate) async fn run(&self) -> Result<RunOutput, Halt> {
        if self.journal.first_time("run.started", "") {
            self.tell(vec![(
                "run.started",
                json!({ "attempt": self.journal.attempt }),
            )])
            .await?;
        } else {
            self.tell(vec![(
                "run.resumed",
                json!({ "attempt": self.journal.attempt }),
            )])
            .await?;
        }
        let last = self.tasks().await?;
        let mut output = self.so_far();
        output.text = Some(last.text);
        output.data = last.data;
        output.unfinished = Map::new();
        Ok(output)
    }

    /// What it gave so far.
    pub(crate) fn so_far(&self) -> RunOutput {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let done = |task: &str| made.tasks.iter().any(|result| result.task == task);
        let words = made.words.iter().filter(|(task, _)| !done(task));
        RunOutput {
            tasks: made.tasks.clone(),
            citations: made.citations.clone(),
            unfinished: words
                .map(|(task, words)| (task.clone(), json!(words)))
                .collect(),
            ..RunOutput::default()
        }
    }

    /// Writes events.
    async fn tell(&self, events: Vec<(&'static str, Value)>) -> Result<(), Halt> {
        self.journal
            .write(Entry {
                events,
                worked_ms: self.meter.worked_ms(),
                ..Entry::default()
            })
            .await
    }

    /// Whether another step may begin.
    fn may_go_on(&self) -> Result<(), Halt> {
        if self.drain.is_cancelled() {
            return Err(Halt::Drained);
        }
        Ok(())
    }

    /// Whom questions to models are charged to.
    fn charge(&self) -> Charge {
        Charge {
            tenant: self.journal.scope().tenant(),
            user: self.user,
            run: Some(self.journal.run),
            crew: self.crew,
        }
    }

    fn done(&self, result: TaskResult) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.tasks.push(result);
    }

    /// Keeps the places of documents that a result names. Answers what there is to tell of a tool of this service.
    fn read(&self, step: &Step, result: &Value) -> Option<Event> {
        let (kind, what) = tools::happened(&step.name, &step.request["arguments"], result)?;
        let data = json!({ "task": step.task, "path": step.path, "what": what });
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        for citation in tools::citations(&step.name, result) {
            let known = made
                .citations
                .iter()
                .any(|it| it.chunk.id == citation.chunk.id);
            if !known && made.citations.len() < MOST_CITATIONS {
                made.citations.push(citation);
            }
        }
        Some((kind, data))
    }

    fn said(&self, task: &str, words: &str) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.words.insert(task.to_owned(), words.to_owned());
    }
}
