//! Redis, for what may vanish: wake-ups, rate limits, caches.
//!
//! A [`Redis`] never holds anybody up. It connects when it is first used, a call ends after [`CALL_LIMIT`], and after a
//! failure the next calls fail at once until a second has passed. Callers go on without it.

mod link;
mod subscription;

use std::sync::Arc;

use ::redis::{
    Client, Cmd, ErrorKind, IntoConnectionInfo, Pipeline, RedisError, RedisFuture, RedisResult,
    Value, aio::ConnectionLike, io::tcp::TcpSettings,
};
use bz_kernel::{ExposeSecret, SecretString};

use self::link::Link;
pub use self::link::{CALL_LIMIT, RETRY_PAUSE};
pub use self::subscription::{Notice, Subscription};

/// A Redis, or the absence of one. Cheap to clone.
///
/// It is a connection of the `redis` crate, so that commands, pipelines and scripts are sent as usual:
/// `redis::cmd("INCR").arg(key).query_async(&mut redis)`.
#[derive(Clone)]
pub struct Redis(Option<Arc<Link>>);

/// The address cannot be one of a Redis. It is not repeated, because it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("not of the form redis://[[user]:password@]host[:port][/database]")]
pub struct InvalidRedisUrl;

impl Redis {
    /// Prepares the connection without making it; without an address there is no Redis.
    ///
    /// # Errors
    /// [`InvalidRedisUrl`] for an address that cannot be one.
    pub fn connect_lazy(url: Option<&SecretString>) -> Result<Self, InvalidRedisUrl> {
        let Some(url) = url else {
            return Ok(Self::none());
        };
        let info = url
            .expose_secret()
            .into_connection_info()
            .map_err(|_| InvalidRedisUrl)?;
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let client = Client::open(info).map_err(|_| InvalidRedisUrl)?;
        Ok(Self(Some(Arc::new(Link::new(client)))))
    }

    /// No Redis: every call fails at once.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Whether there should be one.
    #[must_use]
    pub const fn is_configured(&self) -> bool {
        self.0.is_some()
    }

    /// One turn to Redis and back.
    ///
    /// # Errors
    /// When there is none, or it does not answer.
    pub async fn ping(&self) -> RedisResult<()> {
        ::redis::cmd("PING").query_async(&mut self.clone()).await
    }

    /// Sends a message to whoever listens on `channel` right now.
    ///
    /// # Errors
    /// When there is no Redis, or it does not answer. Nobody is told later.
    pub async fn publish(&self, channel: &str, message: &str) -> RedisResult<()> {
        ::redis::cmd("PUBLISH")
            .arg(channel)
            .arg(message)
            .query_async(&mut self.clone())
            .await
    }

    /// Listens on channels. The connection is kept, and made again for as long as the subscription lives; without a
    /// Redis nothing is ever heard.
    #[must_use]
    pub fn subscribe(&self, channels: &[&str]) -> Subscription {
        let client = self.0.as_ref().map(|link| link.client().clone());
        Subscription::start(client, channels.iter().map(ToString::to_string).collect())
    }

    pub(crate) fn link(&self) -> Option<&Arc<Link>> {
        self.0.as_ref()
    }

    fn required(&self) -> RedisResult<&Link> {
        self.0
            .as_deref()
            .ok_or_else(|| RedisError::from((ErrorKind::Io, "no redis is configured")))
    }
}

impl ConnectionLike for Redis {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let link = self.required()?;
            link.bounded(async { link.connection().await?.send_packed_command(cmd).await })
                .await
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let link = self.required()?;
            link.bounded(async {
                link.connection()
                    .await?
                    .send_packed_commands(pipeline, offset, count)
                    .await
            })
            .await
        })
    }

    fn get_db(&self) -> i64 {
        self.0.as_ref().map_or(0, |link| link.database())
    }
}
