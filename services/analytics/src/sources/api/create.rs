use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};
use uuid::Uuid;

use super::{check_url, name_taken};
use crate::{
    app::AppState,
    sources::{
        DataSourcesManage, Sources,
        resource::{CreateDataSource, DataSource},
        store,
    },
};

/// The most sources of a tenant.
const MOST: i64 = 200;

/// Set up a data source.
///
/// Of kind `upload`, somebody brings its files to `POST /api/analytics/imports`; of kind `http`, an address is asked for CSV or JSON.
/// Headers are kept sealed and never shown. With an `Idempotency-Key` the same request may be sent again.
#[utoipa::path(
    post, path = "/api/datasources", tag = "data-sources",
    security(("bearer" = ["data_sources:manage"])),
    params(IdempotencyKey),
    request_body = CreateDataSource,
    responses(
        (status = 201, description = "The source", body = DataSource,
         headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "Another source has the name, or there are 200 already",
         body = bz_http::ProblemDocument, content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_data_source(
    State(app): State<AppState>,
    caller: Can<DataSourcesManage>,
    key: IdempotencyKey,
    Json(request): Json<CreateDataSource>,
) -> Result<Response, Problem> {
    if let Some(pull) = &request.pull {
        check_url(&app.sources, &pull.url)?;
    }
    let sources = &app.core.sources;
    let made = bz_http::idempotent(
        (&app.core.db, &sources.clock),
        &caller.scope,
        &key,
        "data_sources.create",
        &request,
        async |tx| {
            if store::count(tx).await? >= MOST {
                return Err(Problem::conflict(
                    "too_many",
                    "There are 200 sources already; delete one.",
                ));
            }
            let id: Uuid = sources.id();
            let sealed = seal(&app.sources, id, &request.headers)?;
            let by = (id, caller.user.as_uuid(), sources.now());
            let row = store::insert(tx, by, &request, &sealed).await?;
            row.map(DataSource::from).ok_or_else(name_taken)
        },
    )
    .await?;
    app.sources.hint.notify_one();
    Ok(made.into_response_with(|source| source.version))
}

/// Headers as they are kept.
pub(super) fn seal(
    sources: &Sources,
    id: Uuid,
    headers: &std::collections::BTreeMap<String, String>,
) -> Result<store::Sealed, Problem> {
    if headers.is_empty() {
        return Ok((Vec::new(), None));
    }
    let plain = serde_json::to_vec(headers).map_err(Problem::internal)?;
    let names = headers
        .keys()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    Ok((names, Some(sources.sealer.seal(id.as_bytes(), &plain))))
}
