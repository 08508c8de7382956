//! Counting orders and what was in them.

use super::{
    Class, GROUPED, Read, Sql, between, filtered, group_columns, key_in_dims, piece_of_instant,
};

/// When each customer ordered first.
const FIRST_ORDERS: &str = " LEFT JOIN (SELECT customer, min(ordered_at) AS first_at FROM analytics.orders \
     WHERE is_order AND customer IS NOT NULL GROUP BY customer) c ON c.customer = o.customer";

/// Appends the `SELECT` over orders.
pub(super) fn select(sql: &mut Sql, part: usize, read: &Read) {
    match read.class {
        Class::People => people(sql, part, read),
        _ => sums(sql, part, read),
    }
}

fn key(read: &Read) -> impl Fn(&str) -> String {
    |name| match name {
        "customer_type" => {
            "CASE WHEN o.customer IS NULL THEN '' WHEN o.ordered_at > c.first_at THEN 'returning' \
                            ELSE 'new' END"
                .to_owned()
        }
        other => key_in_dims(read, other, "o", "o.currency"),
    }
}

fn sums(sql: &mut Sql, part: usize, read: &Read) {
    let key = key(read);
    group_columns(
        sql,
        part,
        piece_of_instant("o.ordered_at", &read.window),
        read,
        &key,
        "o.currency",
    );
    let sums: Vec<&str> = read
        .leaves
        .iter()
        .map(|(_, leaf)| match leaf.measure.name.as_str() {
            "orders" => "count(*) FILTER (WHERE o.is_order)",
            "units" => "sum(o.units)",
            "gross" => "sum(o.gross_minor)",
            "discounts" => "sum(o.discount_minor)",
            "refunds" => "sum(o.refund_minor)",
            "tax" => "sum(o.tax_minor)",
            "shipping" => "sum(o.shipping_minor)",
            _ => "sum(o.cost_minor)",
        })
        .collect();
    sql.push(sums.join(", "));
    sql.push("]::numeric[] AS sums FROM analytics.orders o");
    rows(sql, read, &key);
    sql.push(GROUPED);
}

fn rows(sql: &mut Sql, read: &Read, key: &impl Fn(&str) -> String) {
    let filters = read.filters.iter().map(|filter| &filter.dimension);
    if read.class == Class::People
        || read
            .dimensions
            .iter()
            .chain(filters)
            .any(|name| name == "customer_type")
    {
        sql.push(FIRST_ORDERS);
    }
    sql.push(" WHERE ");
    between(sql, "o.ordered_at", read.window.start(), read.window.end);
    filtered(sql, read, key);
}

/// Customers: first everything of each, then how many there are.
fn people(sql: &mut Sql, part: usize, read: &Read) {
    let counts: Vec<&str> = read
        .leaves
        .iter()
        .map(|(_, leaf)| match leaf.measure.name.as_str() {
            "repeat_customers" => "count(*) FILTER (WHERE p.orders >= 2)",
            "new_customers" => "count(*) FILTER (WHERE p.begins)",
            _ => "count(*)",
        })
        .collect();
    sql.push("SELECT p.part, p.piece, p.keys, p.currency, ARRAY[");
    sql.push(counts.join(", "));
    sql.push("]::numeric[] AS sums FROM (");
    let key = key(read);
    group_columns(
        sql,
        part,
        piece_of_instant("o.ordered_at", &read.window),
        read,
        &key,
        "o.currency",
    );
    // `group_columns` opens an array for the sums, of which there are none here.
    sql.push("]::numeric[] AS none, o.customer, count(*) AS orders, bool_or(o.ordered_at = c.first_at) AS begins \
              FROM analytics.orders o");
    rows(sql, read, &key);
    sql.push(" AND o.is_order AND o.customer IS NOT NULL GROUP BY 2, 3, 4, o.customer) p GROUP BY 1, 2, 3, 4");
}

/// Appends the `SELECT` over the lines of orders.
pub(super) fn select_lines(sql: &mut Sql, part: usize, read: &Read) {
    let key = |name: &str| match name {
        "product" => "l.product".to_owned(),
        "description" => "l.description".to_owned(),
        other => key_in_dims(read, other, "o", "o.currency"),
    };
    group_columns(
        sql,
        part,
        piece_of_instant("o.ordered_at", &read.window),
        read,
        &key,
        "o.currency",
    );
    let sums: Vec<&str> = read
        .leaves
        .iter()
        .map(|(_, leaf)| match leaf.measure.name.as_str() {
            "units" => "sum(l.quantity) FILTER (WHERE o.is_order)",
            "sales" => "sum(l.amount_minor) FILTER (WHERE o.is_order)",
            "returned_units" => "sum(abs(l.quantity)) FILTER (WHERE NOT o.is_order)",
            "returns" => "sum(abs(l.amount_minor)) FILTER (WHERE NOT o.is_order)",
            _ => "count(DISTINCT (o.source_id, o.order_id)) FILTER (WHERE o.is_order)",
        })
        .collect();
    sql.push(sums.join(", "));
    sql.push(
        "]::numeric[] AS sums FROM analytics.orders o JOIN analytics.order_lines l \
              ON l.source_id = o.source_id AND l.order_id = o.order_id WHERE ",
    );
    between(sql, "o.ordered_at", read.window.start(), read.window.end);
    filtered(sql, read, &key);
    sql.push(GROUPED);
}
