use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use bz_auth::{Caller, Can};
use bz_http::{Problem, Query};
use bz_kernel::EventId;
use bz_tenant::DbError;
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, query_as};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::app::AppState;
use bz_tabular::safe;

bz_auth::permissions! {
    /// Fetch events and other data as files.
    ExportsRead = "exports:read",
}

/// Events of a page.
const PAGE: i64 = 1_000;

/// Which events, and in what form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportQuery {
    /// Events from this instant on; the oldest when not given.
    from: Option<DateTime<Utc>>,
    /// Events before this instant; now when not given.
    until: Option<DateTime<Utc>>,
    /// Only events with this name.
    name: Option<String>,
    /// The form of the file; `ndjson` when not given.
    #[serde(default)]
    format: ExportFormat,
    /// Goes on behind the event with this id: the last one that was received before the connection broke.
    after: Option<EventId>,
    /// `off`: no `'` before cells of a CSV file that a spreadsheet would take for a formula, for programs.
    formula_guard: Option<FormulaGuard>,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ExportFormat {
    /// One JSON object per line.
    #[default]
    Ndjson,
    /// Comma-separated values in UTF-8.
    Csv,
}

/// Whether cells are made safe for spreadsheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum FormulaGuard {
    /// They are.
    On,
    /// They are as they came.
    Off,
}

/// An event as it is exported: as it was sent, and when it was received.
#[derive(Debug, Serialize, FromRow)]
struct ExportedEvent {
    event_id: Uuid,
    name: String,
    ts: DateTime<Utc>,
    received_at: DateTime<Utc>,
    session_id: Option<String>,
    actor_id: Option<String>,
    source: Option<String>,
    medium: Option<String>,
    campaign: Option<String>,
    country: Option<String>,
    device: Option<String>,
    path: Option<String>,
    value_minor: Option<i64>,
    currency: Option<String>,
    props: serde_json::Value,
}

/// The columns of a CSV file.
const COLUMNS: [&str; 15] = [
    "event_id",
    "name",
    "ts",
    "received_at",
    "session_id",
    "actor_id",
    "source",
    "medium",
    "campaign",
    "country",
    "device",
    "path",
    "value_minor",
    "currency",
    "props",
];

/// Events as a file.
///
/// By time, all of them: the file is made while it is sent. When the connection breaks, ask again with the id of the last
/// whole line in `after`. A file that ends early breaks the connection, it is never silently short.
#[utoipa::path(
    get, path = "/api/exports/events", tag = "exports",
    security(("bearer" = ["exports:read"])),
    params(ExportQuery),
    responses(
        (status = 200, description = "The file", content((String = "application/x-ndjson"), (String = "text/csv"))),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn export_events(
    State(app): State<AppState>,
    caller: Can<ExportsRead>,
    Query(wanted): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let (kind, name) = match wanted.format {
        ExportFormat::Ndjson => ("application/x-ndjson", "events.ndjson"),
        ExportFormat::Csv => ("text/csv; charset=utf-8", "events.csv"),
    };
    let source = Source::open(app, caller.into_caller(), wanted).await?;
    let parts = stream::try_unfold(source, |mut source| async move {
        match source.part().await {
            Ok(part) => Ok(part.map(|part| (part, source))),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "an export of events broke off");
                Err(std::io::Error::other("the export broke off"))
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// Where a file comes from.
struct Source {
    app: AppState,
    caller: Caller,
    name: Option<String>,
    until: DateTime<Utc>,
    format: ExportFormat,
    guarded: bool,
    /// The next event is behind this instant and id.
    after: (DateTime<Utc>, Uuid),
    begun: bool,
    ended: bool,
}

impl Source {
    async fn open(app: AppState, caller: Caller, wanted: ExportQuery) -> Result<Self, Problem> {
        let after = match wanted.after {
            None => (wanted.from.unwrap_or(DateTime::UNIX_EPOCH), Uuid::nil()),
            Some(id) => {
                let mut tx = app.core.db.read(&caller.scope).await?;
                let found: Option<DateTime<Utc>> = sqlx::query_scalar(
                    "-- analytics.tracked_events.instant\n\
                     SELECT min(ts) FROM analytics.tracked_events WHERE event_id = $1",
                )
                .bind(id.as_uuid())
                .fetch_one(tx.conn())
                .await
                .map_err(DbError::from)?;
                let text = "must be the id of an event that was exported";
                let unknown = || Problem::invalid_parameter("after", "unknown_event", text);
                (found.ok_or_else(unknown)?, id.as_uuid())
            }
        };
        Ok(Self {
            begun: wanted.after.is_some(),
            until: wanted.until.unwrap_or_else(|| app.core.sources.now()),
            name: wanted.name,
            format: wanted.format,
            guarded: wanted.formula_guard != Some(FormulaGuard::Off),
            after,
            ended: false,
            app,
            caller,
        })
    }

    /// The next part of the file.
    async fn part(&mut self) -> Result<Option<Vec<u8>>, DbError> {
        if self.ended {
            return Ok(None);
        }
        let events = self.page().await?;
        let full = events.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
        match events.last() {
            Some(last) if full => self.after = (last.ts, last.event_id),
            _ => self.ended = true,
        }
        let header = !std::mem::replace(&mut self.begun, true);
        let encoded = match self.format {
            ExportFormat::Ndjson => lines(&events),
            ExportFormat::Csv => table(&events, header, self.guarded),
        };
        encoded
            .map(Some)
            .map_err(|error| DbError::Other(sqlx::Error::Io(error)))
    }

    async fn page(&self) -> Result<Vec<ExportedEvent>, DbError> {
        let mut tx = self.app.core.db.read(&self.caller.scope).await?;
        Ok(query_as(
            "-- analytics.tracked_events.export\n\
             SELECT event_id, name, ts, received_at, session_id, actor_id, source, medium, campaign, country, device, path, \
                    value_minor, currency, props \
             FROM analytics.tracked_events \
             WHERE ts >= $1 AND (ts, event_id) > ($1, $2) AND ts < $3 AND ($4::text IS NULL OR name = $4) \
             ORDER BY ts, event_id LIMIT $5",
        )
        .bind(self.after.0)
        .bind(self.after.1)
        .bind(self.until)
        .bind(&self.name)
        .bind(PAGE)
        .fetch_all(tx.conn())
        .await?)
    }
}

fn lines(events: &[ExportedEvent]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    for event in events {
        serde_json::to_writer(&mut out, event)?;
        out.push(b'\n');
    }
    Ok(out)
}

fn table(events: &[ExportedEvent], header: bool, guarded: bool) -> std::io::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    if header {
        out.write_record(COLUMNS)?;
    }
    for event in events {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let texts = [
            event.event_id.to_string(),
            event.name.clone(),
            event.ts.to_rfc3339(),
            event.received_at.to_rfc3339(),
            text(&event.session_id),
            text(&event.actor_id),
            text(&event.source),
            text(&event.medium),
            text(&event.campaign),
            text(&event.country),
            text(&event.device),
            text(&event.path),
            event.value_minor.map(|n| n.to_string()).unwrap_or_default(),
            text(&event.currency),
            event.props.to_string(),
        ];
        if guarded {
            let cells: Vec<_> = texts.iter().map(|text| safe::cell(text)).collect();
            out.write_record(cells.iter().map(|cell| cell.as_bytes()))?;
        } else {
            out.write_record(&texts)?;
        }
    }
    out.into_inner().map_err(csv::IntoInnerError::into_error)
}
