//! What a reader says is wrong with a value, and where.

use serde_path_to_error::{Path, Segment};

/// How serde begins to say what is wrong with a field, and the code for it.
const FIELD_FAULTS: [(&str, &str); 3] = [
    ("missing field `", "required"),
    ("unknown field `", "unknown_field"),
    ("duplicate field `", "duplicate_field"),
];

/// One fault: the way to it, a code and a text.
#[derive(Debug)]
pub(super) struct Fault {
    steps: Vec<String>,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Fault {
    /// A field that is missing, unknown or there twice is named by serde in its text only; here the way leads to it.
    pub(super) fn new(path: &Path, message: String) -> Self {
        let mut steps: Vec<String> = path.iter().filter_map(step).collect();
        let named = FIELD_FAULTS
            .iter()
            .find_map(|(start, code)| Some((*code, quoted(&message, start)?)));
        let Some((code, name)) = named else {
            return Self {
                steps,
                code: "invalid_value",
                message,
            };
        };
        // On the way to an unknown field serde has come as far as its name.
        if code != "unknown_field" || steps.last().is_none_or(|last| last != name) {
            steps.push(name.to_owned());
        }
        Self {
            steps,
            code,
            message,
        }
    }

    /// The place as a JSON pointer (RFC 6901).
    pub(super) fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in &self.steps {
            pointer.push('/');
            pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
        }
        pointer
    }

    /// The outermost name: which query parameter.
    pub(super) fn parameter(self) -> (String, &'static str, String) {
        let name = self.steps.into_iter().next();
        (
            name.unwrap_or_else(|| "query".to_owned()),
            self.code,
            self.message,
        )
    }
}

fn step(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        // How an enum is told apart is not part of the document.
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

fn quoted<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    message.strip_prefix(start)?.split('`').next()
}
