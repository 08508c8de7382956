//! A step of undoing an import: some of what it wrote.

use std::collections::HashMap;

use bz_events::NewEvent;
use bz_http::Problem;
use bz_kernel::UserId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::store;
use crate::{
    jobs::kinds::{Next, Step},
    records::{
        Record, Work,
        access::Sight,
        many::{self, Row},
    },
};

/// Records of a step.
const RECORDS: i64 = 1_000;
/// How many of the records that were left are listed.
const LISTED: usize = 1_000;
/// The kind of the event that tells of it.
const UNDONE: &str = "records.import_undone";

/// How far it is.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    after: Option<Uuid>,
    deleted: i64,
    restored: i64,
    /// Changed since, or gone.
    left: i64,
    changed_since: Vec<Uuid>,
}

/// What a record had before.
#[derive(Deserialize)]
#[serde(bound = "F: serde::de::DeserializeOwned")]
struct Before<F> {
    fields: F,
    extra: Map<String, Value>,
}

pub(super) async fn step<R: Record>(step: Step<'_>) -> Result<Next, Problem> {
    let Step { app, tx, job } = step;
    let mut state: State = serde_json::from_value(job.state.clone()).unwrap_or_default();
    let import: Uuid =
        serde_json::from_value(job.params["import_id"].clone()).map_err(Problem::internal)?;
    let written = store::written(tx, import, state.after, RECORDS).await?;
    let Some(last) = written.last() else {
        return Ok(Next::Done(json!({
            "deleted": state.deleted, "restored": state.restored, "left": state.left,
            "changed_since": state.changed_since,
        })));
    };
    state.after = Some(last.record_id);
    let ids: Vec<Uuid> = written.iter().map(|record| record.record_id).collect();
    let locked = many::lock::<R>(tx, Sight::All, &ids).await?;
    let locked: HashMap<Uuid, R> = locked
        .into_iter()
        .map(|record| (record.head().id, record))
        .collect();
    let (to_trash, to_restore) = sort(&written, &locked, &mut state)?;
    let user = UserId::from_uuid(job.created_by);
    let mut work = Work {
        app,
        tx,
        actor: user,
    };
    take_back::<R>(&mut work, import, &locked, (&to_trash, &to_restore)).await?;
    state.deleted += to_trash.len() as i64;
    state.restored += to_restore.len() as i64;
    job.done = state.deleted + state.restored + state.left;
    job.total = job.total.map(|total| total.max(job.done));
    job.state = serde_json::to_value(&state).map_err(Problem::internal)?;
    Ok(Next::More)
}

/// Records for the trash, and records as they were.
type Sorted<F> = (Vec<Uuid>, Vec<Row<F>>);

/// What goes into the trash, and what gets back what it had; the others are counted as left.
fn sort<R: Record>(
    written: &[store::Written],
    locked: &HashMap<Uuid, R>,
    state: &mut State,
) -> Result<Sorted<R::Fields>, Problem> {
    let (mut to_trash, mut to_restore) = (Vec::new(), Vec::new());
    for record in written {
        let id = record.record_id;
        let now = locked.get(&id).map(Record::head);
        let unchanged =
            now.is_some_and(|head| head.version == record.version && head.deleted_at.is_none());
        match &record.before {
            _ if !unchanged => {
                state.left += 1;
                if state.changed_since.len() < LISTED {
                    state.changed_since.push(id);
                }
            }
            None => to_trash.push(id),
            Some(before) => {
                let before: Before<R::Fields> =
                    serde_json::from_value(before.clone()).map_err(Problem::internal)?;
                let (fields, extra) = (before.fields, before.extra);
                to_restore.push(Row { id, fields, extra });
            }
        }
    }
    Ok((to_trash, to_restore))
}

async fn take_back<R: Record>(
    work: &mut Work<'_>,
    import: Uuid,
    locked: &HashMap<Uuid, R>,
    (to_trash, to_restore): (&[Uuid], &[Row<R::Fields>]),
) -> Result<(), Problem> {
    if to_trash.is_empty() && to_restore.is_empty() {
        return Ok(());
    }
    let now = work.now();
    many::delete::<R>(work.tx, now, to_trash).await?;
    let rows: Vec<&Row<R::Fields>> = to_restore.iter().collect();
    for record in many::update::<R>(work.tx, now, &rows).await? {
        record.written(work, locked.get(&record.head().id)).await?;
    }
    let counts = json!({ "deleted": to_trash.len(), "restored": to_restore.len() });
    let note = counts.as_object().cloned().unwrap_or_default();
    work.note::<R>(import, "import_undone", note, None).await?;
    let data = json!({
        "import_id": import, "record_type": R::TYPE.name, "deleted": to_trash.len(), "restored": to_restore.len()
    });
    let event = NewEvent {
        kind: UNDONE,
        actor: Some(work.actor),
        data,
    };
    bz_events::append(work.tx, &work.app.core.sources, event).await?;
    Ok(())
}
