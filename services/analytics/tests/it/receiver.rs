//! A system of a tenant that is called by webhooks.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU16, Ordering},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Listens on this machine, keeps what it gets and answers a status.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    status: Arc<AtomicU16>,
    messages: Arc<Mutex<Vec<Message>>>,
}

/// A request as it came.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Message {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Receiver {
    pub(crate) async fn answering(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = Self {
            url: format!("http://127.0.0.1:{port}/hook"),
            status: Arc::new(status.into()),
            messages: Arc::default(),
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

    pub(crate) fn answer_from_now_on(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        self.messages.lock().unwrap().clone()
    }

    async fn serve(&self, mut stream: TcpStream) {
        let Some(message) = read(&mut stream).await else {
            return;
        };
        self.messages.lock().unwrap().push(message);
        let status = self.status.load(Ordering::SeqCst);
        let answer =
            format!("HTTP/1.1 {status} X\r\ncontent-length: 6\r\nconnection: close\r\n\r\nhe\0llo");
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

async fn read(stream: &mut TcpStream) -> Option<Message> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
            let headers = head.lines().skip(1).filter_map(|line| {
                let (name, value) = line.split_once(": ")?;
                let name: HeaderName = name.parse().ok()?;
                Some((name, HeaderValue::from_str(value).ok()?))
            });
            let headers = HeaderMap::from_iter(headers);
            let length: usize = headers["content-length"].to_str().ok()?.parse().ok()?;
            if bytes.len() >= end + 4 + length {
                let body = String::from_utf8(bytes[end + 4..].to_vec()).ok()?;
                return Some(Message { headers, body });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
