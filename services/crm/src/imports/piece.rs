//! A step of an import: one piece, with its checkpoint.

use std::collections::{HashMap, HashSet};

use bz_events::NewEvent;
use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use serde_json::json;
use uuid::Uuid;

use super::{
    Progress,
    batch::{Batch, Current, Fate, Found, Line, key_text, lines},
    cells::Sheet,
    keys::{self, Key},
    plan::{Mode, OnDuplicate, Plan},
    store, write,
};
use crate::{
    deals,
    jobs::kinds::{Next, Step},
    records::{
        Record, Work,
        access::Sight,
        custom::{self, Definition},
        many::{self, Row},
    },
};

/// The kind of the event that tells of the records of a piece.
const IMPORTED: &str = "records.imported";

pub(super) async fn step<R: Record>(step: Step<'_>) -> Result<Next, Problem> {
    let Step { app, tx, job } = step;
    let mut progress = Progress::of(job);
    let Some(piece) = store::next_piece(tx, job.id).await? else {
        super::score(app, tx, job, progress).await?;
        return Ok(Next::Done(progress.result()));
    };
    let plan = Plan::of(job)?;
    let user = UserId::from_uuid(job.created_by);
    let definitions = custom::definitions(app, tx).await?;
    let sheet = Sheet::new(&plan, R::TYPE, &definitions);
    let own = definitions
        .iter()
        .filter(|field| field.record_type == R::TYPE.name);
    let own: Vec<&Definition> = own.collect();
    let named = plan
        .match_on
        .iter()
        .filter_map(|name| keys::of(R::TYPE, name));
    let keys: Vec<Key> = named.collect();
    let rows = bz_tabular::cells(&piece.content, plan.delimiter);
    let read = lines(rows, piece.first_row, &sheet, &keys)?;
    let found = find::<R>(tx, (job.id, user), &plan, &keys, &read).await?;
    let mut work = Work {
        app,
        tx,
        actor: user,
    };
    let mut batch: Batch<'_, R> = Batch::new((&plan, &sheet), &own, read, found);
    batch.decide(&mut work).await?;
    record(&mut batch, &mut work, job.id).await?;
    count(&batch.lines, &mut progress);
    job.done = progress.rows();
    job.state = serde_json::to_value(progress).map_err(Problem::internal)?;
    store::drop_piece(tx, job.id, piece.n).await?;
    Ok(Next::More)
}

/// Looks for what the rows are about.
async fn find<R: Record>(
    tx: &mut TenantTx,
    (import, user): (Uuid, UserId),
    plan: &Plan,
    keys: &[Key],
    lines: &[Line],
) -> Result<Found<R>, Problem> {
    let mut known = HashMap::new();
    for (n, key) in keys.iter().enumerate() {
        let all = lines.iter().flat_map(|line| &line.keys);
        let values: HashSet<&str> = all
            .filter(|(of, _)| *of == n)
            .map(|(_, value)| &**value)
            .collect();
        if !values.is_empty() {
            let values: Vec<&str> = values.into_iter().collect();
            let rows = store::known(tx, R::TYPE, *key, &values).await?;
            known.extend(rows.into_iter().map(|(value, id)| ((n, value), id)));
        }
    }
    let ids = write::ids(known.values().copied());
    let touched = store::touched(tx, import, &ids).await?;
    let changes = plan.mode != Mode::Create || plan.on_duplicate == OnDuplicate::Update;
    let current = if changes && !ids.is_empty() {
        current(tx, Sight::of(&plan.sight, user), &ids).await?
    } else {
        HashMap::new()
    };
    let mut seen = HashSet::new();
    if plan.dry_run {
        let all = lines.iter().flat_map(|line| &line.keys);
        let all: Vec<String> = all.map(key_text).collect();
        seen = store::seen(tx, import, &all).await?;
    }
    Ok(Found {
        known,
        current,
        touched,
        seen,
    })
}

/// The records that the user may change, locked.
async fn current<R: Record>(
    tx: &mut TenantTx,
    sight: Sight,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Current<R>>, Problem> {
    let mut all = HashMap::with_capacity(ids.len());
    for before in many::lock::<R>(tx, sight, ids).await? {
        let after = Row {
            id: before.head().id,
            fields: before.fields(),
            extra: write::history_of(&before)?,
        };
        let lines = Vec::new();
        all.insert(
            after.id,
            Current {
                before,
                after,
                lines,
            },
        );
    }
    Ok(all)
}

/// Writes the records, what belongs to them, and the rows that failed.
async fn record<R: Record>(
    batch: &mut Batch<'_, R>,
    work: &mut Work<'_>,
    import: Uuid,
) -> Result<(), Problem> {
    if batch.plan.dry_run {
        store::remember(work.tx, import, &batch.claimed()).await?;
    } else {
        let written = write::write(batch, work).await?;
        if !written.is_empty() {
            tell::<R>(work, import, &written).await?;
            store::insert_written(work.tx, import, written).await?;
        }
    }
    let failed = batch.lines.iter().filter(|line| line.fate == Fate::Failed);
    let failed: Vec<store::Failed<'_>> = failed
        .map(|line| store::Failed {
            import_id: import,
            row_number: line.number,
            errors: &line.faults,
            cells: line.cells.iter().collect(),
        })
        .collect();
    if !failed.is_empty() {
        store::insert_failed(work.tx, failed).await?;
    }
    Ok(())
}

/// One event and one note for all of them.
async fn tell<R: Record>(
    work: &mut Work<'_>,
    import: Uuid,
    written: &[store::Written],
) -> Result<(), Problem> {
    let created = written
        .iter()
        .filter(|record| record.before.is_none())
        .count();
    let updated = written.len() - created;
    let counts = json!({ "created": created, "updated": updated });
    let note = counts.as_object().cloned().unwrap_or_default();
    work.note::<R>(import, "imported", note, None).await?;
    let data = json!({
        "import_id": import, "record_type": R::TYPE.name, "created": created, "updated": updated
    });
    let event = NewEvent {
        kind: IMPORTED,
        actor: Some(work.actor),
        data,
    };
    bz_events::append(work.tx, &work.app.core.sources, event).await?;
    if R::TYPE.name == deals::DEAL.name {
        let ids: Vec<Uuid> = written.iter().map(|record| record.record_id).collect();
        deals::told::imported(work, &ids).await?;
    }
    Ok(())
}

fn count(lines: &[Line], progress: &mut Progress) {
    for line in lines {
        match line.fate {
            Fate::Created => progress.created += 1,
            Fate::Updated => progress.updated += 1,
            Fate::Skipped => progress.skipped += 1,
            Fate::Failed => progress.failed += 1,
        }
    }
}
