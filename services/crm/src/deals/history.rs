//! By which stages a deal came where it is.

use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Path, Problem, Query, Versioned};
use bz_kernel::{DealId, Page, StageId, UserId};
use bz_tenant::DbError;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Deal, DealsRead};
use crate::{
    app::AppState,
    records::{Work, handlers, sql::Sql},
};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryPage {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One step of a deal.
#[derive(Debug, Serialize, ToSchema, FromRow)]
pub(super) struct StageMove {
    /// Its id.
    id: Uuid,
    /// The stage it left; `null` when it was created.
    #[schema(value_type = Option<StageId>)]
    from_stage: Option<Uuid>,
    /// The stage it entered.
    #[schema(value_type = StageId)]
    to_stage: Uuid,
    /// Who moved it.
    #[schema(value_type = Option<UserId>)]
    actor: Option<Uuid>,
    /// When.
    at: DateTime<Utc>,
}

/// The stages of a deal, newest first.
#[utoipa::path(
    get, path = "/api/deals/{id}/stage-history", tag = "deals",
    security(("bearer" = ["deals:read"])),
    params(("id" = DealId, Path, description = "The deal"), HistoryPage),
    responses(
        (status = 200, description = "One page", body = Page<StageMove>),
        (status = 404, description = "No such deal", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_deal_stage_history(
    State(app): State<AppState>,
    caller: Can<DealsRead>,
    Path(id): Path<DealId>,
    Query(query): Query<HistoryPage>,
) -> Result<Json<Page<StageMove>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let list = format!("deals/{id}/stage-history");
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, &list)?;
    let Versioned(..): Versioned<Deal> = handlers::get(&app, &caller, id.as_uuid()).await?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let mut sql = Sql::new(
        "-- crm.deal_stage_history.list\n\
         SELECT id, from_stage, to_stage, actor, at FROM crm.deal_stage_history WHERE deal_id = ",
    );
    sql.bind(id.as_uuid());
    if let Some(after) = page.after {
        sql.push(" AND id < ").bind(after);
    }
    sql.push(" ORDER BY id DESC LIMIT ")
        .bind(i64::from(page.limit) + 1);
    let steps: Vec<StageMove> = sql.fetch_all(&mut tx).await?;
    Ok(Json(Page::cut(steps, page.limit, |last: &StageMove| {
        cursors.seal(tenant, &list, &last.id)
    })))
}

/// Writes a step down.
pub(super) async fn insert(
    work: &mut Work<'_>,
    deal: DealId,
    from: Option<StageId>,
    to: Option<StageId>,
) -> Result<(), DbError> {
    let mut sql = Sql::new(
        "-- crm.deal_stage_history.insert\n\
         INSERT INTO crm.deal_stage_history (id, deal_id, from_stage, to_stage, actor, at) VALUES (",
    );
    sql.bind(work.id()).push(", ").bind(deal.as_uuid());
    sql.push(", ").bind(from.map(StageId::as_uuid));
    sql.push(", ").bind(to.map(StageId::as_uuid));
    sql.push(", ").bind(work.actor.as_uuid());
    sql.push(", ").bind(work.now()).push(")");
    sql.execute(work.tx).await?;
    Ok(())
}
