use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Json, Problem};

use super::ScoringManage;
use crate::{
    app::AppState,
    scoring::training::{self, Training},
};

/// Train a model on all leads of which the outcome is known.
///
/// It is done soon, and the new model is used from then on. A tenant has one training at a time: while one waits or runs,
/// that one is answered.
#[utoipa::path(
    post, path = "/api/scoring/model/train", tag = "scoring",
    security(("bearer" = ["scoring:manage"])),
    responses(
        (status = 202, description = "The training", body = Training,
         headers(("Location" = String, description = "Where it can be followed"))),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn train_scoring_model(
    State(app): State<AppState>,
    caller: Can<ScoringManage>,
) -> Result<Response, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let training = training::order(&app, &mut tx, "requested", Some(caller.user)).await?;
    tx.commit().await?;
    let place = format!("/api/scoring/trainings/{}", training.id);
    let answer = (StatusCode::ACCEPTED, [("location", place)], Json(training));
    Ok(answer.into_response())
}
