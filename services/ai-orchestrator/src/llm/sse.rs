//! Server-sent events, as far as models speak in them: lines with `data`.

/// Bytes as they come, cut into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// A line that has not ended.
    open: Vec<u8>,
}

impl Lines {
    /// Takes in what arrived; answers the data that is whole by now.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        // Only in what is new: a line without end would be looked through with every piece of it.
        let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
            self.open.extend_from_slice(bytes);
            return Vec::new();
        };
        let mut whole = std::mem::replace(&mut self.open, bytes[end + 1..].to_vec());
        whole.extend_from_slice(&bytes[..=end]);
        let whole = String::from_utf8_lossy(&whole);
        let data = whole.lines().filter_map(|line| line.strip_prefix("data:"));
        data.map(|data| data.trim().to_owned()).collect()
    }
}
