//! The Postgres server that tests share.

use std::time::Duration;

use bz_kernel::{Clock, Rng, SecretString};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions};
use url::Url;

use crate::environment;

/// The password of every role in tests.
pub const ROLE_PASSWORD: &str = "test";

/// The server, by its superuser's address.
#[derive(Clone)]
pub(crate) struct Server(Url);

impl Server {
    pub(crate) fn from_environment() -> Self {
        Self(environment::database_url())
    }

    /// `host:port`, for a proxy.
    pub(crate) fn address(&self) -> String {
        let host = self.0.host_str().expect("TEST_DATABASE_URL names a host");
        format!("{host}:{}", self.0.port().unwrap_or(5432))
    }

    /// The superuser's address of a database.
    pub(crate) fn admin_url(&self, database: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(database);
        url
    }

    /// A role's address of a database.
    pub(crate) fn role_url(&self, database: &str, role: &str) -> Url {
        let mut url = self.admin_url(database);
        set_role(&mut url, role);
        url
    }

    /// A superuser's connection to a database.
    pub(crate) async fn connect(&self, database: &str) -> PgConnection {
        connect(&self.admin_url(database)).await
    }

    /// A superuser's connection to the database that `TEST_DATABASE_URL` names, from where others are made.
    pub(crate) async fn connect_home(&self) -> PgConnection {
        connect(&self.0).await
    }

    /// Tries the password of a role.
    pub(crate) async fn log_in(&self, role: &str) -> Result<(), sqlx::Error> {
        let mut url = self.0.clone();
        set_role(&mut url, role);
        let options: PgConnectOptions = url.as_str().parse()?;
        options.connect().await?.close().await
    }

    /// Drops a database under whoever still uses it. `DROP DATABASE` looks only ten times a second whether they are
    /// gone, so they are sent away before.
    pub(crate) async fn drop_database(&self, database: &str) -> Result<(), sqlx::Error> {
        let mut home = self.connect_home().await;
        let send_away = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}'"
        );
        for _ in 0..20 {
            let users: i64 = sqlx::query_scalar(&send_away).fetch_one(&mut home).await?;
            if users == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        execute(
            &mut home,
            &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
        )
        .await?;
        home.close().await
    }
}

/// Runs one statement by the simple protocol, as `CREATE DATABASE` and its like want it.
pub(crate) async fn execute(conn: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    conn.execute(sql).await.map(|_| ())
}

fn set_role(url: &mut Url, role: &str) {
    url.set_username(role)
        .and_then(|()| url.set_password(Some(ROLE_PASSWORD)))
        .expect("an address with a host");
}

async fn connect(url: &Url) -> PgConnection {
    let options: PgConnectOptions = url.as_str().parse().expect("an address of Postgres");
    options
        .disable_statement_logging()
        .connect()
        .await
        .expect("the Postgres of TEST_DATABASE_URL answers")
}

/// The name of a database says what it is and when it was made, so that leftovers can be told.
pub(crate) fn new_name(kind: &str) -> String {
    format!(
        "bizosaas_{kind}_{}_{:016x}",
        now(),
        u64::from_le_bytes(Rng::system().bytes())
    )
}

/// When a database of ours was made, in seconds since 1970.
pub(crate) fn made_at(name: &str, kind: &str) -> Option<i64> {
    name.strip_prefix("bizosaas_")?
        .strip_prefix(kind)?
        .strip_prefix('_')?
        .split('_')
        .next()?
        .parse()
        .ok()
}

pub(crate) fn now() -> i64 {
    Clock::system().now().timestamp()
}

pub(crate) fn secret(url: &Url) -> SecretString {
    url.as_str().to_owned().into()
}
