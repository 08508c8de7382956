use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Json, PageQuery, Path, Problem, Query};
use bz_kernel::Page;
use bz_tabular::safe;
use bz_tenant::DbError;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ImportsRead, get::visible, plan::Plan, store};
use crate::{app::AppState, jobs::JobId};

/// Rows of the file that one turn of the stream reads.
const TURN: i64 = 500;

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ErrorsFormat {
    /// A page.
    Json,
    /// All of them, to be corrected and sent again.
    Csv,
}

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListImportErrors {
    /// `json` when not given.
    format: Option<ErrorsFormat>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A row that could not be imported.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct ImportError {
    /// Its number in the file; the heading is row 1.
    pub row: i64,
    /// What is wrong with it.
    pub errors: Vec<CellError>,
    /// The row as it was sent, by the headings.
    #[schema(value_type = Object)]
    pub cells: Map<String, Value>,
}

/// What is wrong with a row.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct CellError {
    /// The heading of the column, if it is about one.
    pub column: Option<String>,
    /// What is wrong, for programs.
    pub code: String,
    /// What is wrong and what to write instead.
    pub message: String,
    /// The cell.
    pub value: Option<String>,
}

/// The rows of an import that failed.
///
/// As CSV they have the columns of the file and two more, `import_row` and `import_errors`: correct the rows and send the
/// file again.
#[utoipa::path(
    get, path = "/api/imports/{id}/errors", tag = "imports",
    security(("bearer" = ["imports:read"])),
    params(("id" = JobId, Path, description = "Its id"), ListImportErrors),
    responses(
        (status = 200, description = "One page; or a file", content(
            (Page<ImportError> = "application/json"), (String = "text/csv"))),
        (status = 404, description = "Not there, or another tenant's",
         body = bz_http::ProblemDocument, content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_import_errors(
    State(app): State<AppState>,
    caller: Can<ImportsRead>,
    Path(id): Path<JobId>,
    Query(query): Query<ListImportErrors>,
) -> Result<Response, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let list = format!("import_errors?{id}");
    let page = PageQuery::new(query.limit, query.cursor).open::<i64>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let import = visible(&mut tx, &caller, id).await?;
    let plan = Plan::of(&import)?;
    if query.format == Some(ErrorsFormat::Csv) {
        drop(tx);
        return Ok(file(app, &caller, import.id, plan));
    }
    let after = page.after.unwrap_or(0);
    let rows = store::failed(&mut tx, import.id, after, i64::from(page.limit) + 1).await?;
    let items: Vec<ImportError> = rows.into_iter().map(|row| item(row, &plan)).collect();
    let page: Page<ImportError> = Page::cut(items, page.limit, |last: &ImportError| {
        cursors.seal(tenant, &list, &last.row)
    });
    Ok(Json(page).into_response())
}

fn item(row: store::FailedRow, plan: &Plan) -> ImportError {
    let cells = row.cells.into_iter().map(Value::from);
    ImportError {
        row: row.row_number,
        errors: serde_json::from_value(row.errors).unwrap_or_default(),
        cells: plan.header.iter().cloned().zip(cells).collect(),
    }
}

/// All rows as a file that is read while it is sent.
fn file(app: AppState, caller: &bz_auth::Caller, import: Uuid, plan: Plan) -> Response {
    let scope = caller.scope;
    let name = format!("attachment; filename=\"import-{import}-errors.csv\"");
    let body = stream::try_unfold(Some(0_i64), move |after| {
        let (app, plan) = (app.clone(), plan.clone());
        async move {
            let Some(after) = after else {
                return Ok::<_, DbError>(None);
            };
            let mut tx = app.core.db.read(&scope).await?;
            let rows = store::failed(&mut tx, import, after, TURN).await?;
            let last = rows.last().map(|row| row.row_number);
            let mut out = csv::WriterBuilder::new()
                .delimiter(plan.delimiter)
                .flexible(true)
                .from_writer(Vec::new());
            if after == 0 {
                let added = ["import_row", "import_errors"].map(str::to_owned);
                let _ = out.write_record(plan.header.iter().chain(&added));
            }
            for row in rows {
                let _ = out.write_record(record(row));
            }
            let text = out.into_inner().unwrap_or_default();
            Ok(Some((text, last)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    (headers, Body::from_stream(body)).into_response()
}

fn record(row: store::FailedRow) -> Vec<String> {
    let errors: Vec<CellError> = serde_json::from_value(row.errors).unwrap_or_default();
    let said = errors.into_iter().map(|error| match error.column {
        Some(column) => format!("{column} {}", error.message),
        None => format!("the row {}", error.message),
    });
    let said: Vec<String> = said.collect();
    let mut cells: Vec<String> = row
        .cells
        .into_iter()
        .map(|cell| safe::cell(&cell).into_owned())
        .collect();
    cells.push(row.row_number.to_string());
    cells.push(safe::cell(&said.join("; ")).into_owned());
    cells
}
