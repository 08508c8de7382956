//! Committed lists of operations that may do what others may not. They may only shrink: an entry that is no longer
//! needed fails the check.

use crate::{environment, openapi::Operation};

/// A list of operations, from `services/<name>/tests/it/<list>.txt`: one operation and the reason per line,
/// `POST /auth/login  nobody has a token before it`. Lines that start with `#` are comments; no file is an empty list.
#[derive(Clone, Debug, Default)]
pub struct Operations(Vec<(String, String)>);

impl Operations {
    /// Reads the list of a service.
    ///
    /// # Panics
    /// When a line has no reason.
    #[must_use]
    pub fn of_service(service: &str, list: &str) -> Self {
        let path = environment::service_folder(service)
            .join("tests/it")
            .join(list)
            .with_extension("txt");
        Self::parse(&std::fs::read_to_string(path).unwrap_or_default())
    }

    /// Reads a list.
    ///
    /// # Panics
    /// When a line has no reason.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let entry = |line: &str| {
            let mut words = line.split_whitespace();
            let operation = [words.next(), words.next()]
                .map(Option::unwrap_or_default)
                .join(" ");
            let reason: Vec<&str> = words.collect();
            assert!(!reason.is_empty(), "the entry {operation:?} has no reason");
            (operation, reason.join(" "))
        };
        Self(lines.map(entry).collect())
    }

    /// Whether the operation is listed.
    #[must_use]
    pub fn has(&self, operation: &Operation) -> bool {
        self.0.iter().any(|(name, _)| *name == operation.name())
    }

    /// The entries for which there is no operation any more.
    pub(crate) fn stale<'a>(
        &'a self,
        operations: &'a [Operation],
    ) -> impl Iterator<Item = &'a str> {
        let known = |name: &str| operations.iter().any(|operation| operation.name() == name);
        self.0
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(move |name| !known(name))
    }
}
