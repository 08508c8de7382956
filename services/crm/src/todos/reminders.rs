//! Reminders: when one is due, the event `todo.reminder` says so, once.

use std::time::Duration;

use bz_events::NewEvent;
use bz_kernel::{TenantId, TodoId, UserId};
use bz_service::{Job, Pace};
use bz_tenant::{DbError, TenantScope};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, query_as};
use uuid::Uuid;

use crate::{app::AppState, records::sql::Sql};

/// How often it is looked for what is due, and the pause when the database does not answer.
const PACE: Pace = Pace {
    idle: Duration::from_secs(1),
    failed: Duration::from_secs(5),
};
/// The most reminders of one turn, of one tenant and in all.
const MOST: (i32, i32) = (50, 500);

/// What a reminder says: ids and times, nothing that somebody wrote.
#[derive(Serialize, FromRow)]
struct Reminder {
    id: Uuid,
    version: i64,
    status: String,
    owner_id: Option<Uuid>,
    created_by: Uuid,
    remind_at: DateTime<Utc>,
}

/// The job that tells of reminders.
pub(crate) fn job(app: AppState) -> Job {
    Job::in_turns("todo-reminders", PACE, move |_| {
        let app = app.clone();
        async move { Ok(turn(&app).await? > 0) }
    })
}

/// Tells of what is due and answers how many reminders that were.
async fn turn(app: &AppState) -> Result<usize, DbError> {
    let mut told = 0;
    for (tenant, todo) in due(app).await? {
        told += usize::from(remind(app, tenant, todo).await?);
    }
    if told > 0 {
        app.wake();
    }
    Ok(told)
}

async fn due(app: &AppState) -> Result<Vec<(TenantId, TodoId)>, DbError> {
    let due = query_as(
        "-- crm.todos.reminders_due\nSELECT tenant_id, id FROM crm.reminders_due($1, $2, $3)",
    );
    let due = due.bind(app.core.sources.now()).bind(MOST.0).bind(MOST.1);
    let rows = app.core.db.due(due).await?;
    Ok(rows
        .into_iter()
        .map(|(tenant, id)| (tenant, id.into()))
        .collect())
}

/// Marks a reminder and tells of it in one transaction: it is told if and only if it is marked. False when somebody else
/// was faster, or the to-do has changed.
async fn remind(app: &AppState, tenant: TenantId, todo: TodoId) -> Result<bool, DbError> {
    let (core, now) = (&app.core, app.core.sources.now());
    let scope = TenantScope::new(tenant, None::<UserId>);
    let mut tx = core.db.tenant(&scope).await?;
    let mut sql = Sql::new("-- crm.todos.remind\nUPDATE crm.todos SET reminded_at = ");
    sql.bind(now).push(" WHERE id = ").bind(todo.as_uuid());
    sql.push(" AND remind_at <= ").bind(now);
    sql.push(
        " AND reminded_at IS NULL AND deleted_at IS NULL AND status IN ('open', 'in_progress') \
         RETURNING id, version, status, owner_id, created_by, remind_at",
    );
    let Some(data) = sql.fetch_optional::<Reminder>(&mut tx).await? else {
        return Ok(false);
    };
    let event = NewEvent {
        kind: "todo.reminder",
        actor: None,
        data,
    };
    bz_events::append(&mut tx, &core.sources, event).await?;
    tx.commit().await?;
    Ok(true)
}
