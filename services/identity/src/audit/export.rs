use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use bz_auth::Can;
use bz_http::{Problem, Query};
use bz_tenant::{Db, DbError, TenantScope};
use chrono::{DateTime, Utc};
use futures_util::stream;
use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Actor, AuditManage, Entry, filter::Filter, record, store};
use crate::{app::AppState, origin::Origin};

/// Entries that are read, and held in memory, at once.
const PAGE: u16 = 500;

/// What to export.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportAuditLog {
    /// Only what this user or service account did.
    actor: Option<Uuid>,
    /// Only this action, for example `user.registered`.
    #[param(max_length = 200)]
    action: Option<String>,
    /// Only what was done to the thing with this id.
    target: Option<Uuid>,
    /// Only at this instant or later.
    from: Option<DateTime<Utc>>,
    /// Only before this instant.
    to: Option<DateTime<Utc>>,
}

/// The audit log as NDJSON: one entry a line, oldest first.
///
/// An export without filters can be verified by itself: the SHA-256 of each line without its `hash`, as JSON without
/// spaces and with members in alphabetical order, is its `hash`, and the `prev_hash` of the next line. The export is an
/// entry of the log itself, the last one of an export without filters.
#[utoipa::path(
    get, path = "/api/audit-log/export", tag = "audit log",
    security(("bearer" = ["audit:manage"])),
    params(ExportAuditLog),
    responses(
        (status = 200, description = "The entries", body = String, content_type = "application/x-ndjson"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn export_audit_log(
    State(app): State<AppState>,
    caller: Can<AuditManage>,
    origin: Origin,
    Query(query): Query<ExportAuditLog>,
) -> Result<Response, Problem> {
    let filter = Filter {
        actor: query.actor,
        action: query.action,
        target: query.target,
        from: query.from,
        to: query.to,
    };
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let entry = Entry {
        actor: Actor::of(&caller),
        action: "audit_log.exported",
        target: None,
        success: true,
        changes: json!({}),
        origin: &origin,
    };
    record(&mut tx, &app.core.sources, entry).await?;
    let until = store::head(&mut tx).await?.map_or(0, |head| head.seq);
    tx.commit().await?;
    let export = Export {
        db: app.core.db.clone(),
        scope: caller.scope,
        filter,
        after: 0,
        until,
    };
    Ok(answer(export))
}

fn answer(export: Export) -> Response {
    let lines = stream::try_unfold(export, |mut export| async move {
        let page = export.next().await?;
        Ok::<_, ExportError>(page.map(|page| (page, export)))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"audit-log.ndjson\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    (headers, Body::from_stream(lines)).into_response()
}

/// Why an export ends early: the client sees a body that is cut off.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error("the audit log cannot be read")]
    Db(#[from] DbError),
    #[error("an entry cannot be written")]
    Json(#[from] serde_json::Error),
}

/// How far an export is. Each page is a transaction of its own, so that a client that reads slowly holds no connection.
struct Export {
    db: Db,
    scope: TenantScope,
    filter: Filter,
    after: i64,
    until: i64,
}

impl Export {
    async fn next(&mut self) -> Result<Option<Bytes>, ExportError> {
        let mut tx = self.db.read(&self.scope).await?;
        let page = store::oldest(&mut tx, &self.filter, self.after, self.until, PAGE).await?;
        drop(tx);
        let Some(last) = page.last() else {
            return Ok(None);
        };
        self.after = last.seq;
        let mut lines = Vec::new();
        for entry in &page {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        Ok(Some(lines.into()))
    }
}
