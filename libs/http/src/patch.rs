//! Fields of a change: a missing one stays, `null` clears it (JSON merge patch, RFC 7396).

use serde::{Deserialize, Deserializer};

/// One field of a change. Needs `#[serde(default)]` on the field or its struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// The field was not sent: it stays.
    #[default]
    Absent,
    /// `null` was sent: it is cleared.
    Null,
    /// A value was sent.
    Value(T),
}

impl<T> Patch<T> {
    /// The field after the change.
    pub fn onto(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Absent => current,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Change {
        #[serde(default)]
        name: Patch<String>,
    }

    #[test]
    fn absent_stays_null_clears_and_a_value_replaces() {
        let after = |json: &str| {
            serde_json::from_str::<Change>(json)
                .unwrap()
                .name
                .onto(Some("old".to_owned()))
        };
        assert_eq!(after("{}").as_deref(), Some("old"));
        assert_eq!(after(r#"{"name":null}"#), None);
        assert_eq!(after(r#"{"name":"new"}"#).as_deref(), Some("new"));
    }
}
