//! Server-sent events, as far as the protocol uses them: their data.

/// Bytes as they come, cut into events.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// A line that has not ended.
    line: Vec<u8>,
    /// The data of an event that has not ended.
    data: Vec<String>,
}

impl Events {
    /// Takes in what arrived; answers the data of the events that are whole by now.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut whole = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line);
            let line = line.strip_suffix('\r').unwrap_or(&line);
            if line.is_empty() && !self.data.is_empty() {
                whole.push(std::mem::take(&mut self.data).join("\n"));
            } else if let Some(data) = line.strip_prefix("data:") {
                self.data
                    .push(data.strip_prefix(' ').unwrap_or(data).to_owned());
            }
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_whole_however_their_bytes_are_cut() {
        let stream = ": hello\r\n\r\nevent: message\r\nid: 1\r\ndata: {\"a\":\r\ndata: \"ä\"}\r\n\r\ndata:x\n\nretry: 5\n\ndata: open";
        for size in [1, 2, 3, 7, stream.len()] {
            let mut events = Events::default();
            let found: Vec<String> = stream
                .as_bytes()
                .chunks(size)
                .flat_map(|bytes| events.take(bytes))
                .collect();
            assert_eq!(found, ["{\"a\":\n\"ä\"}", "x"], "{size}");
        }
    }
}
