//! Looks at alerts: asks for the number, judges the pieces of time that are over since the last look, tells who is to be
//! told. What is told is written in the transaction that remembers the look, so it is told once.

use std::time::Duration;

use bz_events::NewEvent;
use bz_http::Problem;
use bz_kernel::TenantId;
use bz_service::Job;
use bz_tenant::{TenantScope, TenantTx};
use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    buckets::{self, Bucket, WEEKS},
    judge::{Finding, judge},
    resource::{Alert, Definition, Rule},
    state::{Standing, Tell},
    store::{self, Checked},
};
use crate::{
    app::AppState,
    query::{self, Align, Compare, Frame, Granularity, Query, Range},
    reports::Failure,
};

/// How often it is looked whether an alert is due.
const EVERY: Duration = Duration::from_secs(5);
/// How many are looked at in a row.
const BATCH: i32 = 20;
/// How often an alert is looked at: numbers of a piece of time that is over come in for a while.
const CHECK: TimeDelta = TimeDelta::minutes(5);
/// When an alert is looked at by somebody else if nothing was heard of it.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// The job.
pub(crate) fn job(app: &AppState) -> Job {
    let app = app.clone();
    Job::new("alerts", async move |stop| {
        run(&app, &stop).await;
        Ok(())
    })
}

async fn run(app: &AppState, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let now = app.core.sources.now();
        match store::due(&app.core.db, now, now + LEASE, BATCH).await {
            Ok(due) => {
                for (tenant, id) in due {
                    if let Err(problem) = look(app, tenant, id).await {
                        tracing::warn!(alert.id = %id, problem = ?problem, "an alert could not be looked at; it is tried again");
                    }
                }
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "alerts wait: the database cannot be asked");
            }
        }
        let _stopped = stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

async fn look(app: &AppState, tenant: TenantId, id: Uuid) -> Result<(), Problem> {
    let scope = TenantScope::new(tenant, None);
    let now = app.core.sources.now();
    let mut tx = app.core.db.snapshot(&scope).await?;
    let Some(alert) = store::find(&mut tx, id).await? else {
        return Ok(());
    };
    let answer = query::run(&mut tx, now, &question(&alert.definition, now)).await;
    drop(tx);
    let answer = match answer {
        Err(problem) if problem.status().is_server_error() => return Err(problem),
        answer => answer,
    };
    let mut tx = app.core.db.tenant(&scope).await?;
    // Somebody may have changed or deleted it meanwhile: then the answer is to another question.
    let Some((current, standing)) = store::standing(&mut tx, id)
        .await?
        .filter(|(it, _)| it.version == alert.version)
    else {
        return Ok(());
    };
    match answer {
        Ok(frame) => weigh(app, &mut tx, &current, standing, &frame, now).await?,
        Err(problem) => {
            let failure = Failure::of(&problem);
            let checked = checked(standing, now, None, Some(&failure));
            store::checked(&mut tx, id, &checked).await?;
        }
    }
    tx.commit().await?;
    app.wake();
    Ok(())
}

fn checked<'a>(
    standing: Standing,
    now: DateTime<Utc>,
    finding: Option<&'a Finding>,
    error: Option<&'a Failure>,
) -> Checked<'a> {
    Checked {
        standing,
        bucket: finding.map(|finding| finding.bucket.as_str()),
        finding,
        error,
        now,
        next_check_at: now + CHECK,
    }
}

/// Judges what is over since the last look; at the first look the last piece of time only.
async fn weigh(
    app: &AppState,
    tx: &mut TenantTx,
    alert: &Alert,
    mut standing: Standing,
    frame: &Frame,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let definition = &alert.definition;
    let zone: Tz = definition.timezone.parse().unwrap_or(Tz::UTC);
    let all = buckets::complete(frame, definition.granularity, zone, now);
    let seen = alert.last_bucket.as_deref();
    let new: Vec<&Bucket> =
        match seen.and_then(|seen| all.iter().position(|bucket| bucket.key == seen)) {
            Some(place) => all[place + 1..].iter().collect(),
            None => all.last().into_iter().collect(),
        };
    let cooldown = TimeDelta::minutes(i64::from(definition.cooldown_minutes));
    let mut last = None;
    for bucket in new {
        let Some(value) = bucket.value else { continue };
        let Some(finding) = judge(definition.rule, &bucket.key, value, &bucket.history(&all))
        else {
            continue;
        };
        let (next, told) = standing.after(finding.broken, definition.confirm, cooldown, now);
        standing = next;
        if let Some(what) = told {
            tell(app, tx, alert, &finding, what).await?;
        }
        last = Some(finding);
    }
    let checked = checked(standing, now, last.as_ref(), None);
    Ok(store::checked(tx, alert.id, &checked).await?)
}

/// The number over the time that the rule needs.
fn question(definition: &Definition, now: DateTime<Utc>) -> Query {
    let zone: Tz = definition.timezone.parse().unwrap_or(Tz::UTC);
    let today = now.with_timezone(&zone).date_naive();
    let back = match (definition.rule, definition.granularity) {
        (Rule::Band { .. }, _) => (WEEKS + 2) * 7,
        (_, Granularity::Hour) => 3,
        (_, Granularity::Week) => 28,
        _ => 14,
    };
    Query {
        metrics: vec![definition.metric.clone()],
        dimensions: Vec::new(),
        filters: definition.filters.clone(),
        range: Range::Days {
            from: today.checked_sub_days(Days::new(back)).unwrap_or(today),
            to: today,
        },
        timezone: Some(definition.timezone.clone()),
        granularity: Some(definition.granularity),
        compare: Compare::None,
        compare_align: Align::default(),
        order: Vec::new(),
        limit: Some(10_000),
        totals: false,
    }
}

/// What is told of an alert.
#[derive(Serialize)]
struct Told<'a> {
    alert_id: Uuid,
    metric: &'a str,
    #[serde(flatten)]
    finding: &'a Finding,
}

async fn tell(
    app: &AppState,
    tx: &mut TenantTx,
    alert: &Alert,
    finding: &Finding,
    what: Tell,
) -> Result<(), Problem> {
    let sources = &app.core.sources;
    let event = NewEvent {
        kind: match what {
            Tell::Firing => "alert.firing",
            Tell::Resolved => "alert.resolved",
        },
        actor: None,
        data: Told {
            alert_id: alert.id,
            metric: &alert.definition.metric,
            finding,
        },
    };
    bz_events::append(tx, sources, event).await?;
    let (subject, body) = text(alert, finding, what);
    for address in &alert.definition.mail {
        store::mail(tx, sources.id(), address, (&subject, &body), sources.now()).await?;
    }
    Ok(())
}

fn text(alert: &Alert, finding: &Finding, what: Tell) -> (String, String) {
    let word = match what {
        Tell::Firing => "Alert",
        Tell::Resolved => "Resolved",
    };
    let bound = |name: &str, value: Option<_>| {
        value.map(|value: rust_decimal::Decimal| format!("{name} {}", value.normalize()))
    };
    let expected: Vec<String> = [
        bound("at least", finding.low),
        bound("at most", finding.high),
    ]
    .into_iter()
    .flatten()
    .collect();
    let body = format!(
        "{}\n{} of {}: {}\nExpected: {}\nTime zone: {}",
        alert.name,
        alert.definition.metric,
        finding.bucket,
        finding.value.normalize(),
        expected.join(", "),
        alert.definition.timezone
    );
    (format!("{word}: {}", alert.name), body)
}
