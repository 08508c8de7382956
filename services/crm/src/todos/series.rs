//! A to-do that comes again: when one is done, the next one is made.

use bz_http::Problem;
use bz_kernel::TodoId;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use sqlx::FromRow;

use super::{CreateTodo, TODO, Todo, TodoStatus, completed::Completed, recurrence};
use crate::{
    links,
    records::{Record, Work, sql::Sql, store},
};

/// Where a to-do stands in its series.
#[derive(FromRow)]
struct Place {
    series_start: DateTime<Utc>,
    occurs_at: DateTime<Utc>,
    followed: bool,
}

/// Makes the to-do that follows one that was just done, unless there is one or the series is over.
pub(super) async fn go_on(work: &mut Work<'_>, done: &Todo) -> Result<(), Problem> {
    let Some(rule) = &done.recurrence else {
        return Ok(());
    };
    let mut sql = Sql::new(
        "-- crm.todos.place\nSELECT series_start, occurs_at, \
         EXISTS (SELECT FROM crm.todos AS n WHERE n.follows = t.id) AS followed FROM crm.todos AS t WHERE t.id = ",
    );
    sql.bind(done.id.as_uuid());
    let place: Place = sql.fetch_one(work.tx).await?;
    if place.followed {
        return Ok(());
    }
    let zone = recurrence::zone(done.time_zone.as_deref()).unwrap_or(Tz::UTC);
    let behind = place.occurs_at.max(over_by(work.now(), done, zone));
    let Some(next) = recurrence::next(rule, place.series_start, zone, behind) else {
        return Ok(());
    };
    let wanted = following(done, next, zone);
    let (id, actor, now) = (work.id(), work.actor, work.now());
    let made: Todo = store::insert(work.tx, id, actor, now, &wanted).await?;
    let mut sql = Sql::new("-- crm.todos.follow\nUPDATE crm.todos SET follows = ");
    sql.bind(done.id.as_uuid());
    sql.push(", series_start = ").bind(place.series_start);
    sql.push(", series_id = ")
        .bind(done.series_id.map(TodoId::as_uuid));
    sql.push(" WHERE id = ").bind(id);
    sql.execute(work.tx).await?;
    links::write(work, (TODO, id), &made.links, &[]).await?;
    work.tell(&made, Todo::TYPE.events[0], &[]).await?;
    Ok(())
}

/// Occurrences up to here are past: those before now, or before today for a to-do without a time.
fn over_by(now: DateTime<Utc>, todo: &Todo, zone: Tz) -> DateTime<Utc> {
    if todo.due_date.is_none() {
        return now;
    }
    let today = now.with_timezone(&zone).date_naive();
    let begun = recurrence::due(None, Some(today), zone).unwrap_or(now);
    begun - TimeDelta::seconds(1)
}

/// The same to-do for the next time.
fn following(done: &Todo, next: DateTime<Utc>, zone: Tz) -> CreateTodo {
    let due = recurrence::due(done.due_at, done.due_date, zone);
    let before = due.zip(done.remind_at).map(|(due, remind)| due - remind);
    let day = next.with_timezone(&zone).date_naive();
    CreateTodo {
        status: Some(TodoStatus::Open),
        completed: Completed(Some(false)),
        due_at: done.due_at.map(|_| next),
        due_date: done.due_date.map(|_| day),
        remind_at: before.map(|before| next - before),
        // What another system gave is the id of the one that is done.
        external_id: None,
        ..done.fields()
    }
}
