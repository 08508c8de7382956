//! The `healthcheck` subcommand: what curl would do, for containers that have none.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(2);

/// Asks this machine's `/health/ready` on `port`.
///
/// # Errors
/// What went wrong, or the status line when it is not 200.
pub fn check(port: u16) -> Result<(), String> {
    let status = status_line(port).map_err(|error| format!("no answer on port {port}: {error}"))?;
    if status.split(' ').nth(1) == Some("200") {
        Ok(())
    } else {
        Err(status)
    }
}

fn status_line(port: u16) -> io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream
        .write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut head = Vec::new();
    stream.take(4096).read_to_end(&mut head)?;
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}
