use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Path, Problem, Query};
use bz_kernel::Page;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ActionOutcome, AutomationsManage, store};
use crate::app::AppState;

/// What an automation did because of an event.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow, ToSchema)]
pub(crate) struct Run {
    /// The run's id.
    pub(super) id: Uuid,
    /// The automation.
    automation_id: Uuid,
    /// The event that started it.
    event_id: Uuid,
    /// What happened: `lead.created`.
    kind: String,
    /// The record that it happened to.
    record_id: Uuid,
    /// How many automations one after the other led to the event.
    depth: i32,
    /// `pending`; `done`; `failed`, and nothing of it was kept; `skipped` at the end of a chain of five automations.
    status: String,
    /// How often it was tried.
    attempts: i32,
    /// What each action did.
    #[sqlx(json)]
    outcomes: Vec<ActionOutcome>,
    /// Why it failed or was skipped: a code, and what to change.
    error: Option<String>,
    /// When the event was taken up.
    created_at: DateTime<Utc>,
    /// When it ended.
    finished_at: Option<DateTime<Utc>>,
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RunStatus {
    /// About to be done.
    Pending,
    /// Done.
    Done,
    /// At the end of a chain that is too long.
    Skipped,
    /// Failed.
    Failed,
}

impl RunStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListRuns {
    /// Only runs with this status.
    status: Option<RunStatus>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The runs of an automation, newest first. They are kept for 30 days; what its filter left out has none.
#[utoipa::path(
    get, path = "/api/automations/{id}/runs", tag = "automations",
    security(("bearer" = ["automations:manage"])),
    params(("id" = Uuid, Path, description = "The automation"), ListRuns),
    responses(
        (status = 200, description = "One page", body = Page<Run>),
        (status = 404, description = "Not there, or another tenant's", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_automation_runs(
    State(app): State<AppState>,
    caller: Can<AutomationsManage>,
    Path(id): Path<Uuid>,
    Query(query): Query<ListRuns>,
) -> Result<Json<Page<Run>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let status = query.status.map(RunStatus::as_str);
    let list = format!("automations/{id}/runs?status={}", status.unwrap_or(""));
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    if store::find(&mut tx, id).await?.is_none() {
        return Err(Problem::not_found());
    }
    let found = store::runs(&mut tx, id, status, (page.after, page.limit)).await?;
    Ok(Json(Page::cut(found, page.limit, |last: &Run| {
        cursors.seal(tenant, &list, &last.id)
    })))
}
