use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Path, Problem, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ActionOutcome, AutomationsManage, act, rules, store};
use crate::{
    app::AppState,
    records::{access, sql::Sql},
};

/// What to try it with.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DryRun {
    /// A record of the automation's type.
    record_id: Uuid,
}

impl Validate for DryRun {
    fn validate(&self, _: &mut Errors) {}
}

/// What would happen.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DryRunResult {
    /// Whether the record passes the filter, and the automation's creator sees it.
    matches: bool,
    /// What each action would do.
    outcomes: Vec<ActionOutcome>,
    /// Why it would fail; `record_not_found` for a record that is not there or not seen.
    error: Option<String>,
}

/// Show what an automation would do with a record. Everything is done and taken back: nothing changes, nobody is called.
#[utoipa::path(
    post, path = "/api/automations/{id}/dry-run", tag = "automations",
    security(("bearer" = ["automations:manage"])),
    params(("id" = Uuid, Path, description = "The automation")),
    request_body = DryRun,
    responses(
        (status = 200, description = "What would happen", body = DryRunResult),
        (status = 404, description = "No such automation", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn dry_run_automation(
    State(app): State<AppState>,
    caller: Can<AutomationsManage>,
    Path(id): Path<Uuid>,
    Json(request): Json<DryRun>,
) -> Result<Json<DryRunResult>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let automation = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let record = rules::type_of(&automation.wanted.record_type).ok_or_else(Problem::not_found)?;
    let sight = access::reads(&app, &mut tx, &caller, record).await?;
    let mut sql = Sql::new(format!(
        "-- {0}.seen\nSELECT id FROM {0} WHERE deleted_at IS NULL AND id = ",
        record.table
    ));
    sql.bind(request.record_id);
    sight.push(&mut sql);
    let seen: Option<(Uuid,)> = sql.fetch_optional(&mut tx).await?;
    if seen.is_none() {
        return Ok(Json(DryRunResult {
            matches: false,
            outcomes: Vec::new(),
            error: Some(
                "record_not_found: there is no such record, or you do not see it.".to_owned(),
            ),
        }));
    }
    let event = (
        automation.wanted.when.first().map_or("", String::as_str),
        request.record_id,
    );
    let matches = act::concerns(&app, &mut tx, &automation, event).await?;
    let done = if matches {
        act::all(&app, &mut tx, &automation, event).await
    } else {
        Ok(Vec::new())
    };
    // Never committed: the transaction takes everything back.
    drop(tx);
    let (outcomes, error) = match done {
        Ok(outcomes) => (outcomes, None),
        Err(problem) if problem.status().is_server_error() => return Err(problem),
        Err(problem) => (Vec::new(), Some(act::said(&problem))),
    };
    Ok(Json(DryRunResult {
        matches,
        outcomes,
        error,
    }))
}
