//! Scores of many leads, made together: what they take is read once for all of them.

use std::collections::HashMap;

use bz_http::Problem;
use uuid::Uuid;

use super::{
    BulkResult,
    each::{done, refused},
};
use crate::{
    problems,
    records::{Head, Record, Work, access::Sight, many},
    scoring::rescore,
};

/// Makes the scores of these leads anew. Like any score it changes no version.
pub(super) async fn make<R: Record>(
    work: &mut Work<'_>,
    sight: Sight,
    ids: &[Uuid],
) -> Result<Vec<BulkResult>, Problem> {
    let locked = many::lock::<R>(work.tx, sight, ids).await?;
    let heads: HashMap<Uuid, Head> = locked
        .iter()
        .map(|record| (record.head().id, record.head()))
        .collect();
    let result = |id: &Uuid| match heads.get(id) {
        Some(head) => match (head.merged_into, head.deleted_at) {
            (Some(into), _) => refused(*id, &problems::merged(into)),
            (None, Some(_)) => refused(*id, &Problem::not_found()),
            (None, None) => done(*id, head.version),
        },
        None => refused(*id, &Problem::not_found()),
    };
    let results: Vec<BulkResult> = ids.iter().map(result).collect();
    let there = results.iter().filter(|result| result.code.is_none());
    let there: Vec<Uuid> = there.map(|result| result.id).collect();
    let scored = rescore::within(work.app, work.tx, &there).await;
    scored.map_err(rescore::problem)?;
    Ok(results)
}
