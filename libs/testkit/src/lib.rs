//! What the tests of all services share: a fresh database per test with the production roles, a service in process with
//! two tenants and their tokens, a TCP proxy that breaks on demand, and the checks that walk a whole service.
//!
//! Helpers panic with a sentence when the environment or the code under test does not do what it must: a panic is how
//! a test fails.
#![warn(missing_docs)]
#![expect(clippy::expect_used, reason = "a panic is how a helper fails the test")]

mod app;
pub mod checks;
mod client;
mod database;
mod environment;
mod identity_feed;
pub mod openapi;
mod provider;
pub mod proxy;
pub mod receiver;
mod request;
mod tenants;
mod wait;

pub use app::{TestApp, TestAppBuilder};
pub use client::{Client, TestRequest, TestResponse};
pub use database::{ROLE_PASSWORD, TestDb};
pub use environment::{postgres_programs, redis_url};
pub use identity_feed::{IdentityFeed, rows_of};
pub use provider::{Act, Provider, Seen};
pub use proxy::{Fault, FaultProxy};
pub use receiver::Receiver;
pub use tenants::{ISSUER, NOW, Role, Tenant, TenantClients, Tokens, signing_key};
pub use wait::wait_until;
