//! `bizosaas restore-tenant`: a tenant that was deleted comes back. Nobody of it can log in to ask for it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use bz_kernel::{Sources, platform::IDENTITY};

use crate::operator::{Needs, Operator, PATIENCE};

/// Which one.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The tenant's slug.
    #[arg(long)]
    slug: String,
}

/// `bizosaas restore-tenant`.
pub(crate) async fn restore_tenant(options: &Options) -> anyhow::Result<ExitCode> {
    let operator = Operator::from_process(Needs::LOGINS)?;
    let db = operator.log_in(&IDENTITY, Duration::from_secs(5))?;
    operator.reached(PATIENCE).await?;
    if !identity::restore_tenant(&db, &Sources::system(), &options.slug).await? {
        bail!("no deleted tenant has the slug {}", options.slug);
    }
    println!(
        "restored the tenant {}; its people can log in again",
        options.slug
    );
    Ok(ExitCode::SUCCESS)
}
