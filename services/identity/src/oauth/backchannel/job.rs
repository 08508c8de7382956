//! Tells applications what is due: claims a few, calls them with no transaction open, notes what became of each.

use std::time::Duration;

use bytes::Bytes;
use bz_kernel::error_chain;
use bz_service::Job;
use bz_tenant::{DbError, TenantScope};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::try_join_all;
use http::{HeaderMap, HeaderValue, Method, header};
use tokio_util::sync::CancellationToken;

use super::{
    form,
    store::{self, Claimed, Outcome},
};
use crate::{app::AppState, oauth_clients};

/// How often the queue is looked at when nobody says that there is something.
const EVERY: Duration = Duration::from_secs(1);
/// How many are told at once.
const BATCH: i32 = 16;
/// How long one belongs to who took it; longer than the longest call.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// When an application is given up, counted from the end of the session: no access token lives as long.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::days(1);

/// The job.
pub(crate) fn job(app: &AppState) -> Job {
    let app = app.clone();
    Job::new("backchannel-logouts", async move |stop| {
        run(&app, &stop).await;
        Ok(())
    })
}

async fn run(app: &AppState, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        match tell_due(app).await {
            Ok(count) if count == BATCH.unsigned_abs() as usize => continue,
            Ok(_) => {}
            Err(error) => {
                let error = error_chain(&error);
                tracing::warn!(
                    error,
                    "applications could not be told of logouts; they are tried again"
                );
            }
        }
        let _stopped = stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

/// Tells one batch; answers how many it had.
async fn tell_due(app: &AppState) -> Result<usize, DbError> {
    let now = app.core.sources.now();
    let mut tx = app.core.db.system().await?;
    let claimed = store::claim(&mut tx, now, now + LEASE, BATCH).await?;
    tx.commit().await?;
    let told = try_join_all(claimed.iter().map(|ended| tell(app, ended))).await?;
    Ok(told.len())
}

async fn tell(app: &AppState, ended: &Claimed) -> Result<(), DbError> {
    let scope = TenantScope::new(ended.tenant, None);
    let mut tx = app.core.db.read(&scope).await?;
    let client = oauth_clients::store::find(&mut tx, ended.client).await?;
    drop(tx);
    let now = app.core.sources.now();
    let target = client.and_then(|client| Some((client.backchannel_logout_uri.clone()?, client)));
    let outcome = match target {
        // It does not want to know any more.
        None => Outcome::GivenUp,
        Some((uri, client)) => match form(app, &client, ended).await {
            Ok(body) => call(app, &uri, body, ended, now).await,
            Err(_) => again(ended, now),
        },
    };
    let mut tx = app.core.db.tenant(&scope).await?;
    store::report(&mut tx, ended.session, outcome, now).await?;
    tx.commit().await
}

/// Section 2.8: 200, and 204 from frameworks that answer nothing with it, say that it was done.
async fn call(
    app: &AppState,
    uri: &str,
    body: String,
    ended: &Claimed,
    now: DateTime<Utc>,
) -> Outcome {
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, form)]);
    let egress = &app.webhooks.egress;
    let answer = egress
        .send(Method::POST, uri, headers, Bytes::from(body))
        .await;
    let why = match answer {
        Ok(answer) if answer.status.is_success() => return Outcome::Told,
        Ok(answer) => answer.status.to_string(),
        Err(error) => error.code().to_owned(),
    };
    let outcome = again(ended, now);
    let given_up = outcome == Outcome::GivenUp;
    tracing::warn!(
        tenant.id = %ended.tenant, client.id = %ended.client, attempts = ended.attempts, given_up, why,
        "an application was not told of a logout"
    );
    outcome
}

/// After 5 s, 20 s, 80 s, .. an hour at most.
fn again(ended: &Claimed, now: DateTime<Utc>) -> Outcome {
    let exponent = u32::try_from(ended.attempts - 1).unwrap_or(0).min(5);
    let pause = TimeDelta::seconds((5 * 4_i64.pow(exponent)).min(3600));
    if now + pause > ended.created_at + GIVEN_UP_AFTER {
        Outcome::GivenUp
    } else {
        Outcome::Again(now + pause)
    }
}
