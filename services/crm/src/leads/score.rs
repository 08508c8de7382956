use axum::{
    body::HttpBody,
    extract::{FromRequest, Request, State},
    http::header,
};
use bz_auth::{Caller, Can};
use bz_http::{Errors, Json, Path, Problem, Query, Validate, Versioned};
use bz_kernel::LeadId;
use bz_tenant::TenantTx;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{CreateLead, Lead, LeadsRead, LeadsWrite};
use crate::{
    app::AppState,
    records::{Record, custom, handlers, patch::Change},
    scoring::{
        LeadScore,
        api::Factors,
        current::{self, Scored},
    },
};

/// What if the lead were different?
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "overrides": { "industry": "Engines" } }))]
pub(super) struct RescoreLead {
    /// Fields of the lead to imagine, as in `PATCH /api/leads/{id}`; nothing is stored then.
    #[schema(value_type = Option<Object>)]
    overrides: Option<Map<String, Value>>,
}

/// What is wrong shows only with the lead.
impl Validate for RescoreLead {
    fn validate(&self, _: &mut Errors) {}
}

/// The lead's score, with the reasons.
///
/// The reasons add up: `base.log_odds`, all contributions and `other_contributions` make the log-odds of `probability`.
#[utoipa::path(
    get, path = "/api/leads/{id}/score", tag = "leads",
    security(("bearer" = ["leads:read"])),
    params(("id" = LeadId, Path, description = "The lead"), Factors),
    responses(
        (status = 200, description = "The score", body = LeadScore),
        (status = 422, description = "A parameter is not valid", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_lead_score(
    State(app): State<AppState>,
    caller: Can<LeadsRead>,
    Path(id): Path<LeadId>,
    Query(factors): Query<Factors>,
) -> Result<Json<LeadScore>, Problem> {
    let most = factors.most()?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let lead = seen(&app, &mut tx, &caller, id).await?;
    let scored = Scored::of(&app, &mut tx, &lead).await?;
    Ok(Json(scored.answer(&lead, most)))
}

/// Score a lead now, or ask what its score would be.
///
/// Without `overrides` the score is written on the lead, where lists find it. With them it is the score of the lead as it
/// would be, and nothing is stored.
#[utoipa::path(
    post, path = "/api/leads/{id}/score", tag = "leads",
    security(("bearer" = ["leads:write"])),
    params(("id" = LeadId, Path, description = "The lead"), Factors),
    request_body = RescoreLead,
    responses((status = 200, description = "The score", body = LeadScore), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn rescore_lead(
    State(app): State<AppState>,
    caller: Can<LeadsWrite>,
    Path(id): Path<LeadId>,
    Query(factors): Query<Factors>,
    request: Request,
) -> Result<Json<LeadScore>, Problem> {
    let (most, body) = (factors.most()?, optional(request).await?);
    let mut tx = app.core.db.read(&caller.scope).await?;
    let mut lead = seen(&app, &mut tx, &caller, id).await?;
    let mut scored = Scored::of(&app, &mut tx, &lead).await?;
    if let Some(overrides) = body.overrides {
        let fields = imagined(&app, &mut tx, &lead, overrides).await?;
        scored.imagine(&fields)?;
    } else {
        drop(tx);
        current::store(&app, caller.tenant(), id).await?;
        let mut tx = app.core.db.read(&caller.scope).await?;
        lead = seen(&app, &mut tx, &caller, id).await?;
    }
    Ok(Json(scored.answer(&lead, most)))
}

/// A body may be left out.
async fn optional(request: Request) -> Result<RescoreLead, Problem> {
    let nothing =
        !request.headers().contains_key(header::CONTENT_TYPE) && request.body().is_end_stream();
    if nothing {
        return Ok(RescoreLead::default());
    }
    Ok(Json::from_request(request, &()).await?.0)
}

/// The lead, if the caller sees it.
async fn seen(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    id: LeadId,
) -> Result<Lead, Problem> {
    let Versioned(_, lead) = handlers::get_in(app, tx, caller, id.as_uuid()).await?;
    Ok(lead)
}

/// The lead with other fields, which must be valid.
async fn imagined(
    app: &AppState,
    tx: &mut TenantTx,
    lead: &Lead,
    overrides: Map<String, Value>,
) -> Result<CreateLead, Problem> {
    let mut fields = Change::<CreateLead>::new(overrides).onto(lead)?;
    fields.custom.retain(|_, value| !value.is_null());
    let known = custom::definitions(app, tx).await?;
    let own: Vec<&custom::Definition> = known
        .iter()
        .filter(|field| field.record_type == Lead::TYPE.name)
        .collect();
    let mut errors = Errors::default();
    custom::validate(&own, &fields.custom, &mut errors);
    if errors.is_empty() {
        Ok(fields)
    } else {
        Err(Problem::validation(errors))
    }
}
