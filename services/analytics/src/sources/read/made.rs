//! One row as a fact, an order, a deal or an event.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    convert::Context,
    fields::{Kind, POSITION, POSITION_SUM},
    row::Row,
};
use crate::{
    sources::{
        deals::{Deal, Outcome},
        facts::Fact,
        orders::{Order, OrderLine},
    },
    tracking::TrackedEvent,
};

/// The longest text of a dimension.
const LONGEST: usize = 500;

/// The dimensions that the row has.
fn dims(row: &mut Row<'_>) -> BTreeMap<String, String> {
    let dimensions = &row.columns.dataset.dimensions;
    let own = [
        "order_id",
        "customer",
        "product",
        "description",
        "pipeline",
        "stage",
        "owner",
        "outcome",
        "name",
    ];
    let names = dimensions
        .iter()
        .filter(|name| !own.contains(&name.as_str()));
    names
        .filter_map(|name| Some((name.clone(), row.owned(name, LONGEST)?)))
        .collect()
}

pub(super) fn fact(row: &mut Row<'_>, _: &dyn Fn() -> String, _: &Context) -> Fact {
    let day = row.day("date");
    let day = row.needed("date", day);
    let currency = row.currency();
    let mut measures: BTreeMap<String, Decimal> = BTreeMap::new();
    let mut money = false;
    for field in &row.columns.fields {
        if !matches!(field.kind, Kind::Number | Kind::Money) || field.name == POSITION {
            continue;
        }
        let Some(value) = row.number(&field.name) else {
            continue;
        };
        let value = if field.kind == Kind::Money {
            money = true;
            row.in_minor(&field.name, value, &currency).into()
        } else {
            value
        };
        measures.insert(field.name.clone(), value);
    }
    if let Some(position) = row.number(POSITION) {
        let shown = measures.get("impressions").copied().unwrap_or_default();
        let sum = position.checked_mul(shown).unwrap_or_default();
        measures.entry(POSITION_SUM.to_owned()).or_insert(sum);
    }
    if money && currency.is_empty() {
        row.fault(
            "currency",
            "required",
            "an amount needs a currency: map a column to it, or set reading.currency",
        );
    }
    Fact {
        day,
        currency: if money { currency } else { String::new() },
        dims: dims(row),
        measures,
    }
}

pub(super) fn order(row: &mut Row<'_>, id: &dyn Fn() -> String, _: &Context) -> Order {
    let order_id = if row.columns.has("order_id") {
        let given = row.owned("order_id", 200);
        row.needed("order_id", given)
    } else {
        id()
    };
    let ordered_at = row.instant("ordered_at");
    let ordered_at = row.needed("ordered_at", ordered_at);
    let currency = row.currency();
    if currency.is_empty() {
        row.fault(
            "currency",
            "required",
            "an order needs a currency: map a column to it, or set reading.currency",
        );
    }
    let quantity = row.whole("quantity");
    let amount = amount(row, quantity, &currency);
    let prefix = row.reading.cancelled_prefix.as_deref();
    let cancelled = prefix.is_some_and(|prefix| order_id.starts_with(prefix));
    let (gross, given_back) = if cancelled {
        (0, -amount)
    } else {
        (amount.max(0), (-amount).max(0))
    };
    let by_line = ["product", "description"]
        .iter()
        .any(|name| row.columns.has(name));
    let line = OrderLine {
        line: i32::try_from(row.number).unwrap_or(i32::MAX),
        product: row.owned("product", LONGEST).unwrap_or_default(),
        description: row.owned("description", LONGEST).unwrap_or_default(),
        quantity: quantity.unwrap_or(1),
        amount_minor: amount,
    };
    Order {
        order_id,
        ordered_at,
        customer: row.owned("customer", 200),
        units: if cancelled {
            0
        } else {
            quantity.unwrap_or(1).max(0)
        },
        gross_minor: gross,
        discount_minor: row.minor("discount", &currency),
        refund_minor: given_back + row.minor("refund", &currency),
        tax_minor: row.minor("tax", &currency),
        shipping_minor: row.minor("shipping", &currency),
        cost_minor: row.minor("cost", &currency),
        // A line without a price is no order by itself: shops write stock off like that.
        is_order: !cancelled && (amount > 0 || (amount == 0 && !by_line)),
        dims: dims(row),
        lines: if by_line { vec![line] } else { Vec::new() },
        currency,
    }
}

/// What a line of an order costs.
fn amount(row: &mut Row<'_>, quantity: Option<i64>, currency: &str) -> i64 {
    if row.columns.has("amount") {
        return row.minor("amount", currency);
    }
    let Some(price) = row.number("unit_price") else {
        return 0;
    };
    let amount = price.checked_mul(Decimal::from(quantity.unwrap_or(1)));
    row.in_minor("unit_price", amount.unwrap_or(Decimal::MAX), currency)
}

pub(super) fn deal(row: &mut Row<'_>, _: &dyn Fn() -> String, _: &Context) -> Deal {
    let deal_id = row.owned("deal_id", 200);
    let deal_id = row.needed("deal_id", deal_id);
    let created_at = row.instant("created_at");
    let created_at = row.needed("created_at", created_at);
    let stage = row.owned("stage", 200).unwrap_or_default();
    let outcome = outcome(row, &stage);
    let closed_at = row
        .instant("closed_at")
        .filter(|_| outcome != Outcome::Open);
    if outcome != Outcome::Open && closed_at.is_none() && row.text("closed_at").is_none() {
        row.fault(
            "closed_at",
            "required",
            "a deal that is won or lost needs the day on which it was",
        );
    }
    let currency = row.currency();
    let amount_minor = row.minor("amount", &currency);
    if amount_minor != 0 && currency.is_empty() {
        row.fault(
            "currency",
            "required",
            "an amount needs a currency: map a column to it, or set reading.currency",
        );
    }
    let likely = if outcome == Outcome::Won { 100 } else { 0 };
    let probability = row.whole("probability").unwrap_or(likely);
    if !(0..=100).contains(&probability) {
        row.fault("probability", "out_of_range", "must be 0 to 100");
    }
    let entered_at = row
        .instant("stage_entered_at")
        .or(closed_at)
        .unwrap_or(created_at);
    Deal {
        deal_id,
        revision: 0,
        pipeline: row.owned("pipeline", 200).unwrap_or_default(),
        owner: row.owned("owner", 200).unwrap_or_default(),
        currency,
        amount_minor,
        probability: i16::try_from(probability).unwrap_or(0),
        outcome,
        created_at,
        closed_at,
        dims: dims(row),
        entered: if stage.is_empty() {
            Vec::new()
        } else {
            vec![(stage.clone(), entered_at)]
        },
        stage,
    }
}

/// How a deal stands: as its row says, else as its stage is called.
fn outcome(row: &mut Row<'_>, stage: &str) -> Outcome {
    let plain = |text: &str| {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .collect::<String>()
            .to_lowercase()
    };
    let said = row.text("outcome").map(plain);
    match said.as_deref() {
        Some("won" | "closedwon" | "true" | "1" | "yes") => return Outcome::Won,
        Some("lost" | "closedlost") => return Outcome::Lost,
        Some("open") => return Outcome::Open,
        Some(_) => row.fault("outcome", "invalid_value", "must be open, won or lost"),
        None => {}
    }
    match plain(stage).as_str() {
        "won" | "closedwon" => Outcome::Won,
        "lost" | "closedlost" => Outcome::Lost,
        _ => Outcome::Open,
    }
}

pub(super) fn event(row: &mut Row<'_>, id: &dyn Fn() -> String, context: &Context) -> TrackedEvent {
    let given = row.owned("event_id", 200);
    let event_id = given.as_deref().and_then(|id| id.parse::<Uuid>().ok());
    let event_id = event_id.unwrap_or_else(|| id_of(context.source, &given.unwrap_or_else(id)));
    let ts = row.instant("ts");
    let ts = row.needed("ts", ts);
    let name = row
        .owned("name", 100)
        .or_else(|| row.reading.event_name.clone());
    let currency = row.currency();
    let value = row
        .text("amount")
        .is_some()
        .then(|| row.minor("amount", &currency));
    let mut props: Map<String, Value> = dims(row)
        .into_iter()
        .map(|(name, text)| (name, text.into()))
        .collect();
    let mut dimension = |name: &str| match props.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let event = TrackedEvent {
        source: dimension("source"),
        medium: dimension("medium"),
        campaign: dimension("campaign"),
        country: dimension("country"),
        device: dimension("device"),
        path: dimension("path"),
        event_id: event_id.into(),
        name: row.needed("name", name),
        ts,
        session_id: row.owned("session_id", 200),
        actor_id: row.owned("actor_id", 200),
        currency: value.map(|_| currency),
        value_minor: value,
        props,
    };
    if row.faults.is_empty()
        && let Some((code, detail)) = event.fault(context.now)
    {
        row.fault("ts", code, detail);
    }
    event
}

/// The id of an event that has none of its own: the same for the same row of the same source.
fn id_of(source: Uuid, text: &str) -> Uuid {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(source.as_bytes());
    context.update(text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&context.finish().as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
