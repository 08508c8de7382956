//! Checks of a whole service in one line each. They walk the catalog or the OpenAPI document by themselves, so a new table
//! or endpoint is checked without anybody thinking of it.
//!
//! Each function here panics with a line for everything that is wrong. The modules under it answer these lines instead.

pub mod access;
pub mod document;
pub mod foreign;
pub mod isolation;
pub mod lists;
pub mod problems;

use bz_service::Service;

use self::isolation::Rows;
use crate::{Client, TenantClients, TestApp, TestDb, Tokens, environment, openapi::Document};

/// What the checks of operations work on; see [`TestApp::subject`].
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The service's OpenAPI document.
    pub document: &'a Document,
    /// The tenant that calls.
    pub acme: &'a TenantClients,
    /// The tenant whose objects must not show.
    pub globex: &'a TenantClients,
    /// Somebody without a token.
    pub anonymous: &'a Client,
    /// Makes good and bad tokens.
    pub tokens: &'a Tokens,
}

/// The service's schema and its role follow every rule of tenancy (the same check that runs at start).
///
/// # Panics
/// With a line for each broken rule.
pub async fn catalog<S: Service>() {
    let database = TestDb::new().await;
    let violations = database
        .db(S::INFO.schema)
        .self_check()
        .await
        .expect("the catalog can be read");
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert_none("the schema breaks rules of tenancy", &lines);
}

/// Every tenant table of the service: the other tenant sees, changes and deletes nothing and cannot insert for us, and
/// without a tenant every statement is an error.
///
/// # Panics
/// With a line for each way that a table breaks this.
pub async fn isolation<S: Service>() {
    isolation_with::<S>(&[]).await;
}

/// The same with rows for tables whose columns the check cannot guess.
///
/// # Panics
/// With a line for each way that a table breaks this.
pub async fn isolation_with<S: Service>(rows: Rows<'_>) {
    let database = TestDb::new().await;
    let leaks = isolation::leaks(&database, S::INFO.schema, rows).await;
    assert_none("tables do not keep tenants apart", &leaks);
}

/// Every operation answers 401 without a good token and 403 without the permission, but for the service's lists of
/// exceptions, which must be needed.
///
/// # Panics
/// With a line for each gap.
pub async fn access<S: Service>() {
    access_in(&TestApp::<S>::start().await).await;
}

/// The same in a service that was started otherwise.
///
/// # Panics
/// With a line for each gap.
pub async fn access_in<S: Service>(app: &TestApp<S>) {
    let gaps = access::gaps(
        &app.subject(),
        &access::Exceptions::of_service(S::INFO.name),
    )
    .await;
    assert_none("operations are open, or listed as open without need", &gaps);
}

/// Every operation with a parameter in its path answers for an object of another tenant exactly what it answers for one
/// that does not exist. `make` is given the client of the other tenant's owner and a path such as `/api/leads/{id}`; it
/// makes an object and answers the values of the path's parameters, or `None` when no object of a tenant stands there.
///
/// # Panics
/// With a line for each difference.
pub async fn foreign_ids<S: Service>(make: impl AsyncFn(&Client, &str) -> Option<Vec<String>>) {
    foreign_ids_in(&TestApp::<S>::start().await, make).await;
}

/// The same in a service that was started otherwise.
///
/// # Panics
/// With a line for each difference.
pub async fn foreign_ids_in<S: Service>(
    app: &TestApp<S>,
    make: impl AsyncFn(&Client, &str) -> Option<Vec<String>>,
) {
    let differences = foreign::differences(&app.subject(), make).await;
    assert_none(
        "operations tell another tenant's objects from nothing",
        &differences,
    );
}

/// Every operation answers nonsense in its path, query and body with a problem, and never with a 5xx.
///
/// # Panics
/// With a line for each wrong answer.
pub async fn problems<S: Service>() {
    problems_in(&TestApp::<S>::start().await).await;
}

/// The same in a service that was started otherwise.
///
/// # Panics
/// With a line for each wrong answer.
pub async fn problems_in<S: Service>(app: &TestApp<S>) {
    let faults = problems::faults(&app.subject()).await;
    assert_none("nonsense is not answered with a problem", &faults);
}

/// `services/<name>/openapi.json` is the document that the service answers. `BLESS=1` writes it.
///
/// # Panics
/// When it is not.
pub fn openapi_is_committed<S: Service>() {
    let path = environment::service_folder(S::INFO.name).join("openapi.json");
    if let Err(difference) = document::compare(&S::openapi(), &path, environment::bless()) {
        panic!("{difference}");
    }
}

#[track_caller]
fn assert_none(what: &str, lines: &[String]) {
    assert!(lines.is_empty(), "{what}:\n  {}", lines.join("\n  "));
}
