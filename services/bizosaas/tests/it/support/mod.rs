//! The platform as child processes, and people who use it.

mod api;
mod child;
mod ports;
mod redis;

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use bz_kernel::{ExposeSecret, platform::SERVICES};
use bz_testkit::{FaultProxy, ROLE_PASSWORD, TestDb, postgres_programs, wait_until};
use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};
use url::Url;

pub(crate) use self::api::{Api, PASSWORD, User, send};
pub(crate) use self::child::Child;
pub(crate) use self::ports::Ports;
pub(crate) use self::redis::Redis;

/// A debug build on a machine that compiles beside it.
const PATIENCE: Duration = Duration::from_secs(20);
/// The variables with the passwords of the services' logins.
const PASSWORDS: [&str; 5] = [
    "IDENTITY_DB_PASSWORD",
    "AI_DB_PASSWORD",
    "CHAT_DB_PASSWORD",
    "CRM_DB_PASSWORD",
    "ANALYTICS_DB_PASSWORD",
];

/// An installation: a database, ports, variables. Its processes come and go.
pub(crate) struct Installation {
    pub(crate) ports: Ports,
    pub(crate) database: TestDb,
    variables: Vec<(String, String)>,
}

impl Installation {
    /// On a migrated database.
    pub(crate) async fn migrated() -> Self {
        Self::on(TestDb::new().await)
    }

    /// On a database with nothing in it.
    pub(crate) async fn empty() -> Self {
        Self::on(TestDb::empty().await)
    }

    fn on(database: TestDb) -> Self {
        let mut new = Self {
            ports: Ports::reserve(),
            database,
            variables: Vec::new(),
        };
        let url = new.database.admin_url().expose_secret().to_owned();
        new.set("DATABASE_URL", &url);
        new.set("PLATFORM_SECRET", "a secret of the end-to-end tests only");
        new.set("HOST", "127.0.0.1");
        for password in PASSWORDS {
            new.set(password, ROLE_PASSWORD);
        }
        // A server that is newer than the machine's own programs brings its programs along.
        match postgres_programs() {
            Some(folder) => new.set("PG_BIN", &folder),
            None => new.set("PATH", &path()),
        }
        new
    }

    /// Names the database without an administrator.
    pub(crate) fn without_administrator(&mut self) {
        let mut url: Url = self.database.admin_url().expose_secret().parse().unwrap();
        url.set_username("").unwrap();
        url.set_password(None).unwrap();
        self.set("DATABASE_URL", url.as_str());
    }

    /// Reaches the database through a proxy.
    pub(crate) fn through(&mut self, proxy: &FaultProxy) {
        let mut url: Url = self.database.admin_url().expose_secret().parse().unwrap();
        let address = proxy.address();
        url.set_ip_host(address.ip()).unwrap();
        url.set_port(Some(address.port())).unwrap();
        self.set("DATABASE_URL", url.as_str());
    }

    /// Says where the services are.
    pub(crate) fn name_the_services(&mut self) {
        for service in SERVICES {
            let url = format!("http://127.0.0.1:{}", self.ports.of(service.port));
            self.set(service.url_variable, &url);
        }
    }

    /// Another database of the same server, as its superuser or as a service's role.
    pub(crate) async fn connect(&self, database: &str, role: Option<&str>) -> PgConnection {
        let url = self.database.admin_url();
        let mut options: PgConnectOptions = url.expose_secret().parse().unwrap();
        options = options.database(database);
        if let Some(role) = role {
            options = options.username(role).password(ROLE_PASSWORD);
        }
        options.connect().await.unwrap()
    }

    /// Gives its processes a variable.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// A variable that it gives.
    pub(crate) fn variable(&self, name: &str) -> String {
        let mut variables = self.variables.iter();
        let found = variables.find(|(known, _)| known == name);
        found.unwrap().1.clone()
    }

    /// Takes a variable away.
    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must succeed and answers what it printed.
    #[track_caller]
    pub(crate) fn print(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the platform and waits until all five services are ready.
    pub(crate) async fn up(&self) -> Child {
        self.up_with(&[]).await
    }

    /// The same with further arguments.
    pub(crate) async fn up_with(&self, further: &[&str]) -> Child {
        let offset = self.ports.offset().to_string();
        let arguments = [&["up", "--port-offset", &offset], further].concat();
        let mut platform = Child::start(self.command(&arguments), "bizosaas");
        for service in SERVICES {
            let port = self.ports.of(service.port);
            wait_until(
                async || {
                    platform.assert_running();
                    bz_service::healthcheck::ready(port).await.is_ok()
                },
                PATIENCE,
            )
            .await;
        }
        platform
    }

    /// A client of the API that nobody has logged in with.
    pub(crate) fn anonymous(&self) -> Api {
        Api::new(self.ports.offset())
    }

    /// Starts a command that the test goes on beside.
    pub(crate) fn start(&self, arguments: &[&str]) -> std::process::Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// A command that is not run yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bizosaas"));
        command.args(arguments).env_clear();
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the programs that the tests use are where the tests' own process finds them"
)]
fn path() -> String {
    std::env::var("PATH").unwrap_or_default()
}
