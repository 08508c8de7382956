use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem, context};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    sources::{
        DataSourcesManage, LONGEST_ANSWER,
        read::{Converter, Fault},
        resource::DataSourceId,
        runs::{load::TOLD, worker},
        store,
    },
};

/// What an address answered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DataSourceTest {
    /// The headings of its table.
    header: Vec<String>,
    /// Headings that go nowhere.
    left_out: Vec<String>,
    /// How many rows it has.
    rows: i64,
    /// What is wrong with rows, the first 50 faults.
    faults: Vec<Fault>,
}

/// Ask a source's address now, and load nothing.
///
/// 502 says why it could not be read; 422 what does not fit to the dataset.
#[utoipa::path(
    post, path = "/api/datasources/{id}/test", tag = "data-sources",
    security(("bearer" = ["data_sources:manage"])),
    params(("id" = DataSourceId, Path, description = "The source")),
    responses(
        (status = 200, description = "What it answered", body = DataSourceTest),
        (status = 409, description = "It has no address", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "What it answered does not fit", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 502, description = "It could not be read", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn test_data_source(
    State(app): State<AppState>,
    caller: Can<DataSourcesManage>,
    Path(id): Path<DataSourceId>,
) -> Result<Json<DataSourceTest>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let source = store::find(&mut tx, id.as_uuid())
        .await?
        .ok_or_else(Problem::not_found)?;
    drop(tx);
    context::extend_deadline(LONGEST_ANSWER);
    let (plan, pulled) = worker::pull(&app, &source).await?;
    let mut converter = Converter::new(&plan, source.id, app.core.sources.now())?;
    let mut faults = Vec::new();
    for piece in &pulled.pieces {
        converter.read(&piece.content, piece.first_row, &mut faults);
    }
    faults.truncate(TOLD);
    Ok(Json(DataSourceTest {
        left_out: plan.left_out(),
        header: plan.header,
        rows: pulled
            .pieces
            .iter()
            .map(|piece| i64::from(piece.rows))
            .sum(),
        faults,
    }))
}
