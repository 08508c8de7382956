//! Ordering a report: what it shows is settled then, so that a change of the dashboard does not change it any more.

use bz_http::{Errors, Problem};
use bz_tenant::TenantTx;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{
    resource::{CreateReport, Deliver, Format, Plan, Report},
    store::{self, NewReport},
};
use crate::{
    app::AppState,
    charts::Locale,
    dashboards::{Tile, View},
    query::Query,
};

/// How long the files of a report are kept.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Orders a report in the transaction at hand; none when the schedule has ordered one for that time.
///
/// # Errors
/// 422 when there is no such dashboard, or nothing on it.
pub(crate) async fn report(
    app: &AppState,
    tx: &mut TenantTx,
    by: Uuid,
    wanted: &CreateReport,
    schedule: Option<(Uuid, DateTime<Utc>)>,
) -> Result<Option<Report>, Problem> {
    let (title, view, tiles) = content(tx, wanted).await?;
    let plan = Plan {
        tiles,
        view,
        locale: wanted.locale,
        formula_guard: wanted.formula_guard,
        deliver: wanted.deliver.clone(),
    };
    insert(app, tx, by, (&title, &plan, &wanted.formats), schedule).await
}

/// Orders the answer to a question as a report, when it takes longer than somebody waits; the one that is not done when the
/// same is asked again.
pub(crate) async fn of_question(
    app: &AppState,
    tx: &mut TenantTx,
    by: Uuid,
    query: &Query,
) -> Result<Report, Problem> {
    let (tile, view) = Tile::of_question(query);
    let title = tile.title.clone();
    let plan = Plan {
        tiles: vec![tile],
        view,
        locale: Locale::default(),
        formula_guard: true,
        deliver: Deliver::default(),
    };
    if let Some(open) = store::open(tx, &plan).await? {
        return Ok(open.shown(&[]));
    }
    let made = insert(app, tx, by, (&title, &plan, &[Format::Json]), None).await?;
    made.ok_or_else(|| Problem::internal("a report without a schedule was there before"))
}

async fn insert(
    app: &AppState,
    tx: &mut TenantTx,
    by: Uuid,
    (title, plan, formats): (&str, &Plan, &[Format]),
    schedule: Option<(Uuid, DateTime<Utc>)>,
) -> Result<Option<Report>, Problem> {
    let now = app.core.sources.now();
    let new = NewReport {
        id: app.core.sources.id(),
        title,
        plan,
        formats,
        schedule,
        by,
        at: now,
        expires_at: now + KEPT,
    };
    let row = store::insert(tx, &new).await?;
    Ok(row.map(|row| row.shown(&[])))
}

/// Title, view and tiles: those of the request, else those of the dashboard.
async fn content(
    tx: &mut TenantTx,
    wanted: &CreateReport,
) -> Result<(String, View, Vec<Tile>), Problem> {
    let title = wanted.title.as_deref().map(|title| title.trim().to_owned());
    let Some(id) = wanted.dashboard_id else {
        let tiles = wanted.tiles.clone().unwrap_or_default();
        return Ok((
            title.unwrap_or_default(),
            wanted.view.clone().unwrap_or_default(),
            tiles,
        ));
    };
    let found = store::dashboard(tx, id).await?;
    let (name, view, tiles) = found.ok_or_else(|| {
        Problem::invalid(
            "/dashboard_id",
            "unknown_dashboard",
            "must be a dashboard of this tenant",
        )
    })?;
    let tiles: Vec<Tile> = read(tiles)?;
    if tiles.is_empty() {
        let mut errors = Errors::default();
        errors.add("/dashboard_id", "empty_dashboard", "has no tiles");
        return Err(Problem::validation(errors));
    }
    let view = match &wanted.view {
        Some(view) => view.clone(),
        None => read(view)?,
    };
    Ok((title.unwrap_or(name), view, tiles))
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(Problem::internal)
}
