//! HTTP as every service speaks it: problems, extractors, pages, versions, idempotency, the stack of layers and the
//! client to siblings.
#![warn(missing_docs)]

pub mod client;
mod client_ip;
pub mod context;
mod deadline;
pub mod egress;
mod etag;
pub mod extract;
mod idempotency;
pub mod layers;
pub mod openapi;
mod paging;
mod patch;
pub mod problem;
pub mod routing;
mod validation;
pub mod webhook;

pub use client_ip::{ClientIp, ForwardedHeader, TrustedProxies, network};
pub use etag::{IfMatch, IfNoneMatch, Versioned, etag};
pub use extract::{Form, Json, Path, Query, object};
pub use idempotency::{Created, IdempotencyKey, idempotent};
pub use paging::{PageQuery, PageRequest};
pub use patch::Patch;
pub use problem::{Problem, ProblemDocument};
pub use routing::Routes;
pub use validation::{Errors, FieldError, Validate, validated};
