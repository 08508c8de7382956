use axum::{extract::State, http::HeaderMap, response::Response};
use bz_auth::Can;
use bz_http::{Path, Problem};
use bz_service::progress::{self, Watched};
use bz_tenant::{DbError, TenantTx};
use uuid::Uuid;

use crate::{
    app::AppState,
    sources::{
        DataSourcesRead,
        resource::SourceRun,
        runs::store::{self, RunRow},
    },
};

/// Watch an import, or any other run of a source: server-sent events.
///
/// Each `progress` has the run as it is then; the last is `end`. A stream that was cut goes on with `Last-Event-ID`: what the
/// client has seen is not sent again. It ends with the token; open it again with a new one.
#[utoipa::path(
    get, path = "/api/analytics/imports/{id}/events", tag = "imports",
    security(("bearer" = ["data_sources:read"])),
    params(
        ("id" = Uuid, Path, description = "The run"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen"),
    ),
    responses(
        (status = 200, description = "Events until it is over", body = String, content_type = "text/event-stream"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_data_import_events(
    State(app): State<AppState>,
    caller: Can<DataSourcesRead>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let run = store::find(&mut tx, id).await?;
    let run = run.ok_or_else(Problem::not_found)?;
    drop(tx);
    let shown = |run: &RunRow| SourceRun::from(run.clone());
    Ok(progress::events(&app.core, &caller, &headers, run, shown))
}

impl Watched for RunRow {
    fn tag(&self) -> String {
        format!("{}-{}-{}", self.status, self.claims, self.rows_done)
    }

    fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "succeeded" | "failed")
    }

    async fn again(&self, tx: &mut TenantTx) -> Result<Option<Self>, DbError> {
        store::find(tx, self.id).await
    }
}
