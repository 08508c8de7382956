//! A position in a feed.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A position in a service's feed: the transaction and the sequence number of the last event that was seen. Its text is
/// `<transaction>-<sequence>`; the default is before the first event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FeedCursor {
    /// The id of the transaction (`xid8`), which orders first.
    pub(crate) txid: u64,
    /// The event's number.
    pub(crate) seq: i64,
}

/// The text is not a position in a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position in a feed")]
pub(crate) struct InvalidFeedCursor;

impl fmt::Display for FeedCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.txid, self.seq)
    }
}

impl FromStr for FeedCursor {
    type Err = InvalidFeedCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (txid, seq) = text.split_once('-').ok_or(InvalidFeedCursor)?;
        // `parse` alone would accept signs.
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(txid) || !digits(seq) {
            return Err(InvalidFeedCursor);
        }
        Ok(Self {
            txid: txid.parse().map_err(|_| InvalidFeedCursor)?,
            seq: seq.parse().map_err(|_| InvalidFeedCursor)?,
        })
    }
}

impl Serialize for FeedCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FeedCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written_and_nothing_else_is_read() {
        for cursor in [
            FeedCursor::default(),
            FeedCursor {
                txid: u64::MAX,
                seq: i64::MAX,
            },
        ] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        let garbage = [
            "",
            "-",
            "1",
            "1-",
            "-1",
            "1-2-3",
            "+1-2",
            "1-+2",
            "1--2",
            " 1-2",
            "x-y",
            "1-9223372036854775808",
        ];
        for text in garbage {
            assert_eq!(text.parse::<FeedCursor>(), Err(InvalidFeedCursor), "{text}");
        }
    }
}
