//! A database of its own for every test, with the production schema and roles.

mod server;
mod template;

use std::time::Duration;

use bz_kernel::SecretString;
use bz_tenant::{Db, DbConfig};
use sqlx::PgConnection;

pub use self::server::ROLE_PASSWORD;
use self::server::{Server, secret};
use crate::FaultProxy;

/// Connections of one test's pool: enough to show what happens when they are shared.
const POOL_SIZE: u32 = 5;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A fresh database. The code under test gets the weak role of its service; the superuser is for arranging and looking
/// only, because row-level security does not bind it. Dropped with the value.
pub struct TestDb {
    name: String,
    server: Server,
}

impl TestDb {
    /// A copy of the template, which the first test after a change of the migrations makes.
    ///
    /// # Panics
    /// When `TEST_DATABASE_URL` is not set or its Postgres does not do what it must.
    pub async fn new() -> Self {
        let server = Server::from_environment();
        let name = template::copy(&server).await;
        Self { name, server }
    }

    /// A database with nothing in it, for programs under test that migrate. They have to give the roles, which all
    /// databases of the server share, the tests' [`ROLE_PASSWORD`].
    ///
    /// # Panics
    /// As [`TestDb::new`].
    pub async fn empty() -> Self {
        let server = Server::from_environment();
        let name = template::empty(&server).await;
        Self { name, server }
    }

    /// The handle of a service, logged in as `<schema>_api`.
    ///
    /// # Panics
    /// When `schema` cannot be a schema.
    #[must_use]
    pub fn db(&self, schema: &'static str) -> Db {
        connect(self.url(schema), schema)
    }

    /// The same through a proxy that [`TestDb::proxy`] started.
    ///
    /// # Panics
    /// When `schema` cannot be a schema.
    #[must_use]
    pub fn db_through(&self, proxy: &FaultProxy, schema: &'static str) -> Db {
        connect(self.url_through(proxy, schema), schema)
    }

    /// The address of this database for `<schema>_api`.
    #[must_use]
    pub fn url(&self, schema: &str) -> SecretString {
        secret(&self.server.role_url(&self.name, &format!("{schema}_api")))
    }

    /// The same through a proxy.
    ///
    /// # Panics
    /// Never: a proxy has an address.
    #[must_use]
    pub fn url_through(&self, proxy: &FaultProxy, schema: &str) -> SecretString {
        let mut url = self.server.role_url(&self.name, &format!("{schema}_api"));
        let address = proxy.address();
        url.set_ip_host(address.ip())
            .and_then(|()| url.set_port(Some(address.port())))
            .expect("an address with a host");
        secret(&url)
    }

    /// A proxy in front of the database server.
    pub async fn proxy(&self) -> FaultProxy {
        FaultProxy::start(self.server.address()).await
    }

    /// The superuser's address of this database, for programs under test that migrate.
    #[must_use]
    pub fn admin_url(&self) -> SecretString {
        secret(&self.server.admin_url(&self.name))
    }

    /// A superuser's connection, to arrange rows and to look at them.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn admin(&self) -> PgConnection {
        self.server.connect(&self.name).await
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn connect(url: SecretString, schema: &'static str) -> Db {
    let config = DbConfig {
        url,
        pool_size: POOL_SIZE,
        acquire_timeout: ACQUIRE_TIMEOUT,
        schema,
    };
    Db::connect_lazy(&config).expect("the address of a test database is one")
}

impl Drop for TestDb {
    /// Drops the database from a thread with a runtime of its own: this may run inside a runtime, after it, or while
    /// panicking.
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime
                .block_on(server.drop_database(&name))
                .map_err(std::io::Error::other)
        });
        // What cannot be dropped now is dropped by a later run.
        if let Ok(Err(error)) = dropping.join() {
            eprintln!("the test database {} stays behind: {error}", self.name);
        }
    }
}
