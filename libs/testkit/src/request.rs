//! A request as bytes on a socket, for servers that misbehave where a library would not.

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::{io::AsyncReadExt, net::TcpStream};

/// A request.
pub(crate) struct Request {
    /// Its first line and headers.
    pub(crate) head: String,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The next one of a connection; none when the client hangs up within it.
    pub(crate) async fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            more(stream, &mut bytes).await?;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
        let headers = head.lines().skip(1).filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let name: HeaderName = name.parse().ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        });
        let headers = HeaderMap::from_iter(headers);
        let length = match headers.get(http::header::CONTENT_LENGTH) {
            Some(length) => length.to_str().ok()?.parse().ok()?,
            None => 0,
        };
        let mut body = bytes.split_off(end);
        while body.len() < length {
            more(stream, &mut body).await?;
        }
        Some(Self {
            head,
            headers,
            body,
        })
    }
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    (stream.read_buf(bytes).await.ok()? > 0).then_some(())
}
