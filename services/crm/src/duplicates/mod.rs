//! Duplicates: records that are probably the same person or organisation. They are found by indexed normalised keys only
//! and scored from 0 to 1 with the reasons; nothing is ever scanned for them.

mod create;
pub(crate) mod endpoints;
mod find;
mod score;

use std::collections::BTreeSet;

use bz_http::Problem;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{normal, problems, records::Record};

pub(crate) use create::create;
pub(crate) use find::{candidates, lock, twins};

/// From this score on a record is taken for the same: a new one is refused, or leads to the one that is there.
pub(crate) const SAME: f64 = 0.8;

/// What two records are compared by, normalised. A part that a type does not have stays empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Keys {
    /// Main e-mail address.
    pub email: Option<String>,
    /// The digits of the phone number.
    pub phone: Option<String>,
    /// The internet domain.
    pub domain: Option<String>,
    /// Name of the person or organisation.
    pub name: Option<String>,
    /// Name of the organisation that the person works for.
    pub company: Option<String>,
    /// The id in another system.
    pub external_id: Option<String>,
    /// Whether the domain is the record's own and not only its provider's or employer's.
    pub owns_domain: bool,
}

/// A column by which records of a type are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// `email_norm`
    Email,
    /// `phone_norm` and `phone_tail`
    Phone,
    /// `domain_norm`, for records that only share it with others
    Domain,
    /// `domain`, for records whose own it is
    OwnDomain,
    /// `name_norm`
    Name,
}

/// The keys of a record, or of one that is to be.
pub(crate) fn keys_of<R: Record>(wanted: &R::Fields) -> Keys {
    use crate::records::Fields;
    Keys {
        external_id: wanted.common().external_id.map(ToOwned::to_owned),
        ..R::keys(wanted)
    }
}

/// The last eight digits of a phone number: the same with and without the code of the country. As the column `phone_tail`.
pub(crate) fn tail(phone: &str) -> Option<&str> {
    phone.len().checked_sub(8).map(|start| &phone[start..])
}

/// The name of an organisation without its legal form, for comparing.
pub(crate) fn organisation(text: &str) -> Option<String> {
    const FORMS: [&str; 19] = [
        "ag",
        "bv",
        "co",
        "company",
        "corp",
        "corporation",
        "gmbh",
        "inc",
        "incorporated",
        "kg",
        "limited",
        "llc",
        "llp",
        "ltd",
        "nv",
        "plc",
        "sa",
        "sarl",
        "srl",
    ];
    let name = normal::name(text)?;
    let kept: Vec<&str> = name
        .split(' ')
        .filter(|word| !FORMS.contains(word))
        .collect();
    Some(if kept.is_empty() {
        name
    } else {
        kept.join(" ")
    })
}

/// What becomes of a new record when there is the same already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnDuplicate {
    /// It is refused: 409 `duplicate` with the candidates.
    #[default]
    Reject,
    /// It is created all the same.
    Create,
    /// What it says is written into the one that is there, which is answered with 200.
    Update,
    /// The one that is there is answered as it is, with 200.
    Return,
}

/// How a record is created.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OnCreate {
    /// What happens when there is the same already (the same external id, e-mail address, phone number with a fitting name,
    /// or internet domain of a company): `reject`, `create`, `update` or `return`; `reject` when not given.
    #[serde(default)]
    #[param(inline, required = false)]
    pub on_duplicate: OnDuplicate,
}

/// Why two records are taken for the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Reason {
    /// The field that speaks for it: `email`, `phone`, `domain`, `name`, `company_name`, `external_id`.
    pub field: String,
    /// `same`, `similar`, `same_ending` (of a phone number), or `different`, which speaks against it.
    #[serde(rename = "match")]
    pub how: String,
    /// How alike they are, 0 to 1.
    pub similarity: f64,
}

/// A record that is probably the same.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Candidate<R> {
    /// How sure it is, 0 to 1.
    pub score: f64,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The record.
    pub record: R,
}

/// 409: there is the same already. Only what the caller may see is shown.
pub(crate) fn duplicate<R: Record>(found: &[Candidate<R>], visible: &BTreeSet<Uuid>) -> Problem {
    let shown: Vec<_> = found
        .iter()
        .filter(|candidate| visible.contains(&candidate.record.head().id))
        .map(|candidate| {
            json!({
                "id": candidate.record.head().id, "score": candidate.score, "reasons": candidate.reasons
            })
        })
        .collect();
    problems::duplicate(shown)
}
