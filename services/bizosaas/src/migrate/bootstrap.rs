//! What only an administrator can do, once: by the program, or by hand with the SQL that it prints.

use std::process::ExitCode;

use bz_kernel::platform::SERVICES;
use bz_tenant::migrate::{Migrator, Target};

/// Makes the roles and schemas and sets the passwords.
pub(super) async fn bootstrap(target: &Target) -> anyhow::Result<ExitCode> {
    Migrator::embedded()?.roles(target).await?;
    println!("roles, schemas and the extension vector are there");
    Ok(ExitCode::SUCCESS)
}

/// Prints what [`bootstrap`] runs. Needs no configuration.
pub(super) fn print() -> anyhow::Result<ExitCode> {
    let version = env!("CARGO_PKG_VERSION");
    println!(
        "-- BizOSaaS {version}: roles, schemas, rights and the extension vector. Run it in the platform's database as a\n\
         -- superuser, or as a role with CREATEROLE, and CREATE on the database, where vector is installed already:\n\
         --   psql --set ON_ERROR_STOP=1 --file bootstrap.sql\n\
         -- Running it again changes nothing.\n\
         BEGIN;\n"
    );
    println!("{}", Migrator::embedded()?.roles_sql());
    println!("COMMIT;\n");
    println!(
        "-- The logins have no password yet. In psql, which sends the server nothing but a verifier:"
    );
    for service in SERVICES {
        println!("--   \\password {}", service.api_role());
        println!("--   \\password {}_migrator", service.schema);
    }
    Ok(ExitCode::SUCCESS)
}
