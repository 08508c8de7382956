//! SQL that finds candidates. Each key has an index; a key that very many share brings only some of them.

use bz_tenant::{DbError, TenantTx};
use uuid::Uuid;

use super::{Candidate, Key, Keys, keys_of, score::score, tail};
use crate::records::{Record, sql::Sql};

/// The most that one key brings.
const PER_KEY: i64 = 50;
/// The most candidates that are answered.
const MOST: usize = 20;
/// What is less sure than this is no candidate.
const LEAST: f64 = 0.3;

/// Records that are probably the same as this one, the surest first.
pub(crate) async fn candidates<R: Record>(
    tx: &mut TenantTx,
    keys: &Keys,
    but: Option<Uuid>,
) -> Result<Vec<Candidate<R>>, DbError> {
    found(tx, keys, but, &all(R::KEYS, keys), LEAST).await
}

/// Records that are surely the same: found by what only one person or organisation has.
pub(crate) async fn twins<R: Record>(
    tx: &mut TenantTx,
    keys: &Keys,
) -> Result<Vec<Candidate<R>>, DbError> {
    found(tx, keys, None, &strong(R::KEYS, keys), super::SAME).await
}

/// Lets nobody else look for the same at the same time, until the transaction ends: of two equal ones that come at once, the
/// second finds the first. Nothing to look for is no turn to the server.
pub(crate) async fn lock<R: Record>(tx: &mut TenantTx, keys: &Keys) -> Result<(), DbError> {
    let tenant = tx.scope().tenant();
    let mut names: Vec<String> = strong(R::KEYS, keys)
        .into_iter()
        .map(|(column, value)| format!("{tenant}:{}:{column}:{value}", R::TYPE.name))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    // Always in the same order, so that two requests never wait for each other.
    names.sort();
    let mut sql = Sql::new(
        "-- crm.duplicates.lock\nSELECT count(pg_advisory_xact_lock(hashtextextended(name, 0))) FROM unnest(",
    );
    sql.bind(names).push(") AS names (name)");
    sql.execute(tx).await?;
    Ok(())
}

/// Columns and values that only one person or organisation has.
fn strong(columns: &[Key], keys: &Keys) -> Vec<(&'static str, String)> {
    let of = |key: Key, column: &'static str, value: &Option<String>| {
        let value = value.clone().filter(|_| columns.contains(&key))?;
        Some((column, value))
    };
    let ending = keys.phone.as_deref().and_then(tail).map(ToOwned::to_owned);
    let phone = if ending.is_some() {
        of(Key::Phone, "phone_tail", &ending)
    } else {
        of(Key::Phone, "phone_norm", &keys.phone)
    };
    [
        keys.external_id.clone().map(|id| ("external_id", id)),
        of(Key::Email, "email_norm", &keys.email),
        phone,
        of(Key::OwnDomain, "domain", &keys.domain),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The same and what several may share.
fn all(columns: &[Key], keys: &Keys) -> Vec<(&'static str, String)> {
    let mut all = strong(columns, keys);
    if let Some(domain) = keys
        .domain
        .clone()
        .filter(|_| columns.contains(&Key::Domain))
    {
        all.push(("domain_norm", domain));
    }
    if let Some(name) = keys.name.clone().filter(|_| columns.contains(&Key::Name)) {
        all.push(("name_norm", name));
    }
    all
}

async fn found<R: Record>(
    tx: &mut TenantTx,
    keys: &Keys,
    but: Option<Uuid>,
    by: &[(&'static str, String)],
    least: f64,
) -> Result<Vec<Candidate<R>>, DbError> {
    if by.is_empty() {
        return Ok(Vec::new());
    }
    let records: Vec<R> = statement::<R>(by, but).fetch_all(tx).await?;
    let mut candidates: Vec<Candidate<R>> = records
        .into_iter()
        .filter_map(|record| {
            let (score, reasons) = score(keys, &keys_of::<R>(&record.fields()));
            (score >= least).then_some(Candidate {
                score,
                reasons,
                record,
            })
        })
        .collect();
    // The surest first; of equals the oldest.
    candidates.sort_by(|a, b| {
        let age = || a.record.head().id.cmp(&b.record.head().id);
        b.score.total_cmp(&a.score).then_with(age)
    });
    candidates.truncate(MOST);
    Ok(candidates)
}

fn statement<R: Record>(by: &[(&'static str, String)], but: Option<Uuid>) -> Sql {
    let (table, columns) = (R::TYPE.table, R::columns());
    let mut sql = Sql::new(format!(
        "-- {table}.candidates\nSELECT {columns} FROM {table} WHERE id IN ("
    ));
    for (n, (column, value)) in by.iter().enumerate() {
        if n > 0 {
            sql.push(" UNION ");
        }
        sql.push("(SELECT id FROM ").push(table).push(" WHERE ");
        sql.push(column).push(" = ").bind(value.clone());
        sql.push(" AND deleted_at IS NULL LIMIT ").bind(PER_KEY);
        sql.push(")");
    }
    sql.push(")");
    if let Some(but) = but {
        sql.push(" AND id <> ").bind(but);
    }
    sql
}
