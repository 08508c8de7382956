//! Where each schema stands, for people and for scripts that upgrade and roll back.

use std::process::ExitCode;
use std::time::Duration;

use bz_tenant::migrate::{Migrator, SchemaStatus, State};
use serde::Serialize;

use crate::operator::{Needs, Operator};

/// The whole answer.
#[derive(Serialize)]
struct Status {
    /// The release that answers.
    release: &'static str,
    /// Whether this release can serve: nothing is pending and nothing is wrong.
    current: bool,
    schemas: Vec<Schema>,
}

#[derive(Serialize)]
struct Schema {
    schema: String,
    state: SchemaState,
    /// The newest migration of the database.
    level: i64,
    /// The newest migration that this release knows, and the oldest level that it can serve.
    release_level: i64,
    migrations: Vec<Migration>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum SchemaState {
    /// The database is what this release wants.
    Current,
    /// Something is to be applied.
    Pending,
    /// A newer release has been here; this one serves it all the same.
    Newer,
    /// A migration was edited or is missing.
    Wrong,
}

#[derive(Serialize)]
struct Migration {
    version: i64,
    name: Option<String>,
    state: &'static str,
}

/// Says where each schema stands; fails when something is wrong or missing.
pub(super) async fn status(wait: Duration, json: bool) -> anyhow::Result<ExitCode> {
    let target = Operator::from_process(Needs::NOTHING)?
        .reached(wait)
        .await?;
    let all = Migrator::embedded()?.status(&target).await?;
    let current = all.iter().all(SchemaStatus::is_current);
    if json {
        let status = Status {
            release: env!("CARGO_PKG_VERSION"),
            current,
            schemas: all.iter().map(Schema::from).collect(),
        };
        println!("{}", serde_json::to_string_pretty(&status)?);
    } else {
        all.iter().for_each(print);
    }
    Ok(if current {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print(schema: &SchemaStatus) {
    for (version, name, state) in &schema.migrations {
        let (schema, state) = (&schema.schema, word(*state));
        let name = name.as_deref().unwrap_or("(of a newer release)");
        println!("{schema:<10} {version:04} {state:<8} {name}");
    }
}

impl From<&SchemaStatus> for Schema {
    fn from(status: &SchemaStatus) -> Self {
        let migration = |(version, name, state): &(i64, Option<String>, State)| Migration {
            version: *version,
            name: name.clone(),
            state: word(*state),
        };
        Self {
            schema: status.schema.clone(),
            state: SchemaState::of(status),
            level: status.level(),
            release_level: status.known_level(),
            migrations: status.migrations.iter().map(migration).collect(),
        }
    }
}

impl SchemaState {
    fn of(status: &SchemaStatus) -> Self {
        let any = |wanted: &[State]| {
            let mut states = status.migrations.iter().map(|(_, _, state)| state);
            states.any(|state| wanted.contains(state))
        };
        if any(&[State::Edited, State::Missing]) {
            Self::Wrong
        } else if any(&[State::Pending]) {
            Self::Pending
        } else if any(&[State::Newer]) {
            Self::Newer
        } else {
            Self::Current
        }
    }
}

const fn word(state: State) -> &'static str {
    match state {
        State::Applied => "applied",
        State::Pending => "pending",
        State::Edited => "edited",
        State::Missing => "missing",
        State::Newer => "newer",
    }
}
