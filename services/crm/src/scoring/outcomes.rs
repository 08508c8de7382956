//! How leads ended: what was recorded, and what follows from what the tenant calls won.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::query;
use uuid::Uuid;

use super::settings::{Positive, Settings};
use crate::{app::AppState, records::sql::Sql};

/// The most leads whose outcome one statement writes down.
const BATCH: u64 = 5_000;
/// When a lead came to its status. One that was never changed came with it: of an imported one no more is known.
const SINCE: &str = "CASE WHEN k.version = 1 THEN k.created_at ELSE k.updated_at END";

/// Writes down how all leads of a tenant ended, where that follows from their state.
pub(crate) async fn derive_all(
    app: &AppState,
    scope: &TenantScope,
    settings: &Settings,
) -> Result<(), DbError> {
    loop {
        let mut tx = app.core.db.tenant(scope).await?;
        let written = derive(&mut tx, settings, None).await?;
        tx.commit().await?;
        if written < BATCH {
            return Ok(());
        }
    }
}

/// The same of these leads, or of some of all. A win overrules a loss; nothing else that is known is changed. Like scores,
/// this changes no version.
pub(crate) async fn derive(
    tx: &mut TenantTx,
    settings: &Settings,
    of: Option<&[Uuid]>,
) -> Result<u64, DbError> {
    let Some(positive) = Positive::parse(&settings.positive_outcome) else {
        return Ok(0);
    };
    let mut sql = Sql::new(
        "-- crm.leads.derive_outcomes\n\
         WITH e AS MATERIALIZED (SELECT DISTINCT ON (ended.id) ended.id, ended.outcome, ended.at FROM (",
    );
    match &positive {
        Positive::Converted => {
            sql.push("SELECT k.id, k.outcome AS was, 'won' AS outcome, coalesce(k.converted_at, ")
                .push(SINCE)
                .push(") AS at FROM crm.leads AS k WHERE (k.converted_at IS NOT NULL OR k.status = 'converted')");
            open(&mut sql, of);
        }
        Positive::Status(status) => {
            sql.push("SELECT k.id, k.outcome AS was, 'won' AS outcome, ")
                .push(SINCE)
                .push(" AS at FROM crm.leads AS k WHERE k.status = ")
                .bind(status.clone());
            open(&mut sql, of);
        }
        Positive::DealWon => deals(&mut sql, None, of),
        Positive::Stage(stage) => deals(&mut sql, Some(*stage), of),
    }
    if !matches!(&positive, Positive::Status(status) if status == "unqualified") {
        sql.push(" UNION ALL SELECT k.id, k.outcome, 'lost', ")
            .push(SINCE)
            .push(" FROM crm.leads AS k WHERE k.status = 'unqualified'");
        open(&mut sql, of);
    }
    sql.push(
        ") AS ended WHERE ended.was IS NULL OR ended.outcome = 'won' \
         ORDER BY ended.id, ended.outcome = 'won' DESC, ended.at LIMIT ",
    )
    .bind(BATCH as i64)
    .push(
        "), locked AS MATERIALIZED (\
           SELECT l.id FROM crm.leads AS l WHERE l.id IN (SELECT id FROM e) ORDER BY l.id FOR NO KEY UPDATE) \
         UPDATE crm.leads AS l SET outcome = e.outcome, outcome_at = e.at FROM e JOIN locked USING (id) \
         WHERE l.id = e.id AND (l.outcome IS NULL OR e.outcome = 'won' AND l.outcome = 'lost')",
    );
    sql.execute(tx).await
}

/// Adds that the lead may still get an outcome, and that it is one of these, if they are given.
fn open(sql: &mut Sql, of: Option<&[Uuid]>) {
    sql.push(" AND k.deleted_at IS NULL AND k.outcome IS DISTINCT FROM 'won'");
    if let Some(of) = of {
        sql.push(" AND k.id = ANY(").bind(of.to_vec()).push(")");
    }
}

/// Deals that were won or lost, or that reached a stage, by their leads.
fn deals(sql: &mut Sql, stage: Option<Uuid>, of: Option<&[Uuid]>) {
    for (n, lead) in ["k.id = d.lead_id", "k.deal_id = d.id"].iter().enumerate() {
        if n > 0 {
            sql.push(" UNION ALL ");
        }
        sql.push("SELECT k.id, k.outcome AS was, ");
        match stage {
            None => {
                sql.push("d.status AS outcome");
            }
            Some(stage) => {
                sql.push("CASE WHEN d.status = 'lost' AND d.stage_id <> ")
                    .bind(stage)
                    .push(" THEN 'lost' ELSE 'won' END AS outcome");
            }
        }
        sql.push(", coalesce(d.closed_at, d.stage_entered_at) AS at FROM crm.deals AS d JOIN crm.leads AS k ON ")
            .push(lead)
            .push(" WHERE d.deleted_at IS NULL AND (d.status IN ('won', 'lost')");
        if let Some(stage) = stage {
            sql.push(" OR d.stage_id = ").bind(stage);
        }
        sql.push(")");
        open(sql, of);
    }
}

/// An outcome to write on a lead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    pub lead: Uuid,
    pub won: bool,
    pub at: DateTime<Utc>,
}

/// Writes outcomes on leads that are locked, with their history.
pub(crate) async fn record(
    app: &AppState,
    tx: &mut TenantTx,
    by: UserId,
    endings: &[Ending],
) -> Result<(), DbError> {
    let leads: Vec<Uuid> = endings.iter().map(|ending| ending.lead).collect();
    let outcomes: Vec<&str> = endings
        .iter()
        .map(|ending| if ending.won { "won" } else { "lost" })
        .collect();
    let times: Vec<DateTime<Utc>> = endings.iter().map(|ending| ending.at).collect();
    let ids: Vec<Uuid> = endings.iter().map(|_| app.core.sources.id()).collect();
    query(
        "-- crm.leads.record_outcomes\n\
         WITH told AS ( \
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::uuid[]) AS t (lead_id, outcome, at, id) \
         ), noted AS ( \
           INSERT INTO crm.record_changes (id, record_type, record_id, action, actor, at, changes) \
           SELECT t.id, 'lead', l.id, 'updated', $5, $6, jsonb_build_object('outcome', jsonb_build_array(l.outcome, t.outcome), \
             'outcome_at', jsonb_build_array(l.outcome_at, t.at)) \
           FROM told AS t JOIN crm.leads AS l ON l.id = t.lead_id \
         ) \
         UPDATE crm.leads AS l SET outcome = t.outcome, outcome_at = t.at, version = l.version + 1, updated_at = $6 \
         FROM told AS t WHERE l.id = t.lead_id",
    )
    .bind(leads)
    .bind(outcomes)
    .bind(times)
    .bind(ids)
    .bind(by.as_uuid())
    .bind(app.core.sources.now())
    .execute(tx.conn())
    .await?;
    Ok(())
}
