//! `bizosaas doctor`: is everything there that the platform needs? One line for each thing, all of them, whatever fails.

mod checks;

use std::process::ExitCode;

use bz_service::config::Env;
use serde::Serialize;

use crate::operator::Operator;

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// As it should be.
    Ok,
    /// The platform runs, with less.
    Degraded,
    /// The platform does not run.
    Failed,
}

/// One line of the report.
#[derive(Debug, Serialize)]
struct Finding {
    check: String,
    verdict: Verdict,
    detail: String,
}

impl Finding {
    fn new(check: impl Into<String>, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self {
            check: check.into(),
            verdict,
            detail: detail.into(),
        }
    }

    fn of<E: std::fmt::Display>(check: impl Into<String>, result: Result<String, E>) -> Self {
        match result {
            Ok(detail) => Self::new(check, Verdict::Ok, detail),
            Err(error) => Self::new(check, Verdict::Failed, format!("{error:#}")),
        }
    }
}

/// Checks everything and prints it; fails when something the platform needs is missing.
pub(crate) async fn doctor(json: bool) -> anyhow::Result<ExitCode> {
    let mut env = Env::from_process();
    let operator = Operator::read(&mut env);
    let secret = checks::platform_secret(&mut env);
    let models = checks::models(&mut env);
    let mut findings = Vec::new();
    match (operator, env.finish()) {
        (Some(operator), Ok(())) => {
            findings.push(Finding::new("configuration", Verdict::Ok, "complete"));
            findings.extend(checks::database(&operator).await);
            findings.push(checks::redis(&operator).await);
        }
        (_, problems) => {
            let detail = problems
                .err()
                .map_or_else(|| "incomplete".to_owned(), |problems| problems.to_string());
            findings.push(Finding::new(
                "configuration",
                Verdict::Failed,
                detail.trim().replace('\n', "; "),
            ));
        }
    }
    findings.extend([secret, models]);
    print(&findings, json)?;
    let failed = findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Failed);
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn print(findings: &[Finding], json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(findings)?);
        return Ok(());
    }
    for Finding {
        check,
        verdict,
        detail,
    } in findings
    {
        let sign = match verdict {
            Verdict::Ok => "✅",
            Verdict::Degraded => "⚠️ ",
            Verdict::Failed => "❌",
        };
        println!("{sign} {check}: {detail}");
    }
    Ok(())
}
