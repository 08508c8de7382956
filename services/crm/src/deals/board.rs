use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::{Page, PipelineId, StageId};
use bz_tenant::{DbError, TenantTx};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{DEAL, Deal, DealsRead, totals::Total};
use crate::{
    app::AppState,
    pipelines::{self, Stage},
    records::{
        Record,
        access::{self, Sight},
        sql::Sql,
    },
};

/// Which board, and how much of it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct BoardQuery {
    /// The pipeline; the default one when not given.
    pipeline_id: Option<PipelineId>,
    /// Only this stage: with its `next_cursor`, the next page of its deals.
    stage_id: Option<StageId>,
    /// Deals a stage, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of a stage; with its `stage_id`.
    cursor: Option<String>,
}

/// A pipeline with its deals.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Board {
    /// The pipeline.
    pipeline_id: PipelineId,
    /// Its stages, in their order.
    stages: Vec<BoardStage>,
}

/// A stage with its deals.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BoardStage {
    /// The stage.
    stage: Stage,
    /// How many deals are in it.
    count: i64,
    /// What they are worth, by currency.
    totals: Vec<Total>,
    /// The first of them, in their order.
    items: Vec<Deal>,
    /// Opaque cursor of the next page; `null` means that there is none.
    next_cursor: Option<String>,
}

/// Behind which deal a page starts.
type Place = (f64, Uuid);

#[derive(FromRow)]
struct TotalRow {
    stage_id: Uuid,
    currency: Option<String>,
    count: i64,
    amount: Option<Decimal>,
    weighted_amount: Option<Decimal>,
}

/// A pipeline's stages with the first page of their deals, how many there are and what they are worth.
///
/// Only deals that the caller sees.
#[utoipa::path(
    get, path = "/api/deals/board", tag = "deals",
    security(("bearer" = ["deals:read"])),
    params(BoardQuery),
    responses((status = 200, description = "The board", body = Board), bz_http::openapi::ListProblems),
)]
pub(super) async fn get_deal_board(
    State(app): State<AppState>,
    caller: Can<DealsRead>,
    Query(query): Query<BoardQuery>,
) -> Result<Json<Board>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let list = |stage: StageId| format!("deals/board/{stage}");
    let of = query
        .stage_id
        .map_or_else(|| "deals/board".to_owned(), list);
    let page = PageQuery::new(query.limit, query.cursor).open::<Place>(cursors, tenant, &of)?;
    let pipeline = match query.pipeline_id {
        Some(id) => id,
        None => pipelines::default_for(&app, &caller).await?,
    };
    let mut tx = app.core.db.read(&caller.scope).await?;
    let stages = wanted_stages(&mut tx, pipeline, query.stage_id).await?;
    let sight = access::reads(&app, &mut tx, &caller, DEAL).await?;
    let totals = totals(&mut tx, pipeline, sight).await?;
    let deals = deals(&mut tx, &stages, sight, (page.after, page.limit)).await?;
    let stages = stages.into_iter().map(|stage| {
        let seal = |last: &Deal| {
            let place: Place = (last.position.unwrap_or_default(), last.id.as_uuid());
            cursors.seal(tenant, &list(stage.id), &place)
        };
        let own = deals.iter().filter(|deal| deal.stage_id == Some(stage.id));
        let page = Page::<Deal>::cut(own.cloned().collect(), page.limit, seal);
        column(stage, &totals, page)
    });
    Ok(Json(Board {
        pipeline_id: pipeline,
        stages: stages.collect(),
    }))
}

/// The stages of the pipeline, or the one that was asked for.
async fn wanted_stages(
    tx: &mut TenantTx,
    pipeline: PipelineId,
    wanted: Option<StageId>,
) -> Result<Vec<Stage>, Problem> {
    let mut stages = pipelines::stages_of(tx, pipeline).await?;
    if stages.is_empty() {
        let message = "must be the id of one of the tenant's pipelines";
        return Err(unknown("pipeline_id", message));
    }
    stages.retain(|stage| wanted.is_none_or(|wanted| wanted == stage.id));
    if stages.is_empty() {
        let message = "must be the id of a stage of the pipeline";
        return Err(unknown("stage_id", message));
    }
    Ok(stages)
}

fn column(stage: Stage, totals: &[TotalRow], page: Page<Deal>) -> BoardStage {
    let own = totals
        .iter()
        .filter(|row| row.stage_id == stage.id.as_uuid());
    let own: Vec<&TotalRow> = own.collect();
    let total = |row: &&TotalRow| Total::new(row.currency.clone(), row.amount, row.weighted_amount);
    BoardStage {
        count: own.iter().map(|row| row.count).sum(),
        totals: own.iter().filter_map(total).collect(),
        items: page.items,
        next_cursor: page.next_cursor,
        stage,
    }
}

fn unknown(parameter: &'static str, message: &'static str) -> Problem {
    Problem::invalid_parameter(parameter, "not_found", message)
}

async fn totals(
    tx: &mut TenantTx,
    pipeline: PipelineId,
    sight: Sight,
) -> Result<Vec<TotalRow>, DbError> {
    let mut sql = Sql::new(
        "-- crm.deals.board_totals\n\
         SELECT stage_id, amount_currency AS currency, count(*) AS count, sum(amount) AS amount, \
         sum(weighted_amount) AS weighted_amount FROM crm.deals WHERE deleted_at IS NULL AND pipeline_id = ",
    );
    sql.bind(pipeline.as_uuid());
    sight.push(&mut sql);
    sql.push(" GROUP BY stage_id, amount_currency ORDER BY stage_id, amount_currency");
    sql.fetch_all(tx).await
}

/// The first deals of each stage and one more, in one statement.
async fn deals(
    tx: &mut TenantTx,
    stages: &[Stage],
    sight: Sight,
    (after, limit): (Option<Place>, u16),
) -> Result<Vec<Deal>, DbError> {
    let columns = Deal::columns();
    let ids: Vec<Uuid> = stages.iter().map(|stage| stage.id.as_uuid()).collect();
    let mut sql = Sql::new(format!("-- crm.deals.board\nSELECT {columns} FROM unnest("));
    sql.bind(ids)
        .push("::uuid[]) AS wanted (stage) CROSS JOIN LATERAL (SELECT ");
    sql.push(columns);
    sql.push(" FROM crm.deals WHERE stage_id = wanted.stage AND deleted_at IS NULL");
    sight.push(&mut sql);
    if let Some((position, id)) = after {
        sql.push(" AND (position, id) > (").bind(position);
        sql.push(", ").bind(id).push(")");
    }
    sql.push(" ORDER BY position, id LIMIT ")
        .bind(i64::from(limit) + 1);
    sql.push(") AS deal ORDER BY position, id");
    sql.fetch_all(tx).await
}
