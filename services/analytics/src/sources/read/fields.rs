//! The fields that the rows of a dataset can have.

use crate::{
    catalogue::{Dataset, Storage},
    query::Unit,
};

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// A day.
    Day,
    /// A moment.
    Instant,
    /// A number.
    Number,
    /// An amount of money, in the currency's main unit.
    Money,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// Its name.
    pub name: String,
    /// What its cells hold.
    pub kind: Kind,
    /// Whether the rows of a table cannot do without.
    pub required: bool,
}

fn field(name: &str, kind: Kind, required: bool) -> Field {
    Field {
        name: name.to_owned(),
        kind,
        required,
    }
}

/// Of search consoles: the mean position of a row, which becomes a sum that can be added.
pub(super) const POSITION: &str = "position";
pub(super) const POSITION_SUM: &str = "position_weighted_sum";

const ORDER: [(&str, Kind, bool); 14] = [
    ("order_id", Kind::Text, false),
    ("ordered_at", Kind::Instant, true),
    ("customer", Kind::Text, false),
    ("currency", Kind::Text, false),
    ("product", Kind::Text, false),
    ("description", Kind::Text, false),
    ("quantity", Kind::Number, false),
    ("unit_price", Kind::Number, false),
    ("amount", Kind::Money, false),
    ("discount", Kind::Money, false),
    ("refund", Kind::Money, false),
    ("tax", Kind::Money, false),
    ("shipping", Kind::Money, false),
    ("cost", Kind::Money, false),
];

const DEAL: [(&str, Kind, bool); 11] = [
    ("deal_id", Kind::Text, true),
    ("created_at", Kind::Instant, true),
    ("closed_at", Kind::Instant, false),
    ("pipeline", Kind::Text, false),
    ("stage", Kind::Text, false),
    ("stage_entered_at", Kind::Instant, false),
    ("owner", Kind::Text, false),
    ("currency", Kind::Text, false),
    ("amount", Kind::Money, false),
    ("probability", Kind::Number, false),
    ("outcome", Kind::Text, false),
];

const EVENT: [(&str, Kind, bool); 7] = [
    ("event_id", Kind::Text, false),
    ("ts", Kind::Instant, true),
    ("name", Kind::Text, false),
    ("actor_id", Kind::Text, false),
    ("session_id", Kind::Text, false),
    ("amount", Kind::Money, false),
    ("currency", Kind::Text, false),
];

/// Dimensions of orders that follow from other rows and are in no file.
const DERIVED: [&str; 4] = ["customer_type", "source", "outcome", "name"];

/// All fields of a dataset.
pub(super) fn of(dataset: &Dataset) -> Vec<Field> {
    if dataset.storage == Storage::Facts {
        return facts(dataset);
    }
    let own: &[(&str, Kind, bool)] = if dataset.storage == Storage::Deals {
        &DEAL
    } else if dataset.storage == Storage::Events {
        &EVENT
    } else {
        &ORDER
    };
    let mut fields: Vec<Field> = own
        .iter()
        .map(|(name, kind, required)| field(name, *kind, *required))
        .collect();
    for dimension in &dataset.dimensions {
        let known = fields.iter().any(|field| field.name == *dimension);
        let derived = dataset.storage != Storage::Events && DERIVED.contains(&dimension.as_str());
        if !known && !derived {
            fields.push(field(dimension, Kind::Text, false));
        }
    }
    fields
}

fn facts(dataset: &Dataset) -> Vec<Field> {
    let mut fields = vec![
        field("date", Kind::Day, true),
        field("currency", Kind::Text, false),
    ];
    fields.extend(
        dataset
            .dimensions
            .iter()
            .map(|name| field(name, Kind::Text, false)),
    );
    // A measure that is another's first value has no column of its own.
    for measure in dataset
        .measures
        .iter()
        .filter(|measure| measure.field.is_none())
    {
        let kind = if measure.unit == Unit::Money {
            Kind::Money
        } else {
            Kind::Number
        };
        fields.push(field(&measure.name, kind, false));
    }
    if dataset.measure(POSITION_SUM).is_some() {
        fields.push(field(POSITION, Kind::Number, false));
    }
    fields
}

/// What other systems call the fields; without case, blanks and marks.
const NAMES: &[(&str, &str)] = &[
    ("day", "date"),
    ("reportdate", "date"),
    ("invoiceno", "order_id"),
    ("invoicenumber", "order_id"),
    ("order", "order_id"),
    ("ordernumber", "order_id"),
    ("orderno", "order_id"),
    ("invoicedate", "ordered_at"),
    ("orderdate", "ordered_at"),
    ("orderedon", "ordered_at"),
    ("customerid", "customer"),
    ("customeremail", "customer"),
    ("stockcode", "product"),
    ("sku", "product"),
    ("lineitemsku", "product"),
    ("productname", "description"),
    ("lineitemname", "description"),
    ("units", "quantity"),
    ("qty", "quantity"),
    ("lineitemquantity", "quantity"),
    ("price", "unit_price"),
    ("unitprice", "unit_price"),
    ("lineitemprice", "unit_price"),
    ("currencycode", "currency"),
    ("campaignname", "campaign"),
    ("adgroupname", "ad_group"),
    ("adsetname", "ad_set"),
    ("adname", "ad"),
    ("impr", "impressions"),
    ("spend", "cost"),
    ("amountspent", "cost"),
    ("convvalue", "conversion_value"),
    ("conversionvalue", "conversion_value"),
    ("dealid", "deal_id"),
    ("createdate", "created_at"),
    ("closedate", "closed_at"),
    ("dealstage", "stage"),
    ("dealowner", "owner"),
    ("timestamp", "ts"),
    ("event", "name"),
];

/// The place of the field that a heading means.
pub(super) fn meant(fields: &[Field], heading: &str) -> Option<usize> {
    let plain = plain(heading);
    let named = fields
        .iter()
        .position(|field| self::plain(&field.name) == plain);
    named.or_else(|| {
        let place = |ours: &str| fields.iter().position(|field| field.name == ours);
        NAMES
            .iter()
            .filter(|(theirs, _)| *theirs == plain)
            .find_map(|(_, ours)| place(ours))
    })
}

/// Without case, blanks and marks.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}
