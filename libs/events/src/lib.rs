//! What happened in a service, told to the others.
//!
//! A change and its event are written in one transaction ([`append`], the outbox). Siblings pull the events in the order
//! in which transactions became visible ([`feed_routes`], [`Consumer`]) and keep their own position. Redis only says
//! that there is something to pull ([`wake`]): losing it costs half a second, never an event.
#![warn(missing_docs)]

mod consumer;
mod cursor;
mod envelope;
mod feed;
mod outbox;
pub mod redis;
mod wake;
pub mod webhooks;

pub use consumer::{Consumer, EventHandler};
pub use envelope::{Envelope, TENANT_DELETED};
pub use feed::{EventsRead, feed_routes};
pub use outbox::{NewEvent, append, append_all};
pub use redis::Redis;
pub use wake::{channel, wake};
