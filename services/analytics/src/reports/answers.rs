//! The numbers of a report.

use bz_http::Problem;
use bz_tenant::TenantTx;
use chrono::{DateTime, Utc};

use super::{
    document::{Answer, Document, Failure, Part},
    resource::Plan,
};
use crate::{
    dashboards::{Tile, answer_tiles},
    query::Effort,
    version,
};

/// Reads the numbers of every tile, all from one snapshot. A tile that cannot be answered says why, and the others have
/// their numbers.
pub(super) async fn document(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    title: &str,
    plan: &Plan,
) -> Result<Document, Problem> {
    let data_version = version::current(tx).await?;
    let answers = answer_tiles(tx, now, &plan.tiles, &plan.view, Effort::Job).await;
    let part = |(tile, answer): (&Tile, Result<_, Problem>)| Part {
        id: tile.id.clone(),
        title: tile.title.clone(),
        chart: tile.chart,
        layout: tile.layout,
        answer: match answer {
            Ok(frame) => Answer::Frame(frame),
            Err(problem) => Answer::Problem(Failure::of(&problem)),
        },
    };
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
        parts: plan.tiles.iter().zip(answers).map(part).collect(),
    };
    Ok(document.described())
}
