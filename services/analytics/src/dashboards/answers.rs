//! The answers of all tiles of a dashboard, from one snapshot.

use bz_http::Problem;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::query;

use super::{Tile, TileQuery, View};
use crate::{
    analyses::{cohorts, funnels, retention},
    query::{Effort, Frame, Query, run_many},
};

/// Answers every tile, in their order: open `tx` with `Db::snapshot`. A tile that cannot be answered has its own problem,
/// and the others their numbers.
pub async fn answer_tiles(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    tiles: &[Tile],
    view: &View,
    effort: Effort,
) -> Vec<Result<Frame, Problem>> {
    let numbers: Vec<Query> = tiles
        .iter()
        .filter_map(|tile| match &tile.query {
            TileQuery::Numbers(query) => Some(query.over(view)),
            _ => None,
        })
        .collect();
    let mut numbers = run_many(tx, now, &numbers, effort).await.into_iter();
    let mut answers = Vec::with_capacity(tiles.len());
    for tile in tiles {
        answers.push(match &tile.query {
            TileQuery::Numbers(_) => numbers
                .next()
                .unwrap_or_else(|| Err(Problem::internal("fewer answers than questions"))),
            other => apart(tx, now, other, view).await,
        });
    }
    answers
}

/// One of the questions that are not for numbers of the catalogue. A statement that fails ends a transaction, so each is
/// tried behind a savepoint.
async fn apart(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    question: &TileQuery,
    view: &View,
) -> Result<Frame, Problem> {
    statement(tx, "SAVEPOINT tile").await?;
    let answer = match question {
        TileQuery::Cohorts(query) => cohorts::frame(tx, now, query, view).await,
        TileQuery::Retention(query) => retention::frame(tx, now, query, view).await,
        TileQuery::Funnel(query) => funnels::frame(tx, now, query, view).await,
        TileQuery::Numbers(_) => Err(Problem::internal("numbers are answered together")),
    };
    let ended = if answer.is_ok() {
        "RELEASE SAVEPOINT tile"
    } else {
        "ROLLBACK TO SAVEPOINT tile"
    };
    statement(tx, ended).await?;
    answer
}

async fn statement(tx: &mut TenantTx, sql: &'static str) -> Result<(), DbError> {
    query(sql).execute(tx.conn()).await?;
    Ok(())
}
