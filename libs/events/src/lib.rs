//! What happened in a service, told to the others.
//!
//! A change and its event are written in one transaction . Siblings pull the events in the order
//! in which transactions became visible  and keep their own position. Redis only says
//! that there is something to pull ([`wake`]): losing it costs up to a second, never an event.
#![warn(missing_docs)]

mod cursor;
pub mod redis;
mod wake;

pub use cursor::{FeedCursor, InvalidFeedCursor};
pub use redis::Redis;
pub use wake::{channel, wake};
