//! `bizosaas migrate`: roles and schemas as the administrator, then every schema's migrations.

use std::process::ExitCode;

use bz_tenant::migrate::{Migrator, State};

use crate::operator::Operator;

/// Applies what is missing.
pub(crate) async fn run() -> anyhow::Result<ExitCode> {
    let (migrator, target) = (Migrator::embedded()?, Operator::from_process()?.target());
    migrator.roles(&target).await?;
    let applied = migrator.run(&target).await?;
    for step in &applied {
        println!(
            "{:<10} {:04} {} ({} ms)",
            step.schema,
            step.version,
            step.name,
            step.took.as_millis()
        );
    }
    println!(
        "{} migrations applied; every schema is current",
        applied.len()
    );
    Ok(ExitCode::SUCCESS)
}

/// Says what [`run`] would do.
pub(crate) async fn plan() -> anyhow::Result<ExitCode> {
    let plan = Migrator::embedded()?
        .plan(&Operator::from_process()?.target())
        .await?;
    if plan.creates_roles {
        println!("roles, schemas and the extension vector would be created");
    }
    for step in &plan.steps {
        println!("{:<10} {:04} {}", step.schema, step.version, step.name);
    }
    println!("{} migrations would be applied", plan.steps.len());
    Ok(ExitCode::SUCCESS)
}

/// Says where each schema stands; fails when something is wrong or missing.
pub(crate) async fn status() -> anyhow::Result<ExitCode> {
    let all = Migrator::embedded()?
        .status(&Operator::from_process()?.target())
        .await?;
    for schema in &all {
        for (version, name, state) in &schema.migrations {
            let name = name.as_deref().unwrap_or("(of a newer release)");
            println!(
                "{:<10} {version:04} {:<8} {name}",
                schema.schema,
                word(*state)
            );
        }
    }
    let current = all.iter().all(bz_tenant::migrate::SchemaStatus::is_current);
    Ok(if current {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

const fn word(state: State) -> &'static str {
    match state {
        State::Applied => "applied",
        State::Pending => "pending",
        State::Edited => "EDITED",
        State::Missing => "MISSING",
        State::Newer => "newer",
    }
}
