use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, IfMatch, Json, Problem, Validate, Versioned};
use bz_tenant::{DbError, TenantTx};
use chrono::TimeDelta;
use serde::{Deserialize, Deserializer};
use sqlx::{query_scalar, types::Json as Jsonb};
use utoipa::ToSchema;

use super::{
    ScoringManage,
    get_model::{ScoringModel, answer},
};
use crate::{
    app::AppState,
    scoring::{
        rescore,
        settings::{self, Active, Grades, Settings, Wish},
    },
};

/// What to change of how leads are scored; what is missing stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "horizon_days": 60, "thresholds": { "A": 80, "B": 50, "C": 20 } }))]
pub(super) struct PatchScoringModel {
    /// Least scores of the grades, falling from A to C; `null` for those of the mode.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Grades>)]
    thresholds: Option<Option<Grades>>,
    /// Days within which a lead must be won to count as won. Holds from the next training.
    #[schema(minimum = 1, maximum = 3650)]
    horizon_days: Option<u16>,
    /// Hours after a lead's creation of which a model may know something. Holds from the next training.
    #[schema(minimum = 0, maximum = 8760)]
    as_of_hours: Option<u16>,
    /// What makes a lead won: `converted`, `deal_won`, `status:<status>` or `stage:<id of a stage>`.
    positive_outcome: Option<String>,
    /// Features that no model may read. Holds from the next training.
    #[schema(max_items = 200)]
    excluded_fields: Option<Vec<String>>,
    /// The mode to use, or `auto`. `rules` holds at once, the others from the next training.
    mode: Option<Wish>,
    /// Days between trainings; 0 trains only when asked.
    #[schema(maximum = 365)]
    retrain_days: Option<u16>,
}

/// Tells `null` from nothing.
fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// What is wrong shows only together with the settings that stay.
impl Validate for PatchScoringModel {
    fn validate(&self, _: &mut Errors) {}
}

impl PatchScoringModel {
    fn onto(self, settings: &Settings) -> Settings {
        let settings = settings.clone();
        Settings {
            thresholds: self.thresholds.unwrap_or(settings.thresholds),
            horizon_days: self.horizon_days.unwrap_or(settings.horizon_days),
            as_of_hours: self.as_of_hours.unwrap_or(settings.as_of_hours),
            positive_outcome: self.positive_outcome.unwrap_or(settings.positive_outcome),
            excluded_fields: self.excluded_fields.unwrap_or(settings.excluded_fields),
            mode: self.mode.unwrap_or(settings.mode),
            retrain_days: self.retrain_days.unwrap_or(settings.retrain_days),
        }
    }
}

/// Change how leads are scored.
///
/// Grades and the mode `rules` hold at once; all leads are then scored anew. The rest holds from the next training.
#[utoipa::path(
    patch, path = "/api/scoring/model", tag = "scoring",
    security(("bearer" = ["scoring:manage"])),
    params(IfMatch),
    request_body = PatchScoringModel,
    responses(
        (status = 200, description = "The model card with the new settings", body = ScoringModel,
         headers(("ETag" = String, description = "Version of the settings"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_scoring_model(
    State(app): State<AppState>,
    caller: Can<ScoringManage>,
    if_match: IfMatch,
    Json(change): Json<PatchScoringModel>,
) -> Result<Versioned<ScoringModel>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    lock(&app, &mut tx).await?;
    let before = settings::fresh(&app, &mut tx).await?;
    if_match.check(before.version)?;
    let wanted = change.onto(&before.settings);
    wanted.check(&before.plan)?;
    if wanted != before.settings {
        save(&app, &mut tx, &wanted, before.active.as_ref()).await?;
        rescore::order(&mut tx, app.core.sources.now()).await?;
    }
    let after = settings::fresh(&app, &mut tx).await?;
    let answer = answer(&app, &mut tx, &after).await?;
    tx.commit().await?;
    app.scoring.forget(caller.scope.tenant());
    Ok(answer)
}

/// Makes sure that there is a row of settings, and locks it until the transaction ends.
pub(super) async fn lock(app: &AppState, tx: &mut TenantTx) -> Result<(), DbError> {
    let _: i64 = query_scalar(
        "-- crm.scoring_settings.lock\n\
         INSERT INTO crm.scoring_settings (updated_at, version) VALUES ($1, 0) \
         ON CONFLICT ON CONSTRAINT scoring_settings_pkey DO UPDATE SET version = scoring_settings.version RETURNING version",
    )
    .bind(app.core.sources.now())
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

async fn save(
    app: &AppState,
    tx: &mut TenantTx,
    settings: &Settings,
    active: Option<&Active>,
) -> Result<(), DbError> {
    let days = TimeDelta::days(settings.retrain_days.into());
    let next = active
        .filter(|_| settings.retrain_days > 0)
        .map(|active| active.trained_at + days);
    let _: i64 = query_scalar(
        "-- crm.scoring_settings.save\n\
         UPDATE crm.scoring_settings SET settings = $1, updated_at = $2, next_retrain_at = $3, version = version + 1 \
         RETURNING version",
    )
    .bind(Jsonb(settings))
    .bind(app.core.sources.now())
    .bind(next)
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}
