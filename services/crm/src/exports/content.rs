use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use bz_auth::{Caller, Can};
use bz_http::{Path, Problem};
use futures_util::stream;
use uuid::Uuid;

use super::{ExportsRead, Format, Plan, encode::Encoder, plan, table, visible};
use crate::{
    app::AppState,
    jobs::{JobId, kinds::of_type, store::JobRow},
    records::{Record, access, custom, filter::Context, sql::Sql},
};

/// Records of a page.
const PAGE: i64 = 1_000;

/// The file of an export.
///
/// It is made while it is sent, from the records that are there and that the caller sees. A cell that a spreadsheet would
/// take for a formula begins with `'`.
#[utoipa::path(
    get, path = "/api/exports/{id}/content", tag = "exports",
    security(("bearer" = ["exports:read"])),
    params(("id" = JobId, Path, description = "Its id")),
    responses(
        (status = 200, description = "The file", content(
            (String = "text/csv"), (String = "application/x-ndjson"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_export_content(
    State(app): State<AppState>,
    caller: Can<ExportsRead>,
    Path(id): Path<JobId>,
) -> Result<Response, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let row = visible(&mut tx, &caller, id).await?;
    drop(tx);
    let name = row.record_type.clone();
    of_type!(name.as_deref(), R => file::<R>(app, caller.into_caller(), &row).await)
}

async fn file<R: Record>(app: AppState, caller: Caller, row: &JobRow) -> Result<Response, Problem> {
    let permission = format!("{}:read", R::TYPE.plural);
    if !caller.permissions.allow(&permission) {
        return Err(Problem::forbidden().detail(format!("This needs {permission}.")));
    }
    let plan = plan(row)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let definitions = custom::definitions(&app, &mut tx).await?;
    drop(tx);
    let chosen = plan.columns.as_ref();
    let columns = match chosen {
        Some(names) => names
            .iter()
            .filter_map(|name| table::column(name, R::TYPE, &definitions))
            .collect(),
        None => table::all(R::TYPE, &definitions),
    };
    let encoder = Encoder::new(plan.format, columns, chosen.is_some());
    let (kind, ending) = match plan.format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Ndjson => ("application/x-ndjson", "ndjson"),
        Format::Xlsx => (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "xlsx",
        ),
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}.{ending}\"", R::TYPE.plural),
        ),
    ];
    let source = Source {
        app,
        caller,
        plan,
        encoder,
        place: Place::Start,
    };
    let parts = stream::try_unfold(source, |mut source| async move {
        match source.part::<R>().await {
            Ok(part) => Ok(part.map(|part| (part, source))),
            Err(problem) => {
                tracing::warn!(problem = ?problem, "an export broke off");
                Err(std::io::Error::other("the export broke off"))
            }
        }
    });
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// How far a file is.
enum Place {
    Start,
    After(Uuid),
    End,
}

struct Source {
    app: AppState,
    caller: Caller,
    plan: Plan,
    encoder: Encoder,
    place: Place,
}

impl Source {
    /// The next part of the file.
    async fn part<R: Record>(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let (mut part, after) = match self.place {
            Place::Start => (self.encoder.start().map_err(Problem::internal)?, None),
            Place::After(id) => (Vec::new(), Some(id)),
            Place::End => return Ok(None),
        };
        let records = self.page::<R>(after).await?;
        let objects: Vec<_> = records
            .iter()
            .map(table::object)
            .collect::<Result<_, _>>()?;
        part.extend(self.encoder.rows(&objects).map_err(Problem::internal)?);
        let full = records.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
        self.place = match records.last() {
            Some(last) if full => Place::After(last.head().id),
            _ => Place::End,
        };
        if let Place::End = self.place {
            part.extend(self.encoder.end().map_err(Problem::internal)?);
        }
        Ok(Some(part))
    }

    async fn page<R: Record>(&self, after: Option<Uuid>) -> Result<Vec<R>, Problem> {
        let (app, caller) = (&self.app, &self.caller);
        let mut tx = app.core.db.read(&caller.scope).await?;
        let sight = access::reads(app, &mut tx, caller, R::TYPE).await?;
        let custom = custom::definitions(app, &mut tx).await?;
        let (table, columns) = (R::TYPE.table, R::columns());
        let mut sql = Sql::new(format!(
            "-- {table}.export\nSELECT {columns} FROM {table} WHERE deleted_at IS NULL"
        ));
        sight.push(&mut sql);
        let context = Context {
            record: R::TYPE,
            custom: &custom,
            me: caller.user,
        };
        self.plan.filter.push(context, &mut sql)?;
        if let Some(after) = after {
            sql.push(" AND id > ").bind(after);
        }
        sql.push(" ORDER BY id LIMIT ").bind(PAGE);
        Ok(sql.fetch_all(&mut tx).await?)
    }
}
