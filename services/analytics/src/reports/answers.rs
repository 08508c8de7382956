//! The numbers of a report.

use bz_http::Problem;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use http::StatusCode;
use sqlx::query;

use super::{
    document::{Answer, Document, Failure, Part},
    resource::Plan,
};
use crate::{
    dashboards::{Tile, answer_tiles},
    query::{Effort, Frame},
    version,
};

/// Reads the numbers of every tile, all from one snapshot. A tile that cannot be answered says why, and the others have
/// their numbers.
///
/// # Errors
/// When the database did not answer: another try may have all the numbers, and nobody gets a report without them.
pub(super) async fn document(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    title: &str,
    plan: &Plan,
) -> Result<Document, Problem> {
    take_time(tx).await?;
    let data_version = version::current(tx).await?;
    let answers = answer_tiles(tx, now, &plan.tiles, &plan.view, Effort::Job).await;
    let parts = plan.tiles.iter().zip(answers);
    let parts: Vec<Part> = parts
        .map(|(tile, answer)| part(tile, answer))
        .collect::<Result<_, _>>()?;
    let document = Document {
        title: title.to_owned(),
        locale: plan.locale,
        from: None,
        to: None,
        compared: None,
        timezone: plan
            .view
            .timezone
            .clone()
            .unwrap_or_else(|| "UTC".to_owned()),
        as_of: now,
        data_version,
        partial_period: false,
        parts,
    };
    Ok(document.described())
}

/// A worker counts millions of events one by one, which takes longer than a request may.
async fn take_time(tx: &mut TenantTx) -> Result<(), DbError> {
    tx.ends_here();
    query("SET LOCAL statement_timeout = '2min'")
        .execute(tx.conn())
        .await?;
    Ok(())
}

fn part(tile: &Tile, answer: Result<Frame, Problem>) -> Result<Part, Problem> {
    let answer = match answer {
        Ok(frame) => Answer::Frame(frame),
        Err(problem) if problem.status() == StatusCode::SERVICE_UNAVAILABLE => return Err(problem),
        Err(problem) => Answer::Problem(Failure::of(&problem)),
    };
    Ok(Part {
        id: tile.id.clone(),
        title: tile.title.clone(),
        chart: tile.chart,
        layout: tile.layout,
        answer,
    })
}
