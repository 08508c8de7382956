//! How leads ended: what was recorded, and what follows from what the tenant calls won.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::query;
use uuid::Uuid;

use super::settings::Positive;
use crate::{app::AppState, records::sql::Sql};

/// Writes down how leads ended, where that follows from their state: of these leads, or of all. A win overrules a
/// loss; nothing else that is known is changed. Like scores, this changes no version.
pub(crate) async fn derive(
    tx: &mut TenantTx,
    positive: &Positive,
    of: Option<&[Uuid]>,
) -> Result<u64, DbError> {
    let mut sql = Sql::new(
        "-- crm.leads.derive_outcomes\n\
         UPDATE crm.leads AS l SET outcome = e.outcome, outcome_at = e.at FROM ( \
         SELECT DISTINCT ON (ended.id) ended.id, ended.outcome, ended.at FROM (",
    );
    match positive {
        Positive::Converted => {
            sql.push(
                "SELECT id, 'won' AS outcome, coalesce(converted_at, updated_at) AS at FROM crm.leads \
                 WHERE converted_at IS NOT NULL OR status = 'converted'",
            );
        }
        Positive::Status(status) => {
            sql.push(
                "SELECT id, 'won' AS outcome, updated_at AS at FROM crm.leads WHERE status = ",
            )
            .bind(status.clone());
        }
        Positive::DealWon => deals(&mut sql, None),
        Positive::Stage(stage) => deals(&mut sql, Some(*stage)),
    }
    if !matches!(positive, Positive::Status(status) if status == "unqualified") {
        sql.push(
            " UNION ALL SELECT id, 'lost', updated_at FROM crm.leads WHERE status = 'unqualified'",
        );
    }
    sql.push(
        ") AS ended ORDER BY ended.id, ended.outcome = 'won' DESC, ended.at) AS e \
         WHERE l.id = e.id AND l.deleted_at IS NULL \
           AND (l.outcome IS NULL OR (l.outcome = 'lost' AND e.outcome = 'won'))",
    );
    if let Some(of) = of {
        sql.push(" AND l.id = ANY(").bind(of.to_vec()).push(")");
    }
    sql.execute(tx).await
}

/// Deals that were won or lost, or that reached a stage, by their leads.
fn deals(sql: &mut Sql, stage: Option<Uuid>) {
    for (n, lead) in ["d.lead_id", "l.id"].iter().enumerate() {
        if n > 0 {
            sql.push(" UNION ALL ");
        }
        sql.push("SELECT ").push(lead).push(" AS id, ");
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
        sql.push(", coalesce(d.closed_at, d.stage_entered_at) AS at FROM crm.deals AS d ");
        if n > 0 {
            sql.push("JOIN crm.leads AS l ON l.deal_id = d.id ");
        }
        sql.push("WHERE d.deleted_at IS NULL AND ")
            .push(lead)
            .push(" IS NOT NULL AND (d.status IN ('won', 'lost')");
        if let Some(stage) = stage {
            sql.push(" OR d.stage_id = ").bind(stage);
        }
        sql.push(")");
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
