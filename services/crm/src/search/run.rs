//! One search: by text, by meaning, or both, joined by reciprocal rank.

use std::collections::HashMap;

use bz_auth::Caller;
use bz_http::{PageQuery, Problem};
use uuid::Uuid;

use super::{
    asked,
    find::{Group, Hit, Mode, SearchResults, Wanted},
    fragments,
    narrow::Narrow,
    store::{self, Found, Seen, Shown},
};
use crate::{app::AppState, records::filter::Filter};

/// With fewer records than this by text, `auto` looks by meaning too.
const FEW: usize = 5;
/// How many of the best are ranked, for the first pages and for those far behind.
const FIRST: i32 = 200;
const MOST: i32 = 1_000;
/// The most that are found by meaning.
const NEAREST: i32 = 100;
/// The constant of reciprocal rank, as in migration 0172.
const RANK: f64 = 60.0;

/// Searches.
pub(super) async fn run(
    app: &AppState,
    caller: &Caller,
    wanted: Wanted,
) -> Result<SearchResults, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let names: Vec<&str> = wanted.types.iter().map(|record| record.name).collect();
    let filters: Vec<&Filter> = wanted.filters.iter().map(|(_, filter)| filter).collect();
    let filters = serde_json::to_string(&filters).map_err(Problem::internal)?;
    let list = format!("search?{names:?}{filters}{:?}{}", wanted.mode, wanted.q);
    let page = PageQuery::new(Some(wanted.limit), wanted.cursor.clone())
        .open::<u16>(cursors, tenant, &list)?;
    let start = usize::from(page.after.unwrap_or(0));
    let end = start + usize::from(page.limit);
    let most = if end < FIRST.unsigned_abs() as usize {
        FIRST
    } else {
        MOST
    };

    let (mut found, seen, narrow) = by_text(app, caller, &wanted, most).await?;
    let asks = match wanted.mode {
        Mode::Text => false,
        Mode::Semantic | Mode::Hybrid => true,
        Mode::Auto => found.len() < FEW && !found.iter().any(|found| found.is_exact),
    };
    // No transaction is open while the sibling is asked.
    let vector = if asks {
        app.meaning.vector(&wanted.q).await
    } else {
        None
    };
    let mut mode_used = Mode::Text;
    let mut tx = app.core.db.read(&caller.scope).await?;
    if let Some(vector) = &vector {
        let limits = (NEAREST, app.meaning.exact_below);
        let asked = (vector.as_str(), app.meaning.model.as_str());
        let among = narrow.among.as_deref();
        let near = store::near(&mut tx, asked, &seen, limits, among).await?;
        mode_used = if wanted.mode == Mode::Semantic {
            Mode::Semantic
        } else {
            Mode::Hybrid
        };
        if wanted.mode == Mode::Semantic {
            found.clear();
        }
        found = fused(found, near);
        narrow.keep((app, &mut tx, caller), &mut found).await?;
    }
    let more = found.len() > end;
    let shown: Vec<Found> = found
        .into_iter()
        .skip(start)
        .take(usize::from(page.limit))
        .collect();
    let texts = store::show(&mut tx, &shown, &seen).await?;
    let hits = hits(&wanted.q, &shown, texts);
    let next_cursor = u16::try_from(end)
        .ok()
        .filter(|_| more)
        .map(|end| cursors.seal(tenant, &list, &end));
    let groups = wanted.group.then(|| grouped(&names, &hits));
    Ok(SearchResults {
        items: if wanted.group { Vec::new() } else { hits },
        groups,
        next_cursor,
        mode_used,
        degraded: asks && vector.is_none(),
    })
}

/// What the text finds, and whose records the caller sees. Looked for also when only the meaning is asked for, to fall
/// back on it.
async fn by_text<'a>(
    app: &AppState,
    caller: &Caller,
    wanted: &'a Wanted,
    most: i32,
) -> Result<(Vec<Found>, Seen, Narrow<'a>), Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let seen = store::seen(app, &mut tx, caller, &wanted.types).await?;
    let scope = (wanted.types.as_slice(), &wanted.filters);
    let narrow = Narrow::of((app, &mut tx, caller), wanted.sent, scope).await?;
    let most = if narrow.is_open() { MOST } else { most };
    let keys = asked::keys(&wanted.q);
    let among = (most, narrow.among.as_deref());
    let mut found = store::text(&mut tx, &wanted.q, &keys, &seen, among).await?;
    narrow.keep((app, &mut tx, caller), &mut found).await?;
    Ok((found, seen, narrow))
}

/// Adds what the meaning found: reciprocal rank, exact keys first.
fn fused(text: Vec<Found>, near: Vec<(String, Uuid)>) -> Vec<Found> {
    let mut all = text;
    let places: HashMap<(String, Uuid), usize> = all
        .iter()
        .enumerate()
        .map(|(place, found)| ((found.record_type.clone(), found.record_id), place))
        .collect();
    for (n, (record_type, record_id)) in near.into_iter().enumerate() {
        let place = f64::from(u32::try_from(n + 1).unwrap_or(u32::MAX));
        let score = 1.0 / (RANK + place);
        match places.get(&(record_type.clone(), record_id)) {
            Some(place) => all[*place].score += score,
            None => all.push(Found {
                record_type,
                record_id,
                score,
                is_exact: false,
            }),
        }
    }
    all.sort_by(|a, b| {
        b.is_exact
            .cmp(&a.is_exact)
            .then(b.score.total_cmp(&a.score))
    });
    all
}

fn hits(query: &str, found: &[Found], shown: Vec<Shown>) -> Vec<Hit> {
    let scores: HashMap<(&str, Uuid), f64> = found
        .iter()
        .map(|found| ((found.record_type.as_str(), found.record_id), found.score))
        .collect();
    shown
        .into_iter()
        .map(|row| Hit {
            score: scores
                .get(&(row.record_type.as_str(), row.record_id))
                .copied()
                .unwrap_or_default(),
            matched: fragments::matched(query, &row.texts),
            r#type: row.record_type,
            id: row.record_id,
            title: row.title,
            subtitle: row.subtitle,
        })
        .collect()
}

/// By type, in the order of the types.
fn grouped(names: &[&str], hits: &[Hit]) -> Vec<Group> {
    let of = |name: &&str| Group {
        r#type: (*name).to_owned(),
        items: hits
            .iter()
            .filter(|hit| hit.r#type == *name)
            .cloned()
            .collect(),
    };
    names
        .iter()
        .map(of)
        .filter(|group| !group.items.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_find_comes_before_what_one_finds_and_exact_keys_before_all() {
        let found = |n: u128, score, is_exact| Found {
            record_type: "lead".to_owned(),
            record_id: Uuid::from_u128(n),
            score,
            is_exact,
        };
        let near = [3, 2, 4].map(|n| ("lead".to_owned(), Uuid::from_u128(n)));
        let fused = fused(
            vec![found(1, 0.016, true), found(2, 0.016, false)],
            near.to_vec(),
        );
        let order: Vec<u128> = fused
            .iter()
            .map(|found| found.record_id.as_u128())
            .collect();
        assert_eq!(order, [1, 2, 3, 4]);
    }
}
