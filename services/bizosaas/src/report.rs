//! What `doctor` and `smoke` found: one line for each thing, all of them, whatever fails.

use std::process::ExitCode;

use serde::Serialize;

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// As it should be.
    Ok,
    /// The platform runs, with less.
    Degraded,
    /// The platform does not run.
    Failed,
}

/// One line of a report.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) check: String,
    pub(crate) verdict: Verdict,
    pub(crate) detail: String,
}

impl Finding {
    pub(crate) fn new(
        check: impl Into<String>,
        verdict: Verdict,
        detail: impl Into<String>,
    ) -> Self {
        // A database's message may have lines of its own.
        let detail: String = detail.into();
        let lines: Vec<&str> = detail.lines().map(str::trim).collect();
        Self {
            check: check.into(),
            verdict,
            detail: lines.join("; "),
        }
    }

    pub(crate) fn ok(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, detail)
    }

    /// A failure costs no more than a part of the platform.
    pub(crate) fn degraded(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(check, Verdict::Degraded, detail)
    }

    pub(crate) fn of<E: std::fmt::Display>(
        check: impl Into<String>,
        result: Result<String, E>,
    ) -> Self {
        match result {
            Ok(detail) => Self::ok(check, detail),
            Err(error) => Self::new(check, Verdict::Failed, format!("{error:#}")),
        }
    }
}

/// Prints what was found; fails when something the platform needs is missing.
pub(crate) fn report(findings: &[Finding], json: bool) -> anyhow::Result<ExitCode> {
    if json {
        println!("{}", serde_json::to_string_pretty(findings)?);
    } else {
        findings.iter().for_each(print);
    }
    let failed = |finding: &Finding| finding.verdict == Verdict::Failed;
    Ok(if findings.iter().any(failed) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn print(finding: &Finding) {
    let Finding {
        check,
        verdict,
        detail,
    } = finding;
    let sign = match verdict {
        Verdict::Ok => "✅",
        Verdict::Degraded => "⚠️ ",
        Verdict::Failed => "❌",
    };
    println!("{sign} {check}: {detail}");
}
