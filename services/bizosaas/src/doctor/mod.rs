//! `bizosaas doctor`: is everything there that the platform needs? Of one process on one machine, or with `--cluster`
//! of services, database and cache that find each other by name.

mod checks;
mod cluster;
mod network;

use std::process::ExitCode;
use std::time::Duration;

use bz_service::config::{ConfigProblems, Env, SiblingUrls};

use crate::operator::{Needs, Operator};
use crate::report::{Finding, Verdict, report};

/// How long a network policy may take until it knows a new pod.
const LET_THROUGH: Duration = Duration::from_secs(10);

/// What to check, and how to say it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Options {
    /// From inside a pod: names, ports, logins, versions, schemas, Redis and the five services.
    #[arg(long)]
    cluster: bool,
    /// One JSON document instead of lines.
    #[arg(long)]
    json: bool,
}

/// Checks everything and prints it; fails when something the platform needs is missing.
pub(crate) async fn doctor(options: Options) -> anyhow::Result<ExitCode> {
    let mut env = Env::from_process();
    let operator = Operator::read(&mut env, Needs::LOGINS);
    let findings = if options.cluster {
        let siblings = SiblingUrls::read(&mut env);
        match (operator, siblings, env.finish()) {
            (Some(operator), Some(siblings), Ok(())) => {
                // Told by the checks when it does not.
                let _unreachable = operator.reached(LET_THROUGH).await;
                cluster::checks(&operator, &env, &siblings).await
            }
            (_, _, problems) => vec![incomplete(problems.err())],
        }
    } else {
        let secret = checks::platform_secret(&mut env);
        let models = checks::models(&mut env);
        let mut findings = match (operator, env.finish()) {
            (Some(operator), Ok(())) => local(&operator).await,
            (_, problems) => vec![incomplete(problems.err())],
        };
        findings.extend([secret, models]);
        findings
    };
    report(&findings, options.json)
}

async fn local(operator: &Operator) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("configuration", "complete")];
    findings.extend(checks::database(operator).await);
    findings.push(checks::redis(operator).await);
    findings
}

fn incomplete(problems: Option<ConfigProblems>) -> Finding {
    let detail = problems.map_or_else(|| "incomplete".to_owned(), |problems| problems.to_string());
    Finding::new("configuration", Verdict::Failed, detail)
}
