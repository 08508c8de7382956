use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};

use super::ScoringManage;
use crate::{
    app::AppState,
    scoring::{
        models::{self, ModelVersion},
        rescore,
    },
};

/// Use a model of before, or a newer one that was not put to use.
///
/// All leads are then scored anew. Making the one active that is active changes nothing.
#[utoipa::path(
    post, path = "/api/scoring/models/{version}/activate", tag = "scoring",
    security(("bearer" = ["scoring:manage"])),
    params(("version" = String, Path, description = "Its number or its name: `3`, `2026-09-20.3`")),
    responses((status = 200, description = "The model", body = ModelVersion), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn activate_scoring_model(
    State(app): State<AppState>,
    caller: Can<ScoringManage>,
    Path(version): Path<String>,
) -> Result<Json<ModelVersion>, Problem> {
    let number = version.rsplit('.').next().unwrap_or_default();
    let number: i32 = number.parse().map_err(|_| Problem::not_found())?;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    super::patch_model::lock(&app, &mut tx).await?;
    let found = models::find(&mut tx, number).await?;
    let mut model = found
        .filter(|model| version == model.name || version == number.to_string())
        .ok_or_else(Problem::not_found)?;
    if !model.available {
        return Err(crate::problems::model_gone(&model.name));
    }
    if !model.active {
        models::activate(&mut tx, number).await?;
        rescore::order(&mut tx, app.core.sources.now()).await?;
        tx.commit().await?;
        app.scoring.forget(caller.tenant());
        model.active = true;
    }
    Ok(Json(model))
}
