//! The `healthcheck` subcommand: what curl would do, for containers that have none.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TIMEOUT: Duration = Duration::from_secs(2);
const REQUEST: &[u8] =
    b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Asks this machine's `/health/ready` on `port`.
///
/// # Errors
/// What went wrong, or the status line when it is not 200.
pub async fn ready(port: u16) -> Result<(), String> {
    let asked = tokio::time::timeout(TIMEOUT, status_line(port)).await;
    let status = asked
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(|error| format!("no answer on port {port}: {error}"))?;
    if status.split(' ').nth(1) == Some("200") {
        Ok(())
    } else {
        Err(status)
    }
}

async fn status_line(port: u16) -> io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(REQUEST).await?;
    let mut head = Vec::new();
    stream.take(4096).read_to_end(&mut head).await?;
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}
