//! The functions of the database that the search calls. They take the tenant from the transaction.

use bz_auth::Caller;
use bz_http::{Errors, Problem};
use bz_tenant::{DbError, TenantTx};
use serde_json::{Map, Value};
use sqlx::{FromRow, query_as};
use uuid::Uuid;

use super::{asked::Keys, sent::Sent};
use crate::{
    app::AppState,
    records::{self, RecordType, access, access::Sight},
};

/// Whose records of which types somebody sees.
#[derive(Debug, Default)]
pub(super) struct Seen {
    all: Vec<&'static str>,
    team: Vec<&'static str>,
    own: Vec<&'static str>,
    viewer: Uuid,
}

/// Of these types, what the caller sees: a type that the caller may not read at all is none of them.
pub(super) async fn seen(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    types: &[&'static RecordType],
) -> Result<Seen, DbError> {
    let mut seen = Seen {
        viewer: caller.user.as_uuid(),
        ..Seen::default()
    };
    for record in types {
        if !caller.permissions.allow(&format!("{}:read", record.plural)) {
            continue;
        }
        match access::reads(app, tx, caller, record).await? {
            Sight::All => seen.all.push(record.name),
            Sight::Team(_) => seen.team.push(record.name),
            Sight::Own(_) => seen.own.push(record.name),
            Sight::None => {}
        }
    }
    Ok(seen)
}

/// The types of these names; all when none is named.
///
/// # Errors
/// 422 for a name that is no type of record.
pub(super) fn types(
    sent: Sent,
    member: &'static str,
    names: &[String],
) -> Result<Vec<&'static RecordType>, Problem> {
    let of = |name: &String| {
        records::ALL
            .iter()
            .find(|record| record.name == name)
            .copied()
    };
    if let Some(unknown) = names.iter().find(|name| of(name).is_none()) {
        let known: Vec<&str> = records::ALL.iter().map(|record| record.name).collect();
        let text = format!("knows no {:.40}; it knows {}", unknown, known.join(", "));
        let mut errors = Errors::default();
        sent.fault(&mut errors, member, "", "unknown_type", text);
        return Err(Problem::validation(errors));
    }
    Ok(if names.is_empty() {
        records::ALL.to_vec()
    } else {
        names.iter().filter_map(of).collect()
    })
}

/// A record that was found.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub(super) struct Found {
    pub record_type: String,
    pub record_id: Uuid,
    pub score: f64,
    pub is_exact: bool,
}

/// By text, the best first.
pub(super) async fn text(
    tx: &mut TenantTx,
    asked: &str,
    keys: &Keys,
    seen: &Seen,
    (most, among): (i32, Option<&[Uuid]>),
) -> Result<Vec<Found>, DbError> {
    let found = query_as(
        "-- crm.search.text\n\
         SELECT record_type, record_id, score, is_exact FROM crm.search_text($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(asked)
    .bind(&keys.whole)
    .bind(&keys.beginnings)
    .bind(keys.record)
    .bind(&seen.all)
    .bind(&seen.team)
    .bind(&seen.own)
    .bind(seen.viewer)
    .bind(most)
    .bind(among);
    Ok(found.fetch_all(tx.conn()).await?)
}

/// By meaning, the nearest first.
pub(super) async fn near(
    tx: &mut TenantTx,
    (vector, model): (&str, &str),
    seen: &Seen,
    (most, exact_below): (i32, i32),
    among: Option<&[Uuid]>,
) -> Result<Vec<(String, Uuid)>, DbError> {
    // It sets what makes the planner take the index of vectors.
    tx.ends_here();
    let found = query_as(
        "-- crm.search.near\nSELECT record_type, record_id FROM crm.search_near($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(vector)
    .bind(model)
    .bind(&seen.all)
    .bind(&seen.team)
    .bind(&seen.own)
    .bind(seen.viewer)
    .bind(most)
    .bind(exact_below)
    .bind(among);
    Ok(found.fetch_all(tx.conn()).await?)
}

/// What is shown of a record.
#[derive(Debug, FromRow)]
pub(super) struct Shown {
    pub record_type: String,
    pub record_id: Uuid,
    pub title: String,
    pub subtitle: Option<String>,
    #[sqlx(json)]
    pub texts: Map<String, Value>,
}

/// What is shown of records that were found, in the same order.
pub(super) async fn show(
    tx: &mut TenantTx,
    found: &[Found],
    seen: &Seen,
) -> Result<Vec<Shown>, DbError> {
    let (types, ids): (Vec<&str>, Vec<Uuid>) = found
        .iter()
        .map(|found| (found.record_type.as_str(), found.record_id))
        .unzip();
    let shown = query_as(
        "-- crm.search.show\n\
         SELECT record_type, record_id, title, subtitle, texts FROM crm.search_show($1, $2, $3, $4, $5, $6)",
    )
    .bind(types)
    .bind(ids)
    .bind(&seen.all)
    .bind(&seen.team)
    .bind(&seen.own)
    .bind(seen.viewer);
    Ok(shown.fetch_all(tx.conn()).await?)
}

/// A suggestion.
#[derive(Debug, FromRow)]
pub(super) struct Title {
    pub record_type: String,
    pub record_id: Uuid,
    pub title: String,
    pub subtitle: Option<String>,
}

/// Titles by their beginning.
pub(super) async fn titles(
    tx: &mut TenantTx,
    asked: &str,
    seen: &Seen,
    most: i32,
) -> Result<Vec<Title>, DbError> {
    let titles = query_as(
        "-- crm.search.titles\n\
         SELECT record_type, record_id, title, subtitle FROM crm.search_titles($1, $2, $3, $4, $5, $6)",
    )
    .bind(asked)
    .bind(&seen.all)
    .bind(&seen.team)
    .bind(&seen.own)
    .bind(seen.viewer)
    .bind(most);
    Ok(titles.fetch_all(tx.conn()).await?)
}
