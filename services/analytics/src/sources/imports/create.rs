use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem, Query};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{DataImport, receive};
use crate::{
    app::AppState,
    sources::{ImportsWrite, resource::DataSourceId},
};

/// What to do with the file.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ImportQuery {
    /// The source whose file it is; it says how the file is read.
    pub source_id: DataSourceId,
    /// Whether to check everything and load nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Instead of the source's mapping, for this file: the field for each heading as a JSON object,
    /// `{"Impr.": "impressions", "Notes": null}`.
    pub mapping: Option<String>,
}

/// Import a file of facts, orders, deals or events.
///
/// The body is the file as CSV (packed with gzip or not) or as XLSX, of which the first sheet is read; or a form
/// (`multipart/form-data`) with the file as the part `file`. At most 1,000,000 rows and 512 MiB of CSV, 32 MiB of XLSX.
/// Nothing is loaded when a row has a fault: the answer is 422 with the first 50. A `dry_run` answers 200 with the faults.
/// Otherwise the answer is 202; up to 20,000 rows are loaded by then, more in the background.
///
/// Facts: the days that the file has are replaced as a whole, never added to. Orders and deals: replaced by their number.
/// Events: counted once by their id. So the same file may be sent again.
#[utoipa::path(
    post, path = "/api/analytics/imports", tag = "imports",
    security(("bearer" = ["imports:write"])),
    params(ImportQuery, IdempotencyKey),
    request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 200, description = "What a dry run found", body = DataImport),
        (status = 202, description = "What was found, and the run that loads it", body = DataImport,
         headers(("Location" = String, description = "Where to look for the run"))),
        (status = 404, description = "No such source", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_data_import(
    State(app): State<AppState>,
    caller: Can<ImportsWrite>,
    key: IdempotencyKey,
    Query(query): Query<ImportQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let found = receive::receive(&app, &caller, &key, query, request).await?;
    Ok(answer(found))
}

fn answer(found: DataImport) -> Response {
    let Some(run) = &found.run else {
        return Json(found).into_response();
    };
    let location = HeaderValue::from_str(&format!("/api/analytics/imports/{}", run.id));
    let mut response = (StatusCode::ACCEPTED, Json(found)).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
