//! Is a name known, does somebody listen? Each apart, because they fail for different reasons: a wrong name, a network
//! policy, a server that is down.

use std::io;
use std::time::Instant;

use anyhow::Context;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::checks::PATIENCE;
use crate::report::Finding;

/// Where something listens.
pub(super) struct Place {
    /// What it is for people: `database`.
    pub(super) what: &'static str,
    pub(super) host: String,
    pub(super) port: u16,
}

impl Place {
    /// One line for the name, and when that is known, one for the port.
    pub(super) async fn checks(&self) -> Vec<Finding> {
        let resolved = self.resolve().await;
        let known = resolved.is_ok();
        let mut findings = vec![Finding::of(format!("{} name", self.what), resolved)];
        if known {
            let check = format!("{} port", self.what);
            findings.push(Finding::of(check, self.connect().await));
        }
        findings
    }

    async fn resolve(&self) -> anyhow::Result<String> {
        let host = &self.host;
        let found = timeout(PATIENCE, lookup_host((host.as_str(), self.port))).await;
        let found = found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let found = found.with_context(|| format!("{host} is not known"))?;
        let mut addresses: Vec<String> = found.map(|address| address.ip().to_string()).collect();
        addresses.dedup();
        Ok(format!("{host} is {}", addresses.join(", ")))
    }

    async fn connect(&self) -> anyhow::Result<String> {
        let (host, port) = (self.host.as_str(), self.port);
        let began = Instant::now();
        let connected = timeout(PATIENCE, TcpStream::connect((host, port))).await;
        let connected = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        connected.with_context(|| format!("{host}:{port} does not accept connections"))?;
        let took = began.elapsed().as_millis();
        Ok(format!("{host}:{port} accepts connections ({took} ms)"))
    }
}
