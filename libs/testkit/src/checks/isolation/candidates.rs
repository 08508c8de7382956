//! Values that a column may accept, by its type and by the constants in its `CHECK`s.

use super::table::Column;

/// SQL expressions, the likeliest first. One is enough for a column without a `CHECK`.
pub(super) fn candidates(column: &Column, checks: &[&str]) -> Vec<String> {
    let mut values = match &column.labels {
        Some(labels) => labels.iter().map(quoted).collect(),
        None => of_type(&column.type_name, checks),
    };
    if column.nullable || values.is_empty() {
        values.push("NULL".to_owned());
    }
    values.truncate(if checks.is_empty() { 1 } else { usize::MAX });
    values
}

fn of_type(type_name: &str, checks: &[&str]) -> Vec<String> {
    if let Some(element) = type_name.strip_suffix("[]") {
        let first = of_type(element, &[]).into_iter().take(1);
        return first
            .map(|value| format!("ARRAY[{value}]"))
            .chain(["'{}'".to_owned()])
            .collect();
    }
    let base = type_name.split('(').next().unwrap_or(type_name);
    let fixed: &[&str] = match base {
        "uuid" => &["gen_random_uuid()"],
        "boolean" => &["true", "false"],
        "timestamp with time zone" | "timestamp without time zone" | "date" => {
            &["'2026-03-02'", "'2026-03-03'"]
        }
        "time without time zone" | "time with time zone" => &["'09:00'"],
        "interval" => &["'1 hour'"],
        "jsonb" | "json" => &["'{}'", "'[]'", "'\"x\"'"],
        "inet" | "cidr" => &["'127.0.0.1'"],
        "xid8" => &["'1'"],
        "tsvector" => &["''"],
        "text" | "character varying" | "character" | "citext" | "public.citext" => {
            return texts(checks);
        }
        "bytea" => return bytes(checks),
        "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => {
            return numbers(checks);
        }
        "vector" | "public.vector" => return vec![vector(type_name)],
        _ => &[],
    };
    fixed.iter().map(ToString::to_string).collect()
}

fn texts(checks: &[&str]) -> Vec<String> {
    let common = [
        "x",
        "acme",
        "ada@example.com",
        "https://example.com/",
        "2026-03-02",
        "",
    ];
    let lengths = constants(checks).filter(|length| (1..=256).contains(length));
    let repeated = lengths.map(|length| format!("repeat('a', {length})"));
    strings(checks)
        .into_iter()
        .chain(common.map(quoted))
        .chain(repeated)
        .collect()
}

fn bytes(checks: &[&str]) -> Vec<String> {
    let lengths = [32, 16]
        .into_iter()
        .chain(constants(checks).filter(|length| (0..=4096).contains(length)));
    lengths
        .map(|length| format!("decode(repeat('5a', {length}), 'hex')"))
        .collect()
}

fn numbers(checks: &[&str]) -> Vec<String> {
    let near = constants(checks)
        .flat_map(|number| [number, number.saturating_add(1), number.saturating_sub(1)]);
    [1, 0]
        .into_iter()
        .chain(near)
        .map(|number| number.to_string())
        .collect()
}

fn vector(type_name: &str) -> String {
    let dimensions = type_name.split(['(', ')']).nth(1).unwrap_or("3");
    format!("array_fill(0.5::real, ARRAY[{dimensions}])")
}

/// The string constants of SQL expressions, still quoted.
fn strings(expressions: &[&str]) -> Vec<String> {
    let parts = |expression: &str| {
        // Doubled quotes inside a constant make two parts; neither is a value, and neither does harm.
        expression
            .split('\'')
            .skip(1)
            .step_by(2)
            .map(quoted)
            .collect::<Vec<_>>()
    };
    expressions
        .iter()
        .flat_map(|expression| parts(expression))
        .collect()
}

/// The whole numbers in SQL expressions.
fn constants<'a>(expressions: &'a [&'a str]) -> impl Iterator<Item = i64> + 'a {
    let digits = |expression: &'a &str| expression.split(|c: char| !c.is_ascii_digit());
    expressions
        .iter()
        .flat_map(digits)
        .filter_map(|number| number.parse().ok())
}

fn quoted(text: impl AsRef<str>) -> String {
    format!("'{}'", text.as_ref().replace('\'', "''"))
}
