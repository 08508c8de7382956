//! `bizosaas create-owner`: the first account of an installation in which nobody may register.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use bz_http::Problem;
use bz_kernel::{SecretString, Sources, platform::IDENTITY};
use identity::NewOwner;

use crate::operator::{Needs, Operator, PATIENCE};

/// Whom to make.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The address, which is the login name.
    #[arg(long)]
    email: String,
    /// What the owner wants to be called.
    #[arg(long)]
    name: Option<String>,
    /// Name of the tenant; the owner's name or the address when left out.
    #[arg(long)]
    tenant_name: Option<String>,
    /// File with the password; standard input when left out.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// `bizosaas create-owner`.
pub(crate) async fn create_owner(options: Options) -> anyhow::Result<ExitCode> {
    let operator = Operator::from_process(Needs::LOGINS)?;
    let owner = NewOwner {
        password: password(options.password_file.as_ref())?,
        email: options.email,
        name: options.name,
        tenant_name: options.tenant_name,
    };
    let db = operator.log_in(&IDENTITY, Duration::from_secs(5))?;
    operator.reached(PATIENCE).await?;
    match identity::create_owner(&db, &Sources::system(), owner).await {
        Ok(slug) => {
            println!("made the tenant {slug} and its owner, who can log in");
            Ok(ExitCode::SUCCESS)
        }
        Err(problem) => bail!("{}", told(&problem)),
    }
}

/// Never an argument, which other users of the machine can read.
fn password(file: Option<&PathBuf>) -> anyhow::Result<SecretString> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?,
        None => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .context("cannot read the password from standard input")?;
            text
        }
    };
    Ok(text.trim_end_matches(['\r', '\n']).into())
}

/// Everything that is wrong, with the names of the options.
fn told(problem: &Problem) -> String {
    let document = problem.document();
    let mut told: Vec<String> = document
        .errors
        .iter()
        .map(|error| {
            let option = error.pointer.as_deref().unwrap_or_default();
            format!("{} {}", option.trim_start_matches('/'), error.message)
        })
        .collect();
    if told.is_empty() {
        told.push(document.detail.unwrap_or(document.title));
    }
    told.join("\n")
}
