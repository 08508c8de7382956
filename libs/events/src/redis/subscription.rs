//! Listening, with its own connection that is made again when it is lost.

use std::time::Duration;

use ::redis::{Client, RedisResult, aio::PubSub};
use futures_util::StreamExt;
use tokio::{sync::mpsc, time::timeout};
use tokio_util::task::AbortOnDropHandle;

/// How long connecting and subscribing may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// The longest pause between attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A connection on which nothing is heard is asked this often whether it still lives.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// Messages that wait for a slow listener. Further ones are dropped: they are hints.
const BUFFER: usize = 1024;

/// What a subscription hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It listens from now on. What was sent before, or since the connection was lost, was not heard.
    Subscribed,
    /// Somebody sent a message.
    Message {
        /// The channel that it was sent to.
        channel: String,
        /// Its text.
        payload: String,
    },
}

/// Listens until it is dropped.
pub struct Subscription {
    notices: mpsc::Receiver<Notice>,
    _task: Option<AbortOnDropHandle<()>>,
}

impl Subscription {
    pub(super) fn start(client: Option<Client>, channels: Vec<String>) -> Self {
        let (sender, notices) = mpsc::channel(BUFFER);
        let task = client
            .map(|client| AbortOnDropHandle::new(tokio::spawn(listen(client, channels, sender))));
        Self {
            notices,
            _task: task,
        }
    }

    /// The next notice. Waits for ever when there is no Redis.
    pub async fn next(&mut self) -> Notice {
        match self.notices.recv().await {
            Some(notice) => notice,
            None => std::future::pending().await,
        }
    }

    /// Forgets what was heard so far, for a listener that is about to look for itself.
    pub fn skip_heard(&mut self) {
        while self.notices.try_recv().is_ok() {}
    }
}

async fn listen(client: Client, channels: Vec<String>, sender: mpsc::Sender<Notice>) {
    let mut pause = Duration::from_millis(50);
    loop {
        if let Ok(Ok(connection)) = timeout(CONNECT_LIMIT, connect(&client, &channels)).await {
            pause = Duration::from_millis(50);
            let _ = sender.try_send(Notice::Subscribed);
            forward(connection, &sender).await;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn connect(client: &Client, channels: &[String]) -> RedisResult<PubSub> {
    let mut connection = client.get_async_pubsub().await?;
    connection.subscribe(channels).await?;
    Ok(connection)
}

/// Passes messages on until the connection is lost.
async fn forward(connection: PubSub, sender: &mpsc::Sender<Notice>) {
    let (mut sink, mut messages) = connection.split();
    let mut ping = tokio::time::interval(PING_INTERVAL);
    loop {
        tokio::select! {
            message = messages.next() => {
                let Some(message) = message else { return };
                let Ok(payload) = message.get_payload() else { continue };
                let channel = message.get_channel_name().to_owned();
                let _ = sender.try_send(Notice::Message { channel, payload });
            }
            _ = ping.tick() => {
                if !matches!(timeout(CONNECT_LIMIT, sink.ping::<::redis::Value>()).await, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}
