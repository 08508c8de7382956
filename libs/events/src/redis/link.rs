//! The connection that commands share, and the breaker in front of it.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult, aio::MultiplexedConnection,
};
use tokio::time::Instant;

/// The most that one call may take, connecting included.
pub const CALL_LIMIT: Duration = Duration::from_millis(100);
/// How long calls fail at once after a failure, until one of them tries again.
pub const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// One Redis server as this process sees it.
pub(crate) struct Link {
    client: Client,
    state: Mutex<State>,
    /// Held while connecting, so that one connection is made and not one for each caller.
    connecting: tokio::sync::Mutex<()>,
    wakes: Mutex<HashSet<&'static str>>,
}

#[derive(Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    /// Set while Redis is taken to be down: nobody tries before this instant.
    down_until: Option<Instant>,
}

impl Link {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            state: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            wakes: Mutex::default(),
        }
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn database(&self) -> i64 {
        self.client.get_connection_info().redis_settings().db()
    }

    /// Wake-ups that are on their way, by schema.
    pub(crate) fn wakes(&self) -> MutexGuard<'_, HashSet<&'static str>> {
        self.wakes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one call with its time limit, unless Redis is down, and learns from how it ends.
    pub(super) async fn bounded<T>(
        &self,
        call: impl Future<Output = RedisResult<T>>,
    ) -> RedisResult<T> {
        self.admit()?;
        let answer = tokio::time::timeout(CALL_LIMIT, call)
            .await
            .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()));
        match &answer {
            Err(error) if is_loss(error) => self.mark_down(error),
            _ => self.mark_up(),
        }
        answer
    }

    /// The shared connection, made now if there is none.
    pub(super) async fn connection(&self) -> RedisResult<MultiplexedConnection> {
        if let Some(connection) = self.existing() {
            return Ok(connection);
        }
        let _turn = self.connecting.lock().await;
        if let Some(connection) = self.existing() {
            return Ok(connection);
        }
        // `bounded` has the limits.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        self.state().connection = Some(connection.clone());
        Ok(connection)
    }

    fn existing(&self) -> Option<MultiplexedConnection> {
        self.state().connection.clone()
    }

    fn admit(&self) -> RedisResult<()> {
        let mut state = self.state();
        let Some(until) = state.down_until else {
            return Ok(());
        };
        let now = Instant::now();
        if now < until {
            return Err(RedisError::from((ErrorKind::Io, "redis is down")));
        }
        // This caller tries; the others go on failing until it knows.
        state.down_until = Some(now + RETRY_PAUSE);
        Ok(())
    }

    fn mark_up(&self) {
        if self.state().down_until.take().is_some() {
            tracing::info!("redis answers again");
        }
    }

    fn mark_down(&self, error: &RedisError) {
        let mut state = self.state();
        state.connection = None;
        let was_up = state
            .down_until
            .replace(Instant::now() + RETRY_PAUSE)
            .is_none();
        drop(state);
        if was_up {
            let error = error as &dyn std::error::Error;
            tracing::warn!(error, "redis does not answer: going on without it");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the server is the problem, as opposed to the command: it cannot be reached or does not let us in.
fn is_loss(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || error.kind() == ErrorKind::AuthenticationFailed
}
