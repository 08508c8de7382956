//! Loads of sources: a file that somebody brought, or what an address answered. A load is one transaction: all of it is
//! there or nothing.

pub(crate) mod connector;
pub(crate) mod load;
pub(crate) mod store;
pub(crate) mod worker;
