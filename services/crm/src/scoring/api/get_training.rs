use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use uuid::Uuid;

use super::ScoringRead;
use crate::{
    app::AppState,
    scoring::training::{self, Training},
};

/// One training.
#[utoipa::path(
    get, path = "/api/scoring/trainings/{id}", tag = "scoring",
    security(("bearer" = ["scoring:read"])),
    params(("id" = Uuid, Path, description = "The training")),
    responses((status = 200, description = "The training", body = Training), bz_http::openapi::ReadProblems),
)]
pub(super) async fn get_scoring_training(
    State(app): State<AppState>,
    caller: Can<ScoringRead>,
    Path(id): Path<Uuid>,
) -> Result<Json<Training>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let found = training::find(&mut tx, id).await?;
    found.map(Json).ok_or_else(Problem::not_found)
}
