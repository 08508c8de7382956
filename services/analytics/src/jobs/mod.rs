//! Background work: following the feeds of the other services.

pub(crate) mod feeds;
