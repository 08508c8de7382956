//! Postgres's own programs: `pg_dump` writes what `pg_restore` reads. They are told where the database is by their
//! environment, where no other user sees the password.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, bail, ensure};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::operator::Operator;

/// What of our environment the programs may see, beside Postgres's own variables.
const PASSED_ON: [&str; 6] = [
    "PATH",
    "LD_LIBRARY_PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "LC_ALL",
];
/// Parameters of an address and the variables with the same meaning.
const PARAMETERS: [(&str, &str); 9] = [
    ("host", "PGHOST"),
    ("port", "PGPORT"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("dbname", "PGDATABASE"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
];

/// Where the programs are, and the database that they work on.
pub(crate) struct Programs {
    folder: Option<PathBuf>,
    variables: Vec<(String, String)>,
}

impl Programs {
    pub(crate) fn new(operator: &Operator) -> anyhow::Result<Self> {
        let ours = |name: &str| PASSED_ON.contains(&name) || name.starts_with("PG");
        let mut variables: Vec<(String, String)> =
            std::env::vars().filter(|(name, _)| ours(name)).collect();
        variables.extend(connection(&operator.database_address()?)?);
        Ok(Self {
            folder: operator.pg_bin.clone(),
            variables,
        })
    }

    /// Fails unless the program is there and can talk to a server of this version.
    pub(crate) fn require(&self, program: &str, server: u32) -> anyhow::Result<()> {
        let asked = self.command(program).arg("--version").output();
        let output = asked.map_err(|error| self.missing(program, &error))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let major = major(&text).with_context(|| format!("{program} --version says {text:?}"))?;
        ensure!(
            major >= server,
            "{program} is of Postgres {major}, the server of {server}: a {program} of {server} or newer is needed \
             (PG_BIN names its folder)"
        );
        Ok(())
    }

    /// Starts writing the database as it is in a snapshot.
    pub(crate) fn dump(&self, snapshot: &str) -> anyhow::Result<Dumping> {
        let mut command = self.command("pg_dump");
        command.args([
            "--format=custom",
            "--no-password",
            "--lock-wait-timeout=60s",
        ]);
        command.arg(format!("--snapshot={snapshot}"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        child
            .map(Dumping)
            .map_err(|error| self.missing("pg_dump", &error))
    }

    /// Fills an empty database, all or nothing.
    pub(crate) fn restore(&self, database: &str, dump: &mut impl Read) -> anyhow::Result<()> {
        let mut command = self.command("pg_restore");
        command.args(["--exit-on-error", "--single-transaction", "--no-password"]);
        command.arg(format!("--dbname={database}"));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut child = child.map_err(|error| self.missing("pg_restore", &error))?;
        let copied = match child.stdin.take() {
            Some(mut input) => io::copy(dump, &mut input),
            None => Ok(0),
        };
        // What it has said itself tells more than the broken pipe that it leaves.
        succeeded("pg_restore", child)?;
        copied.context("cannot read the dump")?;
        Ok(())
    }

    fn command(&self, program: &str) -> Command {
        let path = self.folder.as_ref().map(|folder| folder.join(program));
        let mut command = Command::new(path.unwrap_or_else(|| PathBuf::from(program)));
        command.env_clear();
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn missing(&self, program: &str, error: &io::Error) -> anyhow::Error {
        let place = match &self.folder {
            Some(folder) => folder.display().to_string(),
            None => "the PATH".to_owned(),
        };
        anyhow::anyhow!("{program} cannot be run from {place}: {error}; PG_BIN names its folder")
    }
}

/// A `pg_dump` at work.
pub(crate) struct Dumping(Child);

impl Dumping {
    /// What it writes.
    pub(crate) fn output(&mut self) -> anyhow::Result<ChildStdout> {
        self.0.stdout.take().context("pg_dump has no output")
    }

    /// Fails unless it has written everything.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        succeeded("pg_dump", self.0)
    }
}

fn succeeded(program: &str, mut child: Child) -> anyhow::Result<()> {
    let status = child.wait().with_context(|| format!("{program} is lost"))?;
    if status.success() {
        Ok(())
    } else {
        bail!("{program} failed ({status}); its own message is above")
    }
}

/// `pg_dump (PostgreSQL) 17.2 (Debian ..)`
fn major(version: &str) -> Option<u32> {
    let number = version.split(") ").nth(1)?;
    let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// The variables by which libpq finds the database of an address.
fn connection(url: &Url) -> anyhow::Result<Vec<(String, String)>> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(String::from);
    let mut variables = Vec::new();
    let mut set = |name: &str, value: String| {
        if !value.is_empty() {
            variables.push((name.to_owned(), value));
        }
    };
    // An IPv6 address stands in brackets there.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    set("PGHOST", decoded(host)?);
    set("PGPORT", url.port().unwrap_or(5432).to_string());
    set("PGUSER", decoded(url.username())?);
    set("PGPASSWORD", decoded(url.password().unwrap_or_default())?);
    set("PGDATABASE", decoded(url.path().trim_start_matches('/'))?);
    for (name, value) in url.query_pairs() {
        let name = name
            .replace("ssl-root-cert", "sslrootcert")
            .replace("ssl-", "ssl");
        if let Some((_, variable)) = PARAMETERS.iter().find(|(known, _)| *known == name) {
            set(variable, value.into_owned());
        }
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_variables() {
        let url = "postgres://admin:p%40ss%2Fw@db.example:5433/platform?sslmode=verify-full&ssl-root-cert=/ca.pem";
        let variables = connection(&url.parse().unwrap()).unwrap();
        let shown: Vec<String> = variables.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(
            shown,
            [
                "PGHOST=db.example",
                "PGPORT=5433",
                "PGUSER=admin",
                "PGPASSWORD=p@ss/w",
                "PGDATABASE=platform",
                "PGSSLMODE=verify-full",
                "PGSSLROOTCERT=/ca.pem"
            ]
        );
    }

    #[test]
    fn the_version_is_read_from_every_distribution_of_postgres() {
        assert_eq!(major("pg_dump (PostgreSQL) 18.1\n"), Some(18));
        assert_eq!(
            major("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major("pg_dump (PostgreSQL) 19devel\n"), Some(19));
        assert_eq!(major("something else"), None);
    }
}
