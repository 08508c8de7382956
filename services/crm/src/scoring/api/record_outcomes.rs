use std::collections::{HashMap, HashSet};

use axum::extract::State;
use bz_auth::{Caller, Can};
use bz_events::NewEvent;
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::LeadId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::AppState,
    leads::{LEAD, LeadsWrite, Outcome},
    records::{access, sql::Sql},
    rules,
    scoring::{
        nightly,
        outcomes::{self, Ending},
    },
};

/// Most outcomes of a request.
const MOST: usize = 1_000;

/// How leads ended.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "outcomes": [{ "external_id": "17", "outcome": "won", "at": "2026-03-01T00:00:00Z" }] }))]
pub(super) struct RecordOutcomes {
    /// 1 to 1,000 outcomes, of different leads.
    #[schema(min_items = 1, max_items = 1000)]
    outcomes: Vec<Told>,
}

/// How one lead ended.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Told {
    /// The lead, or else `external_id`.
    lead_id: Option<LeadId>,
    /// The lead by its id in another system.
    #[schema(max_length = 200)]
    external_id: Option<String>,
    /// How it ended.
    outcome: Outcome,
    /// When; now, when not given.
    at: Option<DateTime<Utc>>,
}

/// What became of each outcome, in the order in which they were sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(super) struct OutcomesRecorded {
    /// How many were written down.
    recorded: usize,
    /// One each.
    items: Vec<Recorded>,
}

/// What became of one outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(super) struct Recorded {
    /// The lead; none when there is none.
    lead_id: Option<LeadId>,
    /// `recorded`, `unchanged` (it was known), `repeated` (the request names the lead before) or `not_found`.
    status: String,
}

impl Validate for RecordOutcomes {
    fn validate(&self, errors: &mut Errors) {
        if self.outcomes.is_empty() || self.outcomes.len() > MOST {
            let message = format!("must be 1 to {MOST} outcomes");
            errors.add("/outcomes", "invalid_length", message);
        }
        for (n, told) in self.outcomes.iter().enumerate().take(MOST) {
            if told.lead_id.is_some() == told.external_id.is_some() {
                let message = "give either lead_id or external_id";
                errors.add(format!("/outcomes/{n}"), "lead_required", message);
            }
            let pointer = format!("/outcomes/{n}/external_id");
            rules::optional_text(errors, pointer, told.external_id.as_deref(), 200);
        }
    }
}

/// Record how leads ended.
///
/// What models learn from. Sending the same again changes nothing. All that can be recorded is, in one transaction; the
/// answer says of each what became of it.
#[utoipa::path(
    post, path = "/api/scoring/outcomes", tag = "scoring",
    security(("bearer" = ["leads:write"])),
    request_body = RecordOutcomes,
    responses((status = 200, description = "What became of each", body = OutcomesRecorded), bz_http::openapi::WriteProblems),
)]
pub(super) async fn record_outcomes(
    State(app): State<AppState>,
    caller: Can<LeadsWrite>,
    Json(body): Json<RecordOutcomes>,
) -> Result<Json<OutcomesRecorded>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let known = known(&app, &mut tx, &caller, &body.outcomes).await?;
    let (endings, items) = sorted(&known, &body.outcomes, app.core.sources.now());
    if !endings.is_empty() {
        outcomes::record(&app, &mut tx, caller.user, &endings).await?;
        tell(&app, &mut tx, &caller, &endings).await?;
        nightly::begin(&app, &mut tx).await?;
    }
    tx.commit().await?;
    app.wake();
    Ok(Json(OutcomesRecorded {
        recorded: endings.len(),
        items,
    }))
}

#[derive(Debug, Clone, FromRow)]
struct Known {
    id: Uuid,
    external_id: Option<String>,
    outcome: Option<String>,
    outcome_at: Option<DateTime<Utc>>,
}

/// The leads that are named and that the caller may change, locked in one order.
async fn known(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    told: &[Told],
) -> Result<Vec<Known>, DbError> {
    let ids: Vec<Uuid> = told
        .iter()
        .filter_map(|told| told.lead_id.map(LeadId::as_uuid))
        .collect();
    let names: Vec<String> = told
        .iter()
        .filter_map(|told| told.external_id.clone())
        .collect();
    let sight = access::writes(app, tx, caller, LEAD).await?;
    let mut sql = Sql::new(
        "-- crm.leads.named\n\
         SELECT id, external_id, outcome, outcome_at FROM crm.leads WHERE deleted_at IS NULL AND (id = ANY(",
    );
    sql.bind(ids)
        .push(") OR external_id = ANY(")
        .bind(names)
        .push("))");
    sight.push(&mut sql);
    sql.push(" ORDER BY id FOR UPDATE");
    sql.fetch_all(tx).await
}

/// What to write, and what to answer.
fn sorted(known: &[Known], told: &[Told], now: DateTime<Utc>) -> (Vec<Ending>, Vec<Recorded>) {
    let by_id: HashMap<Uuid, &Known> = known.iter().map(|lead| (lead.id, lead)).collect();
    let by_name: HashMap<&str, &Known> = known
        .iter()
        .filter_map(|lead| Some((lead.external_id.as_deref()?, lead)))
        .collect();
    let (mut endings, mut items, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for told in told {
        let lead = match (&told.lead_id, &told.external_id) {
            (Some(id), _) => by_id.get(&id.as_uuid()),
            (_, Some(name)) => by_name.get(name.as_str()),
            (None, None) => None,
        };
        let status = match lead {
            None => "not_found",
            Some(lead) if !seen.insert(lead.id) => "repeated",
            Some(lead)
                if lead.outcome.as_deref() == Some(told.outcome.as_str())
                    && told.at.is_none_or(|at| lead.outcome_at == Some(at)) =>
            {
                "unchanged"
            }
            Some(lead) => {
                endings.push(Ending {
                    lead: lead.id,
                    won: told.outcome == Outcome::Won,
                    at: told.at.unwrap_or(now),
                });
                "recorded"
            }
        };
        items.push(Recorded {
            lead_id: lead.map(|lead| lead.id.into()),
            status: status.to_owned(),
        });
    }
    (endings, items)
}

/// One event for all of them.
async fn tell(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    endings: &[Ending],
) -> Result<(), DbError> {
    #[derive(Serialize)]
    struct Data {
        ids: Vec<Uuid>,
    }
    let ids = endings.iter().map(|ending| ending.lead).collect();
    let event = NewEvent {
        kind: "lead.outcomes_recorded",
        actor: Some(caller.user),
        data: Data { ids },
    };
    bz_events::append(tx, &app.core.sources, event).await?;
    Ok(())
}
