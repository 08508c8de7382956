//! What the tests take from the environment.

use std::path::PathBuf;

use url::Url;

/// The superuser's address of the Postgres that tests use.
pub(crate) fn database_url() -> Url {
    let url =
        variable("TEST_DATABASE_URL").expect("TEST_DATABASE_URL is not set: run scripts/test");
    url.parse()
        .expect("TEST_DATABASE_URL is an address such as postgres://user:password@host/db")
}

/// The Redis that tests use.
///
/// # Panics
/// When `TEST_REDIS_URL` is not set.
#[must_use]
pub fn redis_url() -> String {
    variable("TEST_REDIS_URL").expect("TEST_REDIS_URL is not set: run scripts/test")
}

/// The folder of the server's own `pg_dump` and its like; none takes them from the `PATH`.
#[must_use]
pub fn postgres_programs() -> Option<String> {
    variable("TEST_PG_BIN")
}

/// Whether committed files are to be rewritten instead of compared (`BLESS=1`).
pub(crate) fn bless() -> bool {
    variable("BLESS").is_some_and(|value| value == "1")
}

/// The folder of a service in the repository.
pub(crate) fn service_folder(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../services")).join(name)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of the tests that reads the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
