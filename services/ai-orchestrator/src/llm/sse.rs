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
        self.open.extend_from_slice(bytes);
        let Some(end) = self.open.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let whole: Vec<u8> = self.open.drain(..=end).collect();
        let whole = String::from_utf8_lossy(&whole);
        let data = whole.lines().filter_map(|line| line.strip_prefix("data:"));
        data.map(|data| data.trim().to_owned()).collect()
    }
}
