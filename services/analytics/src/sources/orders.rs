//! Orders of shops.

use std::collections::BTreeMap;

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::query;

use super::{Load, facts::texts};
use crate::version;

/// An order. Amounts are in the currency's smallest unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The shop's own number.
    pub order_id: String,
    /// When it was ordered.
    pub ordered_at: DateTime<Utc>,
    /// The shop's name for the customer, if it knows them.
    pub customer: Option<String>,
    /// ISO 4217 code.
    pub currency: String,
    /// Pieces that were ordered.
    pub units: i64,
    /// Before discounts and refunds.
    pub gross_minor: i64,
    /// What was taken off.
    pub discount_minor: i64,
    /// What was given back.
    pub refund_minor: i64,
    /// Taxes.
    pub tax_minor: i64,
    /// Shipping.
    pub shipping_minor: i64,
    /// What the goods cost the shop.
    pub cost_minor: i64,
    /// Whether it counts as an order; a cancellation has refunds only.
    pub is_order: bool,
    /// More about it: `country`, `channel`.
    pub dims: BTreeMap<String, String>,
    /// Its lines.
    pub lines: Vec<OrderLine>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// Its number, which no other line of the load has.
    pub line: i32,
    /// The product's own number or name.
    pub product: String,
    /// The product in words.
    pub description: String,
    /// How many; less than none were given back.
    pub quantity: i64,
    /// What they cost.
    pub amount_minor: i64,
}

impl Order {
    /// Adds another part of the same order.
    pub(crate) fn merge(&mut self, other: Self) {
        self.ordered_at = self.ordered_at.min(other.ordered_at);
        self.customer = self.customer.take().or(other.customer);
        self.units += other.units;
        self.gross_minor += other.gross_minor;
        self.discount_minor += other.discount_minor;
        self.refund_minor += other.refund_minor;
        self.tax_minor += other.tax_minor;
        self.shipping_minor += other.shipping_minor;
        self.cost_minor += other.cost_minor;
        self.is_order |= other.is_order;
        for (name, value) in other.dims {
            self.dims.entry(name).or_insert(value);
        }
        self.lines.extend(other.lines);
    }
}

/// Writes orders down: what an earlier load said of them is replaced, with all their lines; another part of the same load
/// is added. The tenant's data have a new version then.
///
/// # Errors
/// Any [`DbError`].
pub async fn upsert(tx: &mut TenantTx, load: &Load, orders: Vec<Order>) -> Result<(), DbError> {
    write(tx, load, orders).await?;
    version::bump(tx).await?;
    Ok(())
}

/// The same without the new version, for a load in parts.
pub(crate) async fn write(
    tx: &mut TenantTx,
    load: &Load,
    orders: Vec<Order>,
) -> Result<(), DbError> {
    let mut whole: BTreeMap<String, Order> = BTreeMap::new();
    for order in orders {
        match whole.get_mut(&order.order_id) {
            Some(first) => first.merge(order),
            None => drop(whole.insert(order.order_id.clone(), order)),
        }
    }
    let orders: Vec<Order> = whole.into_values().collect();
    drop_lines(tx, load, &orders).await?;
    write_heads(tx, load, &orders).await?;
    write_lines(tx, load, orders).await
}

/// Deletes the lines that earlier loads brought.
async fn drop_lines(tx: &mut TenantTx, load: &Load, orders: &[Order]) -> Result<(), DbError> {
    query(
        // By way of the orders that another load brought, mostly none: a list of thousands of ids is slow as a condition.
        "-- analytics.order_lines.drop\n\
         WITH replaced AS MATERIALIZED ( \
           SELECT o.order_id FROM unnest($2::text[]) AS w (order_id) \
           JOIN analytics.orders AS o ON o.source_id = $1 AND o.order_id = w.order_id WHERE o.load_id <> $3) \
         DELETE FROM analytics.order_lines AS l USING replaced AS r WHERE l.source_id = $1 AND l.order_id = r.order_id",
    )
    .bind(load.source_id)
    .bind(
        orders
            .iter()
            .map(|o| o.order_id.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(load.load_id)
    .execute(tx.conn())
    .await?;
    Ok(())
}

const WRITE_HEADS: &str = "-- analytics.orders.write\n\
    INSERT INTO analytics.orders AS o (source_id, load_id, loaded_at, order_id, ordered_at, customer, currency, units, \
      gross_minor, discount_minor, refund_minor, tax_minor, shipping_minor, cost_minor, is_order, dims) \
    SELECT $1, $2, $3, u.order_id, u.ordered_at, u.customer, u.currency, u.units, u.gross, u.discount, u.refund, u.tax, \
      u.shipping, u.cost, u.is_order, u.dims::jsonb \
    FROM unnest($4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], \
                $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bool[], $16::text[]) \
      AS u (order_id, ordered_at, customer, currency, units, gross, discount, refund, tax, shipping, cost, is_order, dims) \
    ON CONFLICT (tenant_id, source_id, order_id) DO UPDATE SET \
      load_id = excluded.load_id, loaded_at = excluded.loaded_at, currency = excluded.currency, \
      ordered_at = CASE WHEN o.load_id = excluded.load_id THEN least(o.ordered_at, excluded.ordered_at) \
                        ELSE excluded.ordered_at END, \
      customer = CASE WHEN o.load_id = excluded.load_id THEN coalesce(o.customer, excluded.customer) \
                      ELSE excluded.customer END, \
      units = excluded.units + CASE WHEN o.load_id = excluded.load_id THEN o.units ELSE 0 END, \
      gross_minor = excluded.gross_minor + CASE WHEN o.load_id = excluded.load_id THEN o.gross_minor ELSE 0 END, \
      discount_minor = excluded.discount_minor + CASE WHEN o.load_id = excluded.load_id THEN o.discount_minor ELSE 0 END, \
      refund_minor = excluded.refund_minor + CASE WHEN o.load_id = excluded.load_id THEN o.refund_minor ELSE 0 END, \
      tax_minor = excluded.tax_minor + CASE WHEN o.load_id = excluded.load_id THEN o.tax_minor ELSE 0 END, \
      shipping_minor = excluded.shipping_minor + CASE WHEN o.load_id = excluded.load_id THEN o.shipping_minor ELSE 0 END, \
      cost_minor = excluded.cost_minor + CASE WHEN o.load_id = excluded.load_id THEN o.cost_minor ELSE 0 END, \
      is_order = excluded.is_order OR (o.load_id = excluded.load_id AND o.is_order), \
      dims = CASE WHEN o.load_id = excluded.load_id THEN excluded.dims || o.dims ELSE excluded.dims END";

async fn write_heads(tx: &mut TenantTx, load: &Load, orders: &[Order]) -> Result<(), DbError> {
    fn all<T>(orders: &[Order], of: impl Fn(&Order) -> T) -> Vec<T> {
        orders.iter().map(of).collect()
    }
    query(WRITE_HEADS)
        .bind(load.source_id)
        .bind(load.load_id)
        .bind(load.at)
        .bind(all(orders, |o| o.order_id.clone()))
        .bind(all(orders, |o| o.ordered_at))
        .bind(all(orders, |o| o.customer.clone()))
        .bind(all(orders, |o| o.currency.clone()))
        .bind(all(orders, |o| o.units))
        .bind(all(orders, |o| o.gross_minor))
        .bind(all(orders, |o| o.discount_minor))
        .bind(all(orders, |o| o.refund_minor))
        .bind(all(orders, |o| o.tax_minor))
        .bind(all(orders, |o| o.shipping_minor))
        .bind(all(orders, |o| o.cost_minor))
        .bind(all(orders, |o| o.is_order))
        .bind(all(orders, |o| texts(&o.dims)))
        .execute(tx.conn())
        .await?;
    Ok(())
}

async fn write_lines(tx: &mut TenantTx, load: &Load, orders: Vec<Order>) -> Result<(), DbError> {
    let mut ids = Vec::new();
    let mut lines = Vec::new();
    for order in orders {
        ids.extend(order.lines.iter().map(|_| order.order_id.clone()));
        lines.extend(order.lines);
    }
    query(
        "-- analytics.order_lines.write\n\
         INSERT INTO analytics.order_lines (source_id, order_id, line, product, description, quantity, amount_minor) \
         SELECT $1, u.* FROM unnest($2::text[], $3::integer[], $4::text[], $5::text[], $6::bigint[], $7::bigint[]) AS u \
         ON CONFLICT (tenant_id, source_id, order_id, line) DO UPDATE SET product = excluded.product, \
           description = excluded.description, quantity = excluded.quantity, amount_minor = excluded.amount_minor",
    )
    .bind(load.source_id)
    .bind(ids)
    .bind(lines.iter().map(|l| l.line).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.product.clone()).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.description.clone()).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.quantity).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.amount_minor).collect::<Vec<_>>())
    .execute(tx.conn())
    .await?;
    Ok(())
}
