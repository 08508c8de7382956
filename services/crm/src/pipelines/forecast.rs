use std::collections::BTreeMap;

use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem, Query};
use bz_kernel::{PipelineId, StageId};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Stage, StageKind, stages_of};
use crate::{
    app::AppState,
    deals::{DEAL, DealsRead, totals::Total},
    records::{
        access::{self, Sight},
        sql::Sql,
    },
};

/// Of which time.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ForecastSpan {
    /// Only what closes on this day or later.
    from: Option<NaiveDate>,
    /// Only what closes on this day or earlier.
    to: Option<NaiveDate>,
}

/// What a pipeline is expected to bring.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Forecast {
    /// The pipeline.
    pipeline_id: PipelineId,
    /// By month, the earliest first.
    months: Vec<ForecastMonth>,
}

/// What one month is expected to bring.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ForecastMonth {
    /// Its first day; `null` for deals without an expected close date.
    month: Option<NaiveDate>,
    /// By stage, in the pipeline's order; stages without deals are left out.
    stages: Vec<ForecastStage>,
}

/// What the deals of one stage are expected to bring.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ForecastStage {
    /// The stage.
    stage_id: StageId,
    /// Its name.
    name: String,
    /// What becomes of a deal in it.
    kind: StageKind,
    /// How many deals.
    count: i64,
    /// What they are worth, by currency.
    totals: Vec<Total>,
}

#[derive(FromRow)]
struct Row {
    month: Option<NaiveDate>,
    stage_id: Uuid,
    currency: Option<String>,
    count: i64,
    amount: Option<Decimal>,
    weighted_amount: Option<Decimal>,
}

/// What a pipeline is expected to bring, by month and stage.
///
/// Open deals count in the month of their expected close date, won ones in the month (UTC) in which they were won; lost
/// ones do not count. Only deals that the caller sees.
#[utoipa::path(
    get, path = "/api/pipelines/{id}/forecast", tag = "pipelines",
    security(("bearer" = ["deals:read"])),
    params(("id" = PipelineId, Path, description = "The pipeline"), ForecastSpan),
    responses(
        (status = 200, description = "The forecast", body = Forecast),
        (status = 422, description = "A parameter is not valid", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_pipeline_forecast(
    State(app): State<AppState>,
    caller: Can<DealsRead>,
    Path(id): Path<PipelineId>,
    Query(span): Query<ForecastSpan>,
) -> Result<Json<Forecast>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let stages = stages_of(&mut tx, id).await?;
    if stages.is_empty() {
        return Err(Problem::not_found());
    }
    let sight = access::reads(&app, &mut tx, &caller, DEAL).await?;
    let sql = statement(id, &span, sight);
    let rows: Vec<Row> = sql.fetch_all(&mut tx).await?;
    Ok(Json(Forecast {
        pipeline_id: id,
        months: months(rows, &stages),
    }))
}

/// Only deals that are seen, in the span.
fn statement(pipeline: PipelineId, span: &ForecastSpan, sight: Sight) -> Sql {
    let mut sql = Sql::new(
        "-- crm.deals.forecast\n\
         SELECT date_trunc('month', day::timestamp)::date AS month, stage_id, amount_currency AS currency, count(*) AS count, \
         sum(amount) AS amount, sum(weighted_amount) AS weighted_amount FROM (SELECT *, CASE WHEN status = 'won' \
         THEN (closed_at AT TIME ZONE 'UTC')::date ELSE expected_close_date END AS day FROM crm.deals) AS d \
         WHERE deleted_at IS NULL AND status <> 'lost' AND pipeline_id = ",
    );
    sql.bind(pipeline.as_uuid());
    sight.push(&mut sql);
    if let Some(from) = span.from {
        sql.push(" AND day >= ").bind(from);
    }
    if let Some(to) = span.to {
        sql.push(" AND day <= ").bind(to);
    }
    sql.push(" GROUP BY 1, 2, 3 ORDER BY 1, 2, 3");
    sql
}

fn months(rows: Vec<Row>, stages: &[Stage]) -> Vec<ForecastMonth> {
    // `None` sorts first, and deals without a date come last.
    let mut by_month: BTreeMap<(bool, Option<NaiveDate>), Vec<Row>> = BTreeMap::new();
    for row in rows {
        let key = (row.month.is_none(), row.month);
        by_month.entry(key).or_default().push(row);
    }
    by_month
        .into_iter()
        .map(|((_, month), rows)| ForecastMonth {
            month,
            stages: stages
                .iter()
                .filter_map(|stage| of_stage(&rows, stage))
                .collect(),
        })
        .collect()
}

fn of_stage(rows: &[Row], stage: &Stage) -> Option<ForecastStage> {
    let own = rows.iter().filter(|row| row.stage_id == stage.id.as_uuid());
    let own: Vec<&Row> = own.collect();
    let total = |row: &&Row| Total::new(row.currency.clone(), row.amount, row.weighted_amount);
    (!own.is_empty()).then(|| ForecastStage {
        stage_id: stage.id,
        name: stage.name.clone(),
        kind: stage.kind,
        count: own.iter().map(|row| row.count).sum(),
        totals: own.iter().filter_map(total).collect(),
    })
}
