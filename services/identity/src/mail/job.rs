//! Sends what is due: claims a few mails, sends them with no transaction open, notes what became of each.

use std::{sync::atomic::Ordering, time::Duration};

use bz_kernel::error_chain;
use bz_mail::SendError;
use bz_service::{Job, retention};
use bz_tenant::{DbError, TenantScope};
use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::{
    message,
    store::{self, Claimed, Outcome},
    template::Template,
};
use crate::app::AppState;

/// How often mails are looked for when nobody says that there are some.
const EVERY: Duration = Duration::from_secs(2);
/// How many are taken at once.
const BATCH: i32 = 10;
/// How long a mail belongs to who took it; longer than a batch takes with a slow server.
const LEASE: TimeDelta = TimeDelta::minutes(10);
/// When a mail is given up, counted from when it was written.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::days(1);
/// How long mails are kept, without what they said.
const KEPT_FOR: TimeDelta = TimeDelta::days(8);

/// The jobs of mail: sending, and deleting what is old.
pub(crate) fn jobs(app: &AppState) -> [Job; 2] {
    let (sender, keeper) = (app.clone(), app.clone());
    [
        Job::new("mails", async move |stop| {
            run(&sender, &stop).await;
            Ok(())
        }),
        retention::job("retention-mails", move || purge(keeper.clone())),
    ]
}

async fn run(app: &AppState, stop: &CancellationToken) {
    if !app.mail.0.transport.is_configured() {
        tracing::warn!(
            "MAIL_URL is not set: mails wait, and nobody can verify an address or reset a password"
        );
        stop.cancelled().await;
        return;
    }
    while !stop.is_cancelled() {
        match send_due(app, stop).await {
            Ok(BATCH) => continue,
            Ok(_) => {}
            Err(error) => {
                let error = error_chain(&error);
                tracing::warn!(error, "mails could not be read; they are tried again");
            }
        }
        let woken = tokio::time::timeout(EVERY, app.mail.0.wake.notified());
        let _stopped = stop.run_until_cancelled(woken).await;
    }
}

/// Sends one batch; answers how many mails it had.
async fn send_due(app: &AppState, stop: &CancellationToken) -> Result<i32, DbError> {
    let now = app.core.sources.now();
    let mut tx = app.core.db.system().await?;
    let claimed = store::claim(&mut tx, now, now + LEASE, BATCH).await?;
    tx.commit().await?;
    let mut sent = 0;
    for mail in claimed {
        let outcome = if stop.is_cancelled() {
            // Not begun: another process may have it at once.
            Outcome::Again(now)
        } else {
            attempt(app, &mail).await
        };
        report(app, &mail, outcome).await?;
        sent += 1;
    }
    Ok(sent)
}

async fn report(app: &AppState, mail: &Claimed, outcome: Outcome) -> Result<(), DbError> {
    let mut tx = app
        .core
        .db
        .tenant(&TenantScope::new(mail.tenant, None))
        .await?;
    store::report(&mut tx, mail.id, outcome, app.core.sources.now()).await?;
    tx.commit().await
}

async fn attempt(app: &AppState, mail: &Claimed) -> Outcome {
    let now = app.core.sources.now();
    let content = app.mail.open(mail.id, &mail.sealed);
    let (Some(content), Some(template)) = (content, Template::named(&mail.template)) else {
        tracing::error!(mail.id = %mail.id, mail.template, "a mail cannot be read with this platform secret; it is given up");
        return Outcome::GivenUp;
    };
    let message = match message::make(&app.mail, mail.id, template, &content, mail.created_at) {
        Ok(message) => message,
        Err(error) => {
            let error = error_chain(&error);
            tracing::error!(mail.id = %mail.id, mail.template, error, "a mail cannot be made; it is given up");
            return Outcome::GivenUp;
        }
    };
    let result = app.mail.0.transport.send(mail.id, message).await;
    let is_failing = matches!(&result, Err(SendError::Smtp(_) | SendError::Io(_)));
    app.mail.0.is_failing.store(is_failing, Ordering::Relaxed);
    let Err(error) = result else {
        tracing::info!(mail.id = %mail.id, mail.template, mail.attempts = mail.attempts, "a mail was sent");
        return Outcome::Sent;
    };
    let outcome = after(&error, mail, now);
    let error = error_chain(&error);
    let given_up = outcome == Outcome::GivenUp;
    tracing::warn!(mail.id = %mail.id, mail.template, mail.attempts = mail.attempts, given_up, error, "a mail was not sent");
    outcome
}

/// Whether and when a mail that did not leave is tried again: after 10 s, 40 s, 160 s, .. an hour at most.
fn after(error: &SendError, mail: &Claimed, now: DateTime<Utc>) -> Outcome {
    let exponent = u32::try_from(mail.attempts - 1).unwrap_or(0).min(5);
    let pause = TimeDelta::seconds((10 * 4_i64.pow(exponent)).min(3600));
    let is_refused = matches!(error, SendError::Refused(_));
    if is_refused || now + pause > mail.created_at + GIVEN_UP_AFTER {
        Outcome::GivenUp
    } else {
        Outcome::Again(now + pause)
    }
}

async fn purge(app: AppState) -> Result<i64, DbError> {
    let before = app.core.sources.now() - KEPT_FOR;
    let mut tx = app.core.db.system().await?;
    let deleted = store::purge(&mut tx, before, retention::BATCH).await?;
    tx.commit().await?;
    Ok(deleted)
}
