//! The configuration reference, generated from the code that reads the variables.

use std::fmt::Write as _;

use bz_kernel::ServiceInfo;

use super::{Config, CoreConfig, Env, Row, WhenUnset};
use crate::app::Service;

/// The variables that every service reads.
#[must_use]
pub fn core_rows(info: &'static ServiceInfo) -> Vec<Row> {
    let mut env = nothing_set();
    let _read = CoreConfig::read(&mut env, info);
    env.rows().to_vec()
}

/// The variables that only this service reads.
#[must_use]
pub fn own_rows<C: Config>() -> Vec<Row> {
    let mut env = nothing_set();
    let _read = C::read(&mut env);
    env.rows().to_vec()
}

/// The reference of one service's binary.
#[must_use]
pub fn of_service<S: Service>() -> String {
    markdown(&[
        ("All services", core_rows(S::INFO)),
        (S::INFO.name, own_rows::<S::Config>()),
    ])
}

/// `docs/configuration.md`: a section for the shared variables and one for each service that has its own.
#[must_use]
pub fn markdown(sections: &[(&str, Vec<Row>)]) -> String {
    let mut out = String::from(INTRODUCTION);
    for (title, rows) in sections.iter().filter(|(_, rows)| !rows.is_empty()) {
        let _infallible = write!(
            out,
            "\n## {title}\n\n| variable | value | default | what it is for |\n| --- | --- | --- | --- |\n"
        );
        for row in rows {
            let _infallible = writeln!(
                out,
                "| `{}` | {} | {} | {} |",
                row.name,
                row.kind,
                default(row),
                row.doc
            );
        }
    }
    out
}

const INTRODUCTION: &str = "# Configuration

Generated from the code that reads it by `bizosaas config`; do not edit.

Every variable can also be given as `<NAME>_FILE` with the path of a file that holds the value (both is an error). An
empty value is the same as none. All problems are reported at once before anything listens, with exit code 78; a name
that is a slip away from one of these is one of the problems. Secrets have no default and are never shown.
";

fn default(row: &Row) -> String {
    match &row.default {
        WhenUnset::Required => "**required**".to_owned(),
        WhenUnset::Nothing => "-".to_owned(),
        WhenUnset::Value(value) if value.is_empty() => "empty".to_owned(),
        WhenUnset::Value(value) => format!("`{value}`"),
    }
}

fn nothing_set() -> Env {
    Env::from_map::<String, String>([])
}
