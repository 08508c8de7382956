//! A report on its way to who gets it: an event for the receivers of webhooks, a mail for each address. Both are written in
//! the transaction that ends the report, so none is lost and none tells of what is not there.

use std::time::Duration;

use bz_events::NewEvent;
use bz_kernel::TenantId;
use bz_mail::SendError;
use bz_service::Job;
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sqlx::{FromRow, query, query_as};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    letter::{self, Letter},
    resource::ReportStatus,
    store::{self, ReportRow},
};
use crate::app::AppState;

/// How often mails are looked for when nobody says that there are some.
const EVERY: Duration = Duration::from_secs(2);
/// How many are taken at once.
const BATCH: usize = 5;
/// How long a mail belongs to who took it; longer than a batch takes with a slow server.
const LEASE: TimeDelta = TimeDelta::minutes(10);
/// When a mail is given up, counted from when it was written.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::days(1);

/// What is told of a report that is done.
#[derive(Serialize)]
struct Told {
    report_id: Uuid,
    status: &'static str,
    schedule_id: Option<Uuid>,
}

/// Sends a report that is done on its way, in the transaction that ends it.
pub(super) async fn begin(
    app: &AppState,
    tx: &mut TenantTx,
    row: &ReportRow,
    status: ReportStatus,
) -> Result<(), DbError> {
    let sources = &app.core.sources;
    let succeeded = status == ReportStatus::Succeeded;
    let event = NewEvent {
        kind: if succeeded {
            "report.succeeded"
        } else {
            "report.failed"
        },
        actor: None,
        data: Told {
            report_id: row.id,
            status: status.as_str(),
            schedule_id: row.schedule_id,
        },
    };
    bz_events::append(tx, sources, event).await?;
    if !succeeded {
        return Ok(());
    }
    let mut addresses = row.plan.deliver.mail.clone();
    addresses.sort();
    addresses.dedup();
    for address in addresses {
        query(
            "-- analytics.mails.insert\n\
             INSERT INTO analytics.mails (id, report_id, address, status, due_at, created_at) \
             VALUES ($1, $2, $3, 'pending', $4, $4) ON CONFLICT (tenant_id, report_id, address) WHERE report_id IS NOT NULL DO NOTHING",
        )
        .bind(sources.id::<Uuid>())
        .bind(row.id)
        .bind(address)
        .bind(sources.now())
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}

/// The job that sends mails.
pub(super) fn job(app: &AppState) -> Job {
    let app = app.clone();
    Job::new("report-mails", async move |stop| {
        run(&app, &stop).await;
        Ok(())
    })
}

async fn run(app: &AppState, stop: &CancellationToken) {
    if !app.reports.transport().is_configured() {
        tracing::warn!("MAIL_URL is not set: reports that somebody should get by mail wait");
        stop.cancelled().await;
        return;
    }
    while !stop.is_cancelled() {
        match send_due(app, stop).await {
            Ok(BATCH) => continue,
            Ok(_) => {}
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "mails of reports could not be read; they are tried again"
                );
            }
        }
        let _stopped = stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

async fn send_due(app: &AppState, stop: &CancellationToken) -> Result<usize, DbError> {
    let now = app.core.sources.now();
    let taken = store::mails_due(&app.core.db, now, now + LEASE, BATCH).await?;
    let count = taken.len();
    for (tenant, id) in taken {
        if !stop.is_cancelled() {
            attempt(app, tenant, id).await?;
        }
    }
    Ok(count)
}

/// A mail that was taken.
#[derive(FromRow)]
struct Mail {
    report_id: Option<Uuid>,
    subject: Option<String>,
    body: Option<String>,
    address: String,
    attempts: i32,
    created_at: DateTime<Utc>,
}

/// What became of an attempt.
enum Outcome {
    Sent,
    GivenUp(&'static str),
    Again(DateTime<Utc>, &'static str),
}

/// Makes one attempt, with no transaction open while the server is spoken to.
async fn attempt(app: &AppState, tenant: TenantId, id: Uuid) -> Result<(), DbError> {
    let scope = TenantScope::new(tenant, None);
    let mut tx = app.core.db.read(&scope).await?;
    let sql = "-- analytics.mails.find\n\
               SELECT report_id, subject, body, address, attempts, created_at FROM analytics.mails WHERE id = $1 AND status = 'pending'";
    let found: Option<Mail> = query_as(sql).bind(id).fetch_optional(tx.conn()).await?;
    let Some(mail) = found else { return Ok(()) };
    let letter = match mail.report_id {
        Some(report) => letter::of_report(&mut tx, report).await?,
        None => Some(Letter::of_text(mail.subject.clone(), mail.body.clone())),
    };
    drop(tx);
    let now = app.core.sources.now();
    let outcome = match letter
        .map(|letter| letter.message(id, app.reports.sender(), &mail.address, mail.created_at))
    {
        None => Outcome::GivenUp("report_gone"),
        Some(Err(error)) => {
            tracing::error!(mail.id = %id, error = %error, "a mail cannot be made; it is given up");
            Outcome::GivenUp("unmakable")
        }
        Some(Ok(message)) => match app.reports.transport().send(id, message).await {
            Ok(()) => Outcome::Sent,
            Err(error) => after(&error, &mail, now),
        },
    };
    report(app, &scope, id, &outcome, now).await
}

/// Whether and when a mail that did not leave is tried again: after 10 s, 40 s, 160 s, .. an hour at most.
fn after(error: &SendError, mail: &Mail, now: DateTime<Utc>) -> Outcome {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        mail.attempts = mail.attempts,
        "a report was not sent by mail"
    );
    let exponent = u32::try_from(mail.attempts - 1).unwrap_or(0).min(5);
    let pause = TimeDelta::seconds((10 * 4_i64.pow(exponent)).min(3600));
    if matches!(error, SendError::Refused(_)) {
        Outcome::GivenUp("refused")
    } else if now + pause > mail.created_at + GIVEN_UP_AFTER {
        Outcome::GivenUp("not_taken")
    } else {
        Outcome::Again(now + pause, "not_taken")
    }
}

async fn report(
    app: &AppState,
    scope: &TenantScope,
    id: Uuid,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let (status, due_at, error) = match outcome {
        Outcome::Sent => ("sent", now, None),
        Outcome::GivenUp(why) => ("failed", now, Some(*why)),
        Outcome::Again(at, why) => ("pending", *at, Some(*why)),
    };
    let mut tx = app.core.db.tenant(scope).await?;
    query(
        "-- analytics.mails.report\n\
         UPDATE analytics.mails SET status = $2, due_at = $3, error = $4, \
           finished_at = CASE WHEN $2 <> 'pending' THEN $5::timestamptz END \
         WHERE id = $1 AND status = 'pending'",
    )
    .bind(id)
    .bind(status)
    .bind(due_at)
    .bind(error)
    .bind(now)
    .execute(tx.conn())
    .await?;
    tx.commit().await
}
