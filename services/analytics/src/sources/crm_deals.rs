//! The platform's own deals, as the CRM's feed tells of them.

use std::collections::BTreeMap;

use bz_events::Envelope;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    deals::{self, CRM, Deal, Outcome},
    read::minor,
};

/// What an event says of a deal.
#[derive(Debug, Deserialize)]
struct Told {
    id: Uuid,
    version: i64,
    status: Outcome,
    pipeline: String,
    stage: String,
    owner_id: Option<Uuid>,
    amount: Option<Decimal>,
    currency: Option<String>,
    probability: i16,
    created_at: DateTime<Utc>,
    stage_entered_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    lead_source: Option<String>,
}

impl From<Told> for Deal {
    fn from(told: Told) -> Self {
        let currency = told.currency.unwrap_or_default();
        let lead_source = told
            .lead_source
            .map(|source| ("lead_source".to_owned(), source));
        Self {
            deal_id: told.id.to_string(),
            revision: told.version,
            pipeline: told.pipeline,
            owner: told
                .owner_id
                .map(|owner| owner.to_string())
                .unwrap_or_default(),
            amount_minor: told
                .amount
                .and_then(|amount| minor(amount, &currency))
                .unwrap_or(0),
            currency,
            probability: told.probability,
            outcome: told.status,
            created_at: told.created_at,
            closed_at: told.closed_at,
            dims: lead_source.into_iter().collect(),
            entered: vec![(told.stage.clone(), told.stage_entered_at)],
            stage: told.stage,
        }
    }
}

/// Takes in what events of one tenant say of deals. An event that says too little is passed over: it was written before
/// events said it, and the next one of the same deal says all.
///
/// # Errors
/// Any [`DbError`].
pub(crate) async fn take_in(
    tx: &mut TenantTx,
    at: DateTime<Utc>,
    events: &[Envelope],
) -> Result<(), DbError> {
    let mut known: BTreeMap<String, Option<Deal>> = BTreeMap::new();
    let mut all = Vec::new();
    for event in events {
        if event.kind == "deal.deleted" {
            known.insert(id(&event.data), None);
            continue;
        }
        for deal in told(event) {
            known.insert(deal.deal_id.clone(), Some(deal.clone()));
            all.push(deal);
        }
    }
    // A deal that was deleted in the end is not written first.
    all.retain(|deal| known.get(&deal.deal_id).is_some_and(Option::is_some));
    if !all.is_empty() {
        deals::write(tx, CRM, at, all).await?;
    }
    for (id, last) in &known {
        if last.is_none() {
            deals::remove(tx, CRM, id).await?;
        }
    }
    Ok(())
}

/// Whether an event is about deals.
pub(crate) fn is_about(kind: &str) -> bool {
    kind.starts_with("deal.") || kind == "deals.imported"
}

fn id(data: &Value) -> String {
    data["id"].as_str().unwrap_or_default().to_owned()
}

fn told(event: &Envelope) -> Vec<Deal> {
    let one = |data: &Value| {
        serde_json::from_value::<Told>(data.clone())
            .ok()
            .map(Deal::from)
    };
    match event.data["deals"].as_array() {
        Some(deals) => deals.iter().filter_map(one).collect(),
        None => one(&event.data).into_iter().collect(),
    }
}
