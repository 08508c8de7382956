//! A system of a tenant that is called by webhooks.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU16, AtomicUsize, Ordering},
};

use http::HeaderMap;
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

use crate::request::Request;

/// Answered by a receiver that never answers.
pub const SILENCE: u16 = 0;

/// Listens on this machine, keeps what it gets and answers a status.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// Where it listens.
    pub url: String,
    status: Arc<AtomicU16>,
    messages: Arc<Mutex<Vec<Message>>>,
    reading: Arc<AtomicUsize>,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
}

impl Message {
    /// The message's id.
    ///
    /// # Panics
    /// When it has none.
    #[must_use]
    pub fn id(&self) -> &str {
        self.headers["webhook-id"].to_str().expect("an id is text")
    }

    /// Its body.
    ///
    /// # Panics
    /// When that is no JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a body is JSON")
    }
}

impl Receiver {
    /// Starts one.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn answering(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("there is a port");
        let port = listener.local_addr().expect("it is bound").port();
        let receiver = Self {
            url: format!("http://127.0.0.1:{port}/hook"),
            status: Arc::new(status.into()),
            messages: Arc::default(),
            reading: Arc::default(),
        };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let receiver = serving.clone();
                tokio::spawn(async move { receiver.serve(stream).await });
            }
        });
        receiver
    }

    /// Answers another status, or nothing ([`SILENCE`]).
    pub fn answer_from_now_on(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// What came so far.
    ///
    /// # Panics
    /// When a request broke it.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.messages.lock().expect("no request broke it").clone()
    }

    /// How much came so far.
    ///
    /// # Panics
    /// When a request broke it.
    #[must_use]
    pub fn count(&self) -> usize {
        self.messages.lock().expect("no request broke it").len()
    }

    /// The most requests that were open at once.
    #[must_use]
    pub fn open(&self) -> usize {
        self.reading.load(Ordering::SeqCst)
    }

    async fn serve(&self, mut stream: TcpStream) {
        let Some(request) = Request::read(&mut stream).await else {
            return;
        };
        let message = Message {
            headers: request.headers,
            body: String::from_utf8(request.body).expect("a body is text"),
        };
        self.messages
            .lock()
            .expect("no request broke it")
            .push(message);
        let status = self.status.load(Ordering::SeqCst);
        if status == SILENCE {
            self.reading.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
        let answer =
            format!("HTTP/1.1 {status} X\r\ncontent-length: 6\r\nconnection: close\r\n\r\nhe\0llo");
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}
