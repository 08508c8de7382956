//! Moving all deals of stages that are to go, in a few statements however many they are.

use bz_events::NewEvent;
use bz_http::Problem;
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use super::{DEAL, stage::Entry, told};
use crate::{pipelines::StageKind, records::Work};

/// A deal that was moved.
#[derive(FromRow)]
struct Moved {
    id: Uuid,
    status: StageKind,
    from_stage: Uuid,
    from_status: StageKind,
    in_trash: bool,
}

/// What its event says.
#[derive(Serialize)]
struct Told {
    id: Uuid,
    changed: [&'static str; 1],
    #[serde(flatten)]
    details: Map<String, Value>,
}

/// Moves the deals, those in the trash too: they may come back.
pub(crate) async fn relocate(
    work: &mut Work<'_>,
    gone: &[Uuid],
    to: &Entry,
) -> Result<(), Problem> {
    let moved: Vec<Moved> = query_as(
        "-- crm.deals.relocate\n\
         UPDATE crm.deals AS d SET stage_id = $2, pipeline_id = $3, version = d.version + 1, updated_at = $4, \
         lost_reason = CASE WHEN $5 = 'lost' THEN d.lost_reason END \
         FROM (SELECT id, stage_id, status FROM crm.deals WHERE stage_id = ANY($1) ORDER BY id FOR UPDATE) AS former \
         WHERE d.id = former.id \
         RETURNING d.id, d.status, former.stage_id AS from_stage, former.status AS from_status, \
         d.deleted_at IS NOT NULL AS in_trash",
    )
    .bind(gone)
    .bind(to.id)
    .bind(to.pipeline_id)
    .bind(work.now())
    .bind(to.kind.as_str())
    .fetch_all(work.tx.conn())
    .await
    .map_err(bz_tenant::DbError::from)?;
    write_down(work, &moved, to).await?;
    let ids: Vec<Uuid> = moved.iter().map(|deal| deal.id).collect();
    let mut details = told::details(work.tx, &ids).await?;
    let told: Vec<NewEvent<Told>> = moved
        .iter()
        .filter(|deal| !deal.in_trash)
        .map(|deal| NewEvent {
            kind: kind(deal),
            actor: Some(work.actor),
            data: Told {
                id: deal.id,
                changed: ["stage_id"],
                details: details.remove(&deal.id).unwrap_or_default(),
            },
        })
        .collect();
    bz_events::append_all(work.tx, &work.app.core.sources, &told).await?;
    Ok(())
}

fn kind(deal: &Moved) -> &'static str {
    match deal.status {
        StageKind::Won if deal.from_status != StageKind::Won => "deal.won",
        StageKind::Lost if deal.from_status != StageKind::Lost => "deal.lost",
        _ => "deal.moved",
    }
}

/// The moves in the deals' histories and in the record of changes.
async fn write_down(work: &mut Work<'_>, moved: &[Moved], to: &Entry) -> Result<(), Problem> {
    let fresh = |work: &Work<'_>| -> Vec<Uuid> { moved.iter().map(|_| work.id()).collect() };
    let deals: Vec<Uuid> = moved.iter().map(|deal| deal.id).collect();
    let from: Vec<Uuid> = moved.iter().map(|deal| deal.from_stage).collect();
    let statements = [
        "-- crm.deal_stage_history.insert_all\n\
         INSERT INTO crm.deal_stage_history (id, deal_id, from_stage, to_stage, actor, at) \
         SELECT m.id, m.deal, m.stage, $4, $5, $6 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS m (id, deal, stage)",
        "-- crm.record_changes.insert_all\n\
         INSERT INTO crm.record_changes (id, record_type, record_id, action, actor, at, changes) \
         SELECT m.id, $7, m.deal, 'updated', $5, $6, \
         jsonb_build_object('stage_id', jsonb_build_array(m.stage, $4::uuid)) \
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS m (id, deal, stage)",
    ];
    for (n, statement) in statements.into_iter().enumerate() {
        let mut insert = query(statement)
            .bind(fresh(work))
            .bind(&deals)
            .bind(&from)
            .bind(to.id)
            .bind(work.actor.as_uuid())
            .bind(work.now());
        if n == 1 {
            insert = insert.bind(DEAL.name);
        }
        let done = insert.execute(work.tx.conn()).await;
        done.map_err(bz_tenant::DbError::from)?;
    }
    Ok(())
}
