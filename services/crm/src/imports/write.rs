//! Writes what the rows of a piece make: all at once, and one by one when the database refuses one of them.

use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use serde_json::{Map, Value, json};
use sqlx::Executor as _;
use uuid::Uuid;

use super::{
    batch::{Batch, Current, Draft, Fate, Line},
    cells::Fault,
    mapping::HISTORY,
    store::Written,
};
use crate::records::{
    Record, Work,
    many::{self, Row},
};

/// Writes the records and answers what was written.
pub(super) async fn write<R: Record>(
    batch: &mut Batch<'_, R>,
    work: &mut Work<'_>,
) -> Result<Vec<Written>, Problem> {
    let Batch {
        plan,
        drafts,
        lines,
        found,
        ..
    } = batch;
    let mut written = Vec::new();
    let mut created = insert(drafts, lines, work).await?;
    if plan.assign {
        R::settle(&mut created, work).await?;
    }
    for record in created {
        record.written(work, None).await?;
        written.push(entry(&record, None));
    }
    let mut changed: Vec<&Current<R>> = found
        .current
        .values()
        .filter(|it| !it.lines.is_empty())
        .collect();
    changed.sort_by_key(|current| current.after.id);
    let after = update(&changed, lines, work).await?;
    for record in after {
        let Some(current) = found.current.get(&record.head().id) else {
            continue;
        };
        record.written(work, Some(&current.before)).await?;
        let before = json!({
            "fields": serde_json::to_value(current.before.fields()).map_err(Problem::internal)?,
            "extra": history_of(&current.before)?,
        });
        written.push(entry(&record, Some(before)));
    }
    Ok(written)
}

fn entry<R: Record>(record: &R, before: Option<Value>) -> Written {
    let head = record.head();
    Written {
        record_id: head.id,
        version: head.version,
        before,
    }
}

/// How a record that is there ended, as columns.
pub(super) fn history_of<R: Record>(record: &R) -> Result<Map<String, Value>, Problem> {
    let value = serde_json::to_value(record).map_err(Problem::internal)?;
    let own = |name: &str| R::TYPE.field(name).is_some_and(|field| !field.written);
    let names = HISTORY[1..].iter().filter(|name| own(name));
    let columns = names.map(|name| {
        (
            (*name).to_owned(),
            value.get(*name).cloned().unwrap_or_default(),
        )
    });
    Ok(columns.collect())
}

async fn insert<R: Record>(
    drafts: &[Draft<R>],
    lines: &mut [Line],
    work: &mut Work<'_>,
) -> Result<Vec<R>, Problem> {
    let (by, now) = (work.actor, work.now());
    let rows: Vec<&Row<R::Fields>> = drafts.iter().map(|draft| &draft.row).collect();
    if let Ok(all) = attempt(work.tx, Write::<R>::Insert(by, now, &rows)).await? {
        return Ok(all);
    }
    let mut made = Vec::new();
    for draft in drafts {
        match attempt(work.tx, Write::<R>::Insert(by, now, &[&draft.row])).await? {
            Ok(one) => made.extend(one),
            Err(error) => refuse(&draft.lines, lines, &error),
        }
    }
    Ok(made)
}

async fn update<R: Record>(
    changed: &[&Current<R>],
    lines: &mut [Line],
    work: &mut Work<'_>,
) -> Result<Vec<R>, Problem> {
    let now = work.now();
    let rows: Vec<&Row<R::Fields>> = changed.iter().map(|current| &current.after).collect();
    if let Ok(all) = attempt(work.tx, Write::<R>::Update(now, &rows)).await? {
        return Ok(all);
    }
    let mut made = Vec::new();
    for current in changed {
        match attempt(work.tx, Write::<R>::Update(now, &[&current.after])).await? {
            Ok(one) => made.extend(one),
            Err(error) => refuse(&current.lines, lines, &error),
        }
    }
    Ok(made)
}

enum Write<'a, R: Record> {
    Insert(
        UserId,
        chrono::DateTime<chrono::Utc>,
        &'a [&'a Row<R::Fields>],
    ),
    Update(chrono::DateTime<chrono::Utc>, &'a [&'a Row<R::Fields>]),
}

/// Tries to write rows; what the database refuses leaves the transaction as it was. The inner error is the refusal.
async fn attempt<R: Record>(
    tx: &mut TenantTx,
    write: Write<'_, R>,
) -> Result<Result<Vec<R>, DbError>, DbError> {
    tx.conn().execute("SAVEPOINT rows").await?;
    let done = match write {
        Write::Insert(by, now, rows) => many::insert::<R>(tx, by, now, rows).await,
        Write::Update(now, rows) => many::update::<R>(tx, now, rows).await,
    };
    match done {
        Ok(records) => {
            tx.conn().execute("RELEASE SAVEPOINT rows").await?;
            Ok(Ok(records))
        }
        Err(error @ (DbError::Constraint { .. } | DbError::Other(_))) => {
            tx.conn().execute("ROLLBACK TO SAVEPOINT rows").await?;
            Ok(Err(error))
        }
        Err(error) => Err(error),
    }
}

/// The rows that made a record which the database refused.
fn refuse(made_by: &[usize], lines: &mut [Line], error: &DbError) {
    let fault = match error {
        DbError::Constraint { name, .. } if name.contains("external_id") => {
            Fault::of_row("not_unique", "has an external_id that another record has")
        }
        DbError::Constraint { name, .. } if name == "custom_values_unique_key" => Fault::of_row(
            "not_unique",
            "has a value that another record has, in a field whose values are unique",
        ),
        DbError::Constraint {
            kind: bz_tenant::ConstraintKind::ForeignKey,
            ..
        } => Fault::of_row("unknown_reference", "refers to something that is not there"),
        DbError::Constraint { .. } => Fault::of_row("conflict", "does not fit to what is there"),
        _ => Fault::of_row("out_of_range", "has a value that cannot be stored"),
    };
    for n in made_by {
        if matches!(lines[*n].fate, Fate::Created | Fate::Updated) {
            lines[*n].fail(vec![fault.clone()]);
        }
    }
}

/// The ids of records, for the look at what is there.
pub(super) fn ids(found: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = found.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
