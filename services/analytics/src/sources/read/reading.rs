//! What the owner of a source says of its tables.

use std::collections::BTreeMap;

use bz_http::Errors;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const MOST_COLUMNS: usize = 200;

/// How the tables of a source are read. What is not given is found out, or is as it mostly is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "mapping": { "InvoiceNo": "order_id" }, "timezone": "Europe/London", "currency": "GBP" }))]
pub(crate) struct Reading {
    /// The field for each heading: `{"Impr.": "impressions", "Notes": null}`. Headings that it does not name go to the
    /// field of that name, if there is one.
    pub mapping: BTreeMap<String, Option<String>>,
    /// Names of the columns of files that have no headings, at most 200.
    #[schema(max_items = 200)]
    pub columns: Vec<String>,
    /// The character between two cells, `tab`, or `blanks` for one or more of them; found out when not given.
    pub delimiter: Option<String>,
    /// `utf-8` or `windows-1252`; found out when not given.
    pub encoding: Option<String>,
    /// IANA time zone of instants without an offset; `UTC` when not given.
    pub timezone: Option<String>,
    /// ISO 4217 code of amounts in rows without a currency.
    pub currency: Option<String>,
    /// How dates are written when not as `2026-03-31`: `%d.%m.%Y`, `%m/%d/%y %H:%M` (as strftime).
    #[schema(max_length = 50)]
    pub date_format: Option<String>,
    /// The character before the decimals: `.` (when not given) or `,`.
    pub decimal: Option<String>,
    /// Of orders: numbers that begin like this are cancellations of other orders; they have refunds only.
    #[schema(max_length = 20)]
    pub cancelled_prefix: Option<String>,
    /// Of events: the name of those in rows without one.
    #[schema(max_length = 100)]
    pub event_name: Option<String>,
}

impl Reading {
    /// Adds what is wrong, at pointers below `at`.
    pub(crate) fn validate(&self, at: &str, errors: &mut Errors) {
        if self.columns.len() > MOST_COLUMNS || self.mapping.len() > MOST_COLUMNS {
            let message = "must have at most 200 columns";
            errors.add(format!("{at}/columns"), "too_many", message);
        }
        if let Some(text) = self.delimiter.as_deref()
            && text != "blanks"
            && bz_tabular::delimiter(Some(text)).is_err()
        {
            let message = "must be one of , ; | : and tab, or blanks";
            errors.add(format!("{at}/delimiter"), "invalid_value", message);
        }
        if let Some(text) = &self.encoding
            && bz_tabular::Text::new(Some(text)).is_err()
        {
            let message = "must be utf-8 or windows-1252";
            errors.add(format!("{at}/encoding"), "invalid_value", message);
        }
        if self.zone().is_none() {
            let message = "must be an IANA time zone, as Europe/Berlin";
            errors.add(format!("{at}/timezone"), "invalid_value", message);
        }
        if self
            .currency
            .as_deref()
            .is_some_and(|code| !is_currency(code))
        {
            let message = "must be three capital letters, as EUR";
            errors.add(format!("{at}/currency"), "invalid_value", message);
        }
        if self
            .decimal
            .as_deref()
            .is_some_and(|mark| !matches!(mark, "." | ","))
        {
            errors.add(format!("{at}/decimal"), "invalid_value", "must be . or ,");
        }
        if self
            .date_format
            .as_deref()
            .is_some_and(|format| !is_date_format(format))
        {
            let message = "must be made of %Y %y %m %d %b %H %M %S and what stands between them";
            errors.add(format!("{at}/date_format"), "invalid_value", message);
        }
        for (name, text, most) in [
            ("cancelled_prefix", &self.cancelled_prefix, 20),
            ("event_name", &self.event_name, 100),
        ] {
            if text
                .as_ref()
                .is_some_and(|text| text.is_empty() || text.len() > most)
            {
                let message = format!("must have 1 to {most} characters");
                errors.add(format!("{at}/{name}"), "invalid_length", message);
            }
        }
    }

    /// The zone of instants without an offset; none when there is no such zone.
    pub(super) fn zone(&self) -> Option<chrono_tz::Tz> {
        self.timezone
            .as_deref()
            .map_or(Some(chrono_tz::UTC), |name| name.parse().ok())
    }
}

/// Three capital letters.
pub(super) fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())
}

fn is_date_format(format: &str) -> bool {
    use chrono::format::{Item, StrftimeItems};
    format.len() <= 50 && !StrftimeItems::new(format).any(|item| matches!(item, Item::Error))
}
