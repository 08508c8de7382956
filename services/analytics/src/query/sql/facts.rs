//! Counting facts, which are by day already.

use super::{
    Class, GROUPED, Read, Sql, between_days, filtered, group_columns, key_in_dims, piece_of_day,
};

/// Appends the `SELECT`.
pub(super) fn select(sql: &mut Sql, part: usize, read: &Read) {
    let key = |name: &str| key_in_dims(read, name, "f", "f.currency");
    group_columns(
        sql,
        part,
        piece_of_day("f.day", &read.window),
        read,
        &key,
        "f.currency",
    );
    let sums: Vec<String> = read.leaves.iter().map(|(_, leaf)| {
        let field = leaf.measure.field.as_deref().unwrap_or(&leaf.measure.name);
        let value = format!("(f.measures ->> '{field}')::numeric");
        match read.class {
            // What may not be added stands where there is one row only.
            Class::Alone => format!(
                "CASE WHEN count(*) FILTER (WHERE f.measures ? '{field}') <= 1 THEN max({value}) END"
            ),
            _ => format!("sum({value})"),
        }
    }).collect();
    sql.push(sums.join(", "));
    sql.push("]::numeric[] AS sums FROM ");
    match read.class {
        Class::Last(field) => standing(sql, read, field, "DESC"),
        Class::First(field) => standing(sql, read, field, "ASC"),
        _ => {
            sql.push("analytics.facts f WHERE ");
            rows(sql, read);
        }
    }
    filtered(sql, read, &key);
    sql.push(GROUPED);
}

fn rows(sql: &mut Sql, read: &Read) {
    sql.push("f.dataset = ");
    sql.push_bind(read.dataset.key.as_str());
    sql.push(" AND ");
    between_days(
        sql,
        "f.day",
        read.window.span.from,
        read.window.days_until(),
    );
}

/// Of each entity the last or the first row of each piece.
fn standing(sql: &mut Sql, read: &Read, field: &str, order: &str) {
    sql.push(
        "(SELECT DISTINCT ON (r.piece, r.source_id, r.entity, r.currency) r.* FROM (SELECT f.*, ",
    );
    piece_of_day("f.day", &read.window)(sql);
    sql.push(" AS piece FROM analytics.facts f WHERE ");
    rows(sql, read);
    sql.push(format!(
        " AND f.measures ? '{field}') r ORDER BY r.piece, r.source_id, r.entity, r.currency, r.day {order}) f WHERE true"
    ));
}
