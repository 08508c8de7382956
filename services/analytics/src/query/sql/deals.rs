//! Counting deals: by when they were made, by when they were closed, those that are open, and by stage.

use super::{
    Class, GROUPED, Read, Sql, between, filtered, group_columns, key_in_dims, piece_of_instant,
};

/// Appends the `SELECT`.
pub(super) fn select(sql: &mut Sql, part: usize, read: &Read) {
    let key = |name: &str| match (name, read.class) {
        ("stage", Class::Stages) => "s.stage".to_owned(),
        ("pipeline" | "stage" | "owner" | "source" | "outcome", _) => format!("d.{name}"),
        (other, _) => key_in_dims(read, other, "d", "d.currency"),
    };
    let window = &read.window;
    match read.class {
        Class::Open => group_columns(
            sql,
            part,
            |sql| {
                sql.push("e.piece::int - 1");
            },
            read,
            &key,
            "d.currency",
        ),
        Class::Closed => group_columns(
            sql,
            part,
            piece_of_instant("d.closed_at", window),
            read,
            &key,
            "d.currency",
        ),
        Class::Stages => group_columns(
            sql,
            part,
            piece_of_instant("s.entered_at", window),
            read,
            &key,
            "d.currency",
        ),
        _ => group_columns(
            sql,
            part,
            piece_of_instant("d.created_at", window),
            read,
            &key,
            "d.currency",
        ),
    }
    let sums: Vec<&str> = read
        .leaves
        .iter()
        .map(|(_, leaf)| sum(&leaf.measure.name))
        .collect();
    sql.push(sums.join(", "));
    sql.push("]::numeric[] AS sums FROM analytics.deals d");
    rows(sql, read);
    filtered(sql, read, &key);
    sql.push(GROUPED);
}

fn sum(measure: &str) -> &'static str {
    match measure {
        "won" => "count(*) FILTER (WHERE d.outcome = 'won')",
        "won_amount" => "sum(d.amount_minor) FILTER (WHERE d.outcome = 'won')",
        "lost" => "count(*) FILTER (WHERE d.outcome = 'lost')",
        "lost_amount" => "sum(d.amount_minor) FILTER (WHERE d.outcome = 'lost')",
        "cycle_days" => {
            "round(sum(extract(epoch FROM d.closed_at - d.created_at)) FILTER (WHERE d.outcome = 'won') / 86400, 6)"
        }
        "created_amount" | "open_amount" => "sum(d.amount_minor)",
        "weighted_amount" => "sum(d.amount_minor * d.probability::numeric) / 100",
        _ => "count(*)",
    }
}

fn rows(sql: &mut Sql, read: &Read) {
    let (from, until) = (read.window.start(), read.window.end);
    match read.class {
        // A deal is open at an instant when it was there and had not been closed.
        Class::Open => {
            sql.push(" JOIN unnest(");
            sql.push_bind(read.window.ends());
            sql.push(
                "::timestamptz[]) WITH ORDINALITY AS e (at, piece) ON d.created_at < e.at \
                 AND (d.outcome = 'open' OR d.closed_at >= e.at) WHERE d.created_at < ",
            );
            sql.push_bind(until);
        }
        Class::Closed => {
            sql.push(" WHERE d.outcome <> 'open' AND ");
            between(sql, "d.closed_at", from, until);
        }
        Class::Stages => {
            sql.push(
                " JOIN analytics.deal_stages s ON s.source = d.source AND s.deal_id = d.deal_id WHERE ",
            );
            between(sql, "s.entered_at", from, until);
        }
        _ => {
            sql.push(" WHERE ");
            between(sql, "d.created_at", from, until);
        }
    }
}
