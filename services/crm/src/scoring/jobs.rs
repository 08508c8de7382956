//! The workers: one follows what happens to leads, one does trainings. Any number of processes may run them at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bz_kernel::TenantId;
use bz_service::{Job, Pace, feed_cursors};
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, query_as, query_scalar, types::Json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{nightly, outcomes, rescore, settings, training};
use crate::app::AppState;

/// The name under which the position in the outbox is kept.
const FEED: &str = "scoring";
/// Events read at once.
const EVENTS: i32 = 500;
/// The pause when there is nothing to do, and after a failure.
const PACE: Pace = Pace {
    idle: Duration::from_secs(1),
    failed: Duration::from_secs(5),
};

/// The workers.
pub(crate) fn jobs(app: &AppState) -> [Job; 2] {
    let (scores, trainings) = (app.clone(), app.clone());
    [
        Job::in_turns("scores", PACE, move |stop| {
            let app = scores.clone();
            async move { turn(&app, &stop).await }
        }),
        Job::in_turns("trainings", PACE, move |stop| {
            let app = trainings.clone();
            async move {
                // A stop does not wait for a training: its lease runs out, and it is done again.
                stop.run_until_cancelled(train(&app))
                    .await
                    .unwrap_or(Ok(false))
            }
        }),
    ]
}

/// Follows the outbox by one batch and does what is due. Answers whether there is more.
async fn turn(app: &AppState, stop: &CancellationToken) -> anyhow::Result<bool> {
    let more = follow(app).await?;
    for (tenant, kind) in due(app).await? {
        let stopped = || stop.is_cancelled();
        let done = match kind.as_str() {
            "nightly" => nightly::run(app, tenant).await,
            _ => rescore::all(app, tenant, stopped).await,
        };
        // One tenant's trouble is not the others': its work comes up again when the lease is over.
        if let Err(error) = done {
            tracing::warn!(tenant.id = %tenant, work = kind, error = %format!("{error:#}"), "scoring work failed");
        }
    }
    Ok(more)
}

#[derive(FromRow)]
struct Event {
    tenant_id: Uuid,
    kind: String,
    data: Json<Value>,
    txid: String,
    seq: i64,
}

/// What happened to a tenant's leads.
#[derive(Default)]
struct Touched {
    leads: BTreeSet<Uuid>,
    activities: BTreeSet<Uuid>,
    deals: BTreeSet<Uuid>,
    /// Something happened to more leads than the event names.
    all: bool,
}

impl Touched {
    fn add(&mut self, event: &Event) {
        let data = &event.data.0;
        let id = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        let one = id(&data["id"]);
        let many = data["ids"].as_array().into_iter().flatten().filter_map(id);
        let ids: Vec<Uuid> = one.into_iter().chain(many).collect();
        match event.kind.split_once('.') {
            Some(("lead", "deleted")) => {}
            Some(("lead", _)) if ids.is_empty() => self.all = true,
            Some(("lead", _)) => self.leads.extend(ids),
            Some(("activity", _)) => self.activities.extend(ids),
            Some(("deal", _)) => self.deals.extend(ids),
            _ => {}
        }
    }
}

/// Scores leads to which something has happened. The position moves only when that is done, so nothing is passed over;
/// doing it twice does no harm.
async fn follow(app: &AppState) -> anyhow::Result<bool> {
    let cursor = feed_cursors::load(&app.core, FEED).await?;
    let (txid, seq) = match cursor.as_deref().and_then(|cursor| cursor.split_once(':')) {
        Some((txid, seq)) => (txid.to_owned(), seq.parse()?),
        None => ("0".to_owned(), 0_i64),
    };
    let mut tx = app.core.db.system().await?;
    let events: Vec<Event> = query_as(
        "-- crm.scoring.follow\n\
         SELECT tenant_id, kind, data, txid::text, seq FROM crm.events_after($1::text::xid8, $2, $3)",
    )
    .bind(txid)
    .bind(seq)
    .bind(EVENTS)
    .fetch_all(tx.conn())
    .await?;
    tx.commit().await?;
    let Some(last) = events.last() else {
        return Ok(false);
    };
    let next = format!("{}:{}", last.txid, last.seq);
    let more = events.len() == EVENTS as usize;
    let mut tenants: BTreeMap<Uuid, Touched> = BTreeMap::new();
    for event in &events {
        tenants.entry(event.tenant_id).or_default().add(event);
    }
    for (tenant, touched) in tenants {
        let tenant = trusted(tenant);
        if let Err(error) = take_in(app, tenant, touched).await {
            // Without an answer of the database it is tried again; what fails for another reason would fail for ever,
            // and the night makes up for it.
            if let Some(DbError::Unavailable(_)) = error.downcast_ref() {
                return Err(error);
            }
            tracing::warn!(tenant.id = %tenant, error = %format!("{error:#}"), "leads were not scored");
        }
    }
    feed_cursors::save(&app.core, FEED, &next).await?;
    Ok(more)
}

async fn take_in(app: &AppState, tenant: TenantId, touched: Touched) -> anyhow::Result<()> {
    if touched.leads.is_empty()
        && touched.activities.is_empty()
        && touched.deals.is_empty()
        && !touched.all
    {
        return Ok(());
    }
    let scope = TenantScope::new(tenant, None);
    let mut tx = app.core.db.tenant(&scope).await?;
    let setup = settings::setup(app, &mut tx).await?;
    let leads = related(&mut tx, &touched).await?;
    nightly::begin(app, &mut tx).await?;
    outcomes::derive(&mut tx, &setup.settings, Some(&leads)).await?;
    if touched.all {
        rescore::order(&mut tx, app.core.sources.now()).await?;
    }
    tx.commit().await?;
    rescore::leads(app, tenant, &leads).await
}

/// The leads themselves, and those of the activities and deals.
async fn related(tx: &mut TenantTx, touched: &Touched) -> Result<Vec<Uuid>, DbError> {
    let list = |ids: &BTreeSet<Uuid>| ids.iter().copied().collect::<Vec<Uuid>>();
    if touched.activities.is_empty() && touched.deals.is_empty() {
        return Ok(list(&touched.leads));
    }
    let found = query_scalar(
        "-- crm.leads.related\n\
         SELECT l.id FROM crm.leads AS l WHERE l.id = ANY($1) \
         UNION SELECT k.to_id FROM crm.record_links AS k \
           WHERE k.to_type = 'lead' AND k.from_type = 'activity' AND k.from_id = ANY($2) \
         UNION SELECT d.lead_id FROM crm.deals AS d WHERE d.id = ANY($3) AND d.lead_id IS NOT NULL \
         UNION SELECT l.id FROM crm.leads AS l WHERE l.deal_id = ANY($3)",
    )
    .bind(list(&touched.leads))
    .bind(list(&touched.activities))
    .bind(list(&touched.deals))
    .fetch_all(tx.conn())
    .await?;
    Ok(found)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tenant of a row of this service, which its function answers"
)]
fn trusted(tenant: Uuid) -> TenantId {
    TenantId::trusted(tenant)
}

/// Takes the work that is due.
async fn due(app: &AppState) -> Result<Vec<(TenantId, String)>, DbError> {
    let (now, mut tx) = (app.core.sources.now(), app.core.db.system().await?);
    let rows: Vec<(Uuid, String)> = query_as(
        "-- crm.scoring_work.due\nSELECT tenant_id, kind FROM crm.scoring_work_due($1, $2, 1)",
    )
    .bind(now)
    .bind(now + rescore::LEASE)
    .fetch_all(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(rows
        .into_iter()
        .map(|(tenant, kind)| (trusted(tenant), kind))
        .collect())
}

/// Does the next training. Answers whether there was one.
async fn train(app: &AppState) -> anyhow::Result<bool> {
    let now: DateTime<Utc> = app.core.sources.now();
    let mut tx = app.core.db.system().await?;
    let taken: Option<(Uuid, Uuid)> =
        query_as("-- crm.scoring_trainings.due\nSELECT tenant_id, id FROM crm.scoring_trainings_due($1, $2, 1)")
            .bind(now)
            .bind(now + training::LEASE)
            .fetch_optional(tx.conn())
            .await?;
    tx.commit().await?;
    let Some((tenant, id)) = taken else {
        return Ok(false);
    };
    training::run(app, trusted(tenant), id).await?;
    Ok(true)
}
