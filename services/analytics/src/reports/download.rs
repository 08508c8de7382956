use std::ops::Range;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Path, Problem, Query};
use bz_tenant::TenantScope;
use futures_util::stream;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    ReportsRead,
    range::{Wanted, wanted},
    resource::{Format, ReportStatus},
    store::{self, FileRow, ReportRow},
};
use crate::app::AppState;

/// How much of a file is in memory at once.
const PIECE: i32 = 512 * 1024;

/// Which file.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DownloadReport {
    /// Its form; not needed when there is only one.
    #[param(inline)]
    format: Option<Format>,
}

/// A file of a report.
///
/// It never changes: `ETag` is the digest of its bytes. A download that broke off goes on with `Range`.
#[utoipa::path(
    get, path = "/api/reports/{id}/download", tag = "reports",
    security(("bearer" = ["reports:read"])),
    params(("id" = Uuid, Path, description = "The report"), DownloadReport),
    responses(
        (status = 200, description = "The file", content(
            (String = "application/pdf"), (String = "text/csv"), (String = "application/json"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = 206, description = "A part of it", body = String, content_type = "application/pdf"),
        (status = 304, description = "It is what the client has"),
        (status = 409, description = "It is not made yet, or could not be made", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 410, description = "Its time is over", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 416, description = "It has no such bytes", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "It was not ordered in that form", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn download_report(
    State(app): State<AppState>,
    caller: Can<ReportsRead>,
    Path(id): Path<Uuid>,
    Query(query): Query<DownloadReport>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let row = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let files = store::files(&mut tx, &[id]).await?;
    drop(tx);
    let (format, file) = chosen(&row, &files, query.format)?;
    let etag = format!("\"{}\"", file.sha256);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| {
        known == "*"
            || known
                .split(',')
                .any(|one| one.trim().trim_start_matches("W/") == etag)
    }) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let (status, range) = match wanted(&headers, file.size, &etag) {
        Wanted::Whole => (StatusCode::OK, 0..file.size),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Outside => return Err(outside(file.size)),
    };
    let mut answer = Response::new(body(app, caller.scope, (id, format), range.clone()));
    *answer.status_mut() = status;
    describe(answer.headers_mut(), &row.title, format, &etag)?;
    answer
        .headers_mut()
        .insert(header::CONTENT_LENGTH, (range.end - range.start).into());
    if status == StatusCode::PARTIAL_CONTENT {
        let place = format!("bytes {}-{}/{}", range.start, range.end - 1, file.size);
        answer
            .headers_mut()
            .insert(header::CONTENT_RANGE, value(&place)?);
    }
    Ok(answer)
}

/// The file, when it is there.
fn chosen<'a>(
    row: &ReportRow,
    files: &'a [FileRow],
    format: Option<Format>,
) -> Result<(Format, &'a FileRow), Problem> {
    let formats = row.formats();
    let format = match (format, &formats[..]) {
        (Some(format), _) if formats.contains(&format) => format,
        (None, [only]) => *only,
        _ => {
            return Err(Problem::invalid_parameter(
                "format",
                "unknown_format",
                "must be one of the report's formats",
            ));
        }
    };
    if row.status() == ReportStatus::Expired {
        let text = "Its files were deleted after 30 days. Order the report again.";
        return Err(
            Problem::new(StatusCode::GONE, "report_expired", "The report has expired").detail(text),
        );
    }
    match files.iter().find(|file| file.format() == Some(format)) {
        Some(FileRow {
            error: Some(error), ..
        }) => Err(Problem::conflict(
            "report_format_failed",
            error.detail.clone(),
        )),
        Some(file) => Ok((format, file)),
        None if row.status() == ReportStatus::Failed => Err(Problem::conflict(
            "report_failed",
            "The report could not be made.",
        )),
        None => Err(Problem::conflict(
            "report_not_ready",
            "The report is not made yet. Ask again in a moment.",
        )
        .retry_after(2)),
    }
}

fn outside(size: i64) -> Problem {
    let problem = Problem::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "range_not_satisfiable",
        "The file has no such bytes",
    );
    match value(&format!("bytes */{size}")) {
        Ok(place) => problem.header(header::CONTENT_RANGE, place),
        Err(_) => problem,
    }
}

/// What a browser needs to keep the file under its name (RFC 6266).
fn describe(
    headers: &mut HeaderMap,
    title: &str,
    format: Format,
    etag: &str,
) -> Result<(), Problem> {
    let ending = format.as_str();
    let plain: String = title
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || " .-_()".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let plain = plain.trim().trim_start_matches('.');
    let whole = utf8_percent_encode(title, NON_ALPHANUMERIC);
    let disposition =
        format!("attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{whole}.{ending}");
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(format.media_type()),
    );
    headers.insert(header::CONTENT_DISPOSITION, value(&disposition)?);
    headers.insert(header::ETAG, value(etag)?);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=86400, immutable"),
    );
    Ok(())
}

fn value(text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(text).map_err(Problem::internal)
}

/// The bytes, a piece at a time.
fn body(app: AppState, scope: TenantScope, file: (Uuid, Format), range: Range<i64>) -> Body {
    Body::from_stream(stream::try_unfold(range, move |mut left| {
        let (app, (id, format)) = (app.clone(), file);
        async move {
            if left.is_empty() {
                return Ok(None);
            }
            let length = i32::try_from(left.end - left.start)
                .unwrap_or(PIECE)
                .min(PIECE);
            let piece = async {
                let mut tx = app.core.db.read(&scope).await?;
                store::piece(&mut tx, id, format, left.start, length).await
            };
            match piece.await {
                Ok(Some(piece)) if !piece.is_empty() => {
                    left.start += i64::try_from(piece.len()).unwrap_or(i64::MAX);
                    Ok(Some((piece, left)))
                }
                Ok(_) => Err(std::io::Error::other("the file is gone")),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, report.id = %id, "a download broke off");
                    Err(std::io::Error::other("the download broke off"))
                }
            }
        }
    }))
}
