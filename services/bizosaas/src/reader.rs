//! `bizosaas reader`: a login for one tenant's own tools for reports, as Superset (docs/superset.md).

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use bz_kernel::SecretString;
use uuid::Uuid;

use crate::operator::{Needs, Operator, PATIENCE};

/// The shortest password.
const SHORTEST: usize = 16;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a tenant's login, or give it another password, and print its address without the password.
    Make {
        /// The tenant's id.
        #[arg(long)]
        tenant: Uuid,
        /// File with the password, at least 16 characters.
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
    },
    /// Drop a tenant's login.
    Drop {
        /// The tenant's id.
        #[arg(long)]
        tenant: Uuid,
    },
}

/// `bizosaas reader`.
pub(crate) async fn reader(command: Command) -> anyhow::Result<ExitCode> {
    let operator = Operator::from_process(Needs::ADMINISTRATOR)?;
    let mut admin = operator.reached(PATIENCE).await?.connect().await?;
    match command {
        Command::Make {
            tenant,
            password_file,
        } => {
            let password = password(&password_file)?;
            let role = bz_tenant::readers::make(&mut admin, tenant, &password).await?;
            let mut url = operator.database_address()?;
            let named = url
                .set_username(&role)
                .and_then(|()| url.set_password(None));
            named.map_err(|()| anyhow::anyhow!("DATABASE_URL has no host"))?;
            println!("{url}");
        }
        Command::Drop { tenant } => {
            bz_tenant::readers::drop(&mut admin, tenant).await?;
            println!("dropped {}", bz_tenant::readers::role_of(tenant));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Never an argument, which other users of the machine can read.
fn password(file: &PathBuf) -> anyhow::Result<SecretString> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.len() < SHORTEST {
        bail!("the password must have at least {SHORTEST} characters");
    }
    Ok(text.to_owned().into())
}
