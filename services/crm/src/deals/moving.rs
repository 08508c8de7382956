use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, IfMatch, Json, Path, Problem, Validate, Versioned};
use bz_kernel::{DealId, StageId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Deal, DealsWrite};
use crate::{
    app::AppState,
    records::{Record, handlers},
    rules,
};

/// Where a deal goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MoveDeal {
    /// The stage, of any pipeline.
    stage_id: StageId,
    /// Its place among the deals of the stage; at the end when not given, or where it is if it is there already.
    position: Option<f64>,
    /// Why it was lost, at most 500 characters; only for a stage that is lost.
    #[schema(max_length = 500)]
    lost_reason: Option<String>,
}

impl Validate for MoveDeal {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_text(errors, "/lost_reason", self.lost_reason.as_deref(), 500);
    }
}

/// Move a deal to a stage, or within its stage.
///
/// A stage can require fields: 422 names those that the deal has not. One that is there already stays as it is.
#[utoipa::path(
    post, path = "/api/deals/{id}/move", tag = "deals",
    security(("bearer" = ["deals:write"])),
    params(("id" = DealId, Path, description = "The deal"), IfMatch),
    request_body = MoveDeal,
    responses(
        (status = 200, description = "The deal as it is now", body = Deal,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn move_deal(
    State(app): State<AppState>,
    caller: Can<DealsWrite>,
    Path(id): Path<DealId>,
    if_match: IfMatch,
    Json(to): Json<MoveDeal>,
) -> Result<Versioned<Deal>, Problem> {
    handlers::write(&app, &caller, id.as_uuid(), &if_match, |deal: &Deal| {
        let mut fields = deal.fields();
        fields.pipeline_id = None;
        fields.stage_id = Some(to.stage_id);
        fields.position = to.position;
        if to.lost_reason.is_some() {
            fields.lost_reason = to.lost_reason;
        }
        Ok(fields)
    })
    .await
}
