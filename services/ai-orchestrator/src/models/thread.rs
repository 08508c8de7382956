//! The one thread that does the models' work. Vectors take milliseconds and are made between two tokens of a chat; chats
//! wait for one another. Nothing that happens here ends the service.

use std::{
    collections::VecDeque,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Weak, mpsc::Receiver},
    time::Instant,
};

use aws_lc_rs::digest;
use bz_inference::{ChatModel, Encoder, Error, Generate, Generated, on_one_thread};
use tokio::sync::{OwnedSemaphorePermit, mpsc::UnboundedSender, oneshot};

use super::{
    Inner, ModelError, State,
    known::{CHAT_FILE, KNOWN, Known, Purpose},
};

/// How much of a file is in memory while its checksum is computed.
const CHUNK: usize = 1024 * 1024;

/// Work for the thread. Dropping the other end of the answer ends it.
pub(super) enum Job {
    Load(usize),
    Unload(usize),
    Embed(
        Vec<String>,
        oneshot::Sender<Result<Vec<Vec<f32>>, ModelError>>,
        OwnedSemaphorePermit,
    ),
    Chat(
        Box<Generate>,
        Option<UnboundedSender<String>>,
        oneshot::Sender<Result<Generated, ModelError>>,
        OwnedSemaphorePermit,
    ),
}

/// What the thread holds.
struct Worker {
    folder: PathBuf,
    context: usize,
    jobs: Receiver<Job>,
    /// What came while a chat was at work.
    waiting: VecDeque<Job>,
    states: Weak<Inner>,
    encoder: Option<Encoder>,
    chat: Option<ChatModel>,
}

/// Starts the thread, which ends when the sender of its jobs is gone.
pub(super) fn spawn(
    folder: PathBuf,
    context: usize,
    jobs: Receiver<Job>,
    states: Weak<Inner>,
) -> std::io::Result<()> {
    let run = move || {
        let pool = on_one_thread();
        if let Err(error) = &pool {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "the models have no thread"
            );
            return;
        }
        let worker = Worker {
            folder,
            context,
            jobs,
            waiting: VecDeque::new(),
            states,
            encoder: None,
            chat: None,
        };
        worker.run();
    };
    let thread = std::thread::Builder::new().name("inference".to_owned());
    thread.spawn(run).map(drop)
}

impl Worker {
    fn run(mut self) {
        loop {
            let job = match self.waiting.pop_front() {
                Some(job) => job,
                None => match self.jobs.recv() {
                    Ok(job) => job,
                    Err(_) => return,
                },
            };
            // A panic within the libraries drops the other end of the answer, which is an answer as well.
            if catch_unwind(AssertUnwindSafe(|| self.perform(job))).is_err() {
                tracing::error!("a model panicked");
            }
        }
    }

    fn perform(&mut self, job: Job) {
        match job {
            Job::Load(index) => self.load(index),
            Job::Unload(index) => match KNOWN[index].purpose {
                Purpose::Embeddings => self.encoder = None,
                Purpose::Chat => self.chat = None,
            },
            Job::Embed(texts, answer, _room) => embed(self.encoder.as_ref(), &texts, answer),
            Job::Chat(request, pieces, answer, _room) => {
                self.chat(&request, pieces.as_ref(), answer);
            }
        }
    }

    fn load(&mut self, index: usize) {
        let (known, begun) = (&KNOWN[index], Instant::now());
        let folder = self.folder.join(known.name);
        let loaded = catch_unwind(AssertUnwindSafe(|| self.load_from(known, &folder)));
        let loaded = loaded.unwrap_or_else(|_| Err(Error::Engine("it panicked".to_owned())));
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (state, problem) = match loaded {
            Ok(()) => {
                tracing::info!(model = known.name, load_ms = milliseconds, "model loaded");
                (State::Ready, None)
            }
            Err(error) => {
                tracing::error!(
                    model = known.name,
                    error = &error as &dyn std::error::Error,
                    "model not loaded"
                );
                (State::Failed, Some(error.to_string()))
            }
        };
        if let Some(states) = self.states.upgrade() {
            states.tell(index, state, Some(milliseconds), problem);
        }
    }

    fn load_from(&mut self, known: &Known, folder: &Path) -> Result<(), Error> {
        for (name, sha256) in known.files {
            if file_sha256(&folder.join(name))? != *sha256 {
                return Err(Error::Format(format!("{name} has another SHA-256")));
            }
        }
        match known.purpose {
            Purpose::Embeddings => self.encoder = Some(Encoder::load(folder)?),
            Purpose::Chat => {
                self.chat = Some(ChatModel::load(&folder.join(CHAT_FILE), self.context)?);
            }
        }
        Ok(())
    }

    fn chat(
        &mut self,
        request: &Generate,
        pieces: Option<&UnboundedSender<String>>,
        answer: oneshot::Sender<Result<Generated, ModelError>>,
    ) {
        let Self {
            jobs,
            waiting,
            encoder,
            chat,
            ..
        } = self;
        let Some(chat) = chat else {
            let _gone = answer.send(Err(ModelError::NotLoaded));
            return;
        };
        let mut progress = |piece: &str| {
            while let Ok(job) = jobs.try_recv() {
                match job {
                    Job::Embed(texts, answer, _room) => embed(encoder.as_ref(), &texts, answer),
                    job => waiting.push_back(job),
                }
            }
            let listens = match pieces {
                Some(pieces) if !piece.is_empty() => pieces.send(piece.to_owned()).is_ok(),
                _ => true,
            };
            if listens && !answer.is_closed() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let made = chat.generate(request, &mut progress);
        let _gone = answer.send(made.map_err(ModelError::Failed));
    }
}

fn embed(
    encoder: Option<&Encoder>,
    texts: &[String],
    answer: oneshot::Sender<Result<Vec<Vec<f32>>, ModelError>>,
) {
    let Some(encoder) = encoder else {
        let _gone = answer.send(Err(ModelError::NotLoaded));
        return;
    };
    let mut vectors = Vec::with_capacity(texts.len());
    for text in texts {
        if answer.is_closed() {
            return;
        }
        match encoder.embed(text) {
            Ok(vector) => vectors.push(vector),
            Err(error) => {
                let _gone = answer.send(Err(ModelError::Failed(error)));
                return;
            }
        }
    }
    let _gone = answer.send(Ok(vectors));
}

fn file_sha256(path: &Path) -> Result<String, Error> {
    use std::{fs::File, io::Read};
    let (mut file, mut context) = (File::open(path)?, digest::Context::new(&digest::SHA256));
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        context.update(&chunk[..read]);
    }
    Ok(hex::encode(context.finish()))
}
