use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Patch, Path, Problem, Versioned};
use sqlx::types::Json as Stored;

use super::{check_url, create::seal, name_taken};
use crate::{
    app::AppState,
    sources::{
        DataSourcesManage,
        resource::{DataSource, DataSourceId, PatchDataSource},
        store::{self, SourceRow},
    },
};

/// Change a data source.
///
/// JSON merge patch: a missing field stays. What it told before stays as it is; the next load is read in the new way. With
/// `If-Match` the change is made only on that version.
#[utoipa::path(
    patch, path = "/api/datasources/{id}", tag = "data-sources",
    security(("bearer" = ["data_sources:manage"])),
    params(("id" = DataSourceId, Path, description = "The source"), IfMatch),
    request_body = PatchDataSource,
    responses(
        (status = 200, description = "The source as it is now", body = DataSource,
         headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "Another source has the name", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_data_source(
    State(app): State<AppState>,
    caller: Can<DataSourcesManage>,
    Path(id): Path<DataSourceId>,
    if_match: IfMatch,
    Json(patch): Json<PatchDataSource>,
) -> Result<Versioned<DataSource>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let mut row = store::lock(&mut tx, id.as_uuid())
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(row.version)?;
    apply(&app, &mut row, patch)?;
    let changed = store::update(&mut tx, app.core.sources.now(), &row).await?;
    let changed = changed.ok_or_else(name_taken)?;
    tx.commit().await?;
    app.sources.hint.notify_one();
    Ok(Versioned(changed.version, changed.into()))
}

fn apply(app: &AppState, row: &mut SourceRow, patch: PatchDataSource) -> Result<(), Problem> {
    let is_http = row.pull.is_some();
    if !is_http && (patch.pull.is_some() || matches!(patch.headers, Patch::Value(_))) {
        return Err(Problem::invalid(
            "/pull",
            "not_allowed",
            "is for sources of kind http only",
        ));
    }
    if let Some(name) = patch.name {
        row.name = name.trim().to_owned();
    }
    if let Some(reading) = patch.reading {
        row.reading = Stored(reading);
    }
    if let Some(pull) = patch.pull {
        check_url(&app.sources, &pull.url)?;
        let moved = row
            .pull
            .as_ref()
            .is_none_or(|before| host(&before.url) != host(&pull.url));
        // What was entrusted for one host is not sent to another one.
        if moved && matches!(patch.headers, Patch::Absent) && row.sealed.is_some() {
            let message = "are for another host; send them again, or null";
            return Err(Problem::invalid("/headers", "required", message));
        }
        row.pull = Some(Stored(pull));
    }
    match patch.headers {
        Patch::Absent => {}
        Patch::Null => (row.header_names, row.sealed) = (Vec::new(), None),
        Patch::Value(headers) => {
            (row.header_names, row.sealed) = seal(&app.sources, row.id, &headers)?;
        }
    }
    row.enabled = patch.enabled.unwrap_or(row.enabled);
    let asked = row.enabled
        && row
            .pull
            .as_ref()
            .is_some_and(|pull| pull.every_minutes.is_some());
    row.next_sync_at = asked.then(|| row.next_sync_at.unwrap_or(app.core.sources.now()));
    Ok(())
}

fn host(url: &str) -> Option<String> {
    let url: url::Url = url.parse().ok()?;
    Some(url.origin().ascii_serialization())
}
