use std::process::Command;
use std::time::Duration;

use bz_testkit::wait_until;
use tokio::net::TcpStream;

use super::{Child, Ports};

/// A Redis of this test only, which may be stopped and started again.
pub(crate) struct Redis {
    port: u16,
    server: Child,
}

impl Redis {
    pub(crate) async fn start(ports: &Ports) -> Self {
        let port = ports.redis();
        Self {
            port,
            server: start(port).await,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it; what comes back starts it again in the same place.
    pub(crate) async fn stop(self) -> StoppedRedis {
        self.server.kill().await;
        StoppedRedis { port: self.port }
    }
}

/// A Redis that does not run.
pub(crate) struct StoppedRedis {
    port: u16,
}

impl StoppedRedis {
    pub(crate) async fn start(self) -> Redis {
        Redis {
            port: self.port,
            server: start(self.port).await,
        }
    }
}

async fn start(port: u16) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
    command.args(["--save", "", "--appendonly", "no"]);
    let mut server = Child::start(command, "redis-server");
    wait_until(
        async || {
            server.assert_running();
            TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        },
        Duration::from_secs(10),
    )
    .await;
    server
}
