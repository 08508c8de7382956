//! A provider of a language model that is bytes on a socket, so that it can misbehave as servers do.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::request::Request;

/// What the provider does with a request.
#[derive(Debug, Clone)]
pub enum Act {
    /// Sends this and closes.
    Send(Vec<u8>),
    /// Thinks for so long, then sends this and closes.
    Later(Duration, Vec<u8>),
    /// Sends these, each after a pause, and closes.
    Slowly(Duration, Vec<Vec<u8>>),
    /// Sends this and then keeps the connection in silence.
    FallSilent(Vec<u8>),
    /// Sends the first and then the second without end.
    Forever(Vec<u8>, Vec<u8>),
}

impl Act {
    /// An answer with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::answer(
            status,
            "content-type: application/json\r\n",
            &body.to_string(),
        )
    }

    /// Any answer.
    #[must_use]
    pub fn answer(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        Self::Send(answer.into_bytes())
    }

    async fn perform(self, stream: &mut TcpStream) -> std::io::Result<()> {
        match self {
            Self::Send(bytes) => stream.write_all(&bytes).await,
            Self::Later(pause, bytes) => {
                tokio::time::sleep(pause).await;
                stream.write_all(&bytes).await
            }
            Self::Slowly(pause, pieces) => {
                for bytes in pieces {
                    tokio::time::sleep(pause).await;
                    stream.write_all(&bytes).await?;
                }
                Ok(())
            }
            Self::FallSilent(bytes) => {
                stream.write_all(&bytes).await?;
                // Ends when the client hangs up.
                stream.read_u8().await.map(drop)
            }
            Self::Forever(head, piece) => {
                stream.write_all(&head).await?;
                loop {
                    stream.write_all(&piece).await?;
                }
            }
        }
    }
}

/// A request that the provider was sent.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Where it went.
    pub path: String,
    /// Its first line and headers, in small letters.
    pub head: String,
    /// Its body.
    pub body: Value,
}

impl Seen {
    fn of(request: &Request) -> Option<Self> {
        let head = request.head.to_lowercase();
        Some(Self {
            path: head.split(' ').nth(1)?.to_owned(),
            body: serde_json::from_slice(&request.body).unwrap_or_default(),
            head,
        })
    }
}

type Script = dyn Fn(&Seen) -> Act + Send + Sync;

/// A running provider; gone when dropped.
#[derive(Debug)]
pub struct Provider {
    address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    open: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Provider {
    /// A provider that lists one model and does with everything else what the script says.
    pub async fn start(script: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        let models = json!({ "data": [{ "id": "smollm2-135m", "object": "model" }] });
        let models = Act::json(200, &models);
        Self::scripted(move |seen| match seen.path.as_str() {
            "/v1/models" => models.clone(),
            _ => script(seen),
        })
        .await
    }

    /// A provider that does with every request what the script says.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn scripted(script: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("there is a port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let (seen, open) = (Arc::default(), Arc::default());
        let desk = Arc::new(Desk {
            script: Box::new(script),
            seen: Arc::clone(&seen),
            open: Arc::clone(&open),
        });
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&desk).serve(stream));
            }
        });
        Self {
            address,
            seen,
            open,
            task,
        }
    }

    /// A provider that lists one model and does the same with every other request.
    pub async fn that(act: Act) -> Self {
        Self::start(move |_| act.clone()).await
    }

    /// A provider that is content with everything.
    pub async fn obliging() -> Self {
        Self::start(|seen| {
            let count = seen.body["input"].as_array().map_or(0, Vec::len);
            let vectors = (0..count).map(|n| json!({ "index": n, "embedding": [1.0] }));
            let vectors: Vec<Value> = vectors.collect();
            Act::json(200, &json!({ "choices": [], "data": vectors }))
        })
        .await
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How many connections are open that have brought a request.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(SeqCst)
    }

    /// How many requests came, but those for the list of models.
    ///
    /// # Panics
    /// When a script panicked.
    #[must_use]
    pub fn count(&self) -> usize {
        let seen = self.seen.lock().expect("no script panicked");
        seen.iter().filter(|seen| seen.path != "/v1/models").count()
    }

    /// The last request but those for the list of models.
    ///
    /// # Panics
    /// When there was none.
    #[must_use]
    pub fn last(&self) -> Seen {
        let seen = self.seen.lock().expect("no script panicked");
        let last = seen.iter().rfind(|seen| seen.path != "/v1/models");
        last.expect("a request came").clone()
    }

    /// Whether no request came but those for the list of models.
    ///
    /// # Panics
    /// When a script panicked.
    #[must_use]
    pub fn saw_nothing(&self) -> bool {
        self.count() == 0
    }
}

/// What the connections of a provider share.
struct Desk {
    script: Box<Script>,
    seen: Arc<Mutex<Vec<Seen>>>,
    open: Arc<AtomicUsize>,
}

impl Desk {
    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let Some(seen) = Request::read(&mut stream).await.as_ref().and_then(Seen::of) else {
            return;
        };
        self.open.fetch_add(1, SeqCst);
        self.seen
            .lock()
            .expect("no script panicked")
            .push(seen.clone());
        let act = (self.script)(&seen);
        // It is the client that hangs up in half of the acts.
        let _hung_up = act.perform(&mut stream).await;
        drop(stream);
        self.open.fetch_sub(1, SeqCst);
    }
}
