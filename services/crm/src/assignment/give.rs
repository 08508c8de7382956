//! Leads get their owners.

use std::collections::HashMap;

use bz_http::Problem;
use bz_kernel::TeamId;
use serde_json::json;
use uuid::Uuid;

use super::Picked;
use crate::{
    leads::{LEAD, Lead},
    records::{Record, Work, changes, sql::Sql},
};

/// Gives leads that are locked, or just created in this transaction, to who was picked for them, and answers them.
pub(crate) async fn give(
    work: &mut Work<'_>,
    given: &[(&Lead, Picked)],
    is_new: bool,
) -> Result<Vec<Lead>, Problem> {
    let mut after: HashMap<Uuid, Lead> = written(work, given, is_new)
        .await?
        .into_iter()
        .map(|lead| (lead.id.as_uuid(), lead))
        .collect();
    let (mut notes, mut leads) = (
        Vec::with_capacity(given.len()),
        Vec::with_capacity(given.len()),
    );
    for (before, picked) in given {
        let Some(lead) = after.remove(&before.id.as_uuid()) else {
            continue;
        };
        let mut made = changes::Changes::new();
        made.insert("owner_id".into(), json!([before.owner_id, lead.owner_id]));
        if before.team_id != lead.team_id {
            made.insert("team_id".into(), json!([before.team_id, lead.team_id]));
        }
        if !is_new {
            let names: Vec<String> = made.keys().cloned().collect();
            work.tell(&lead, LEAD.events[1], &names).await?;
        }
        notes.push(work.noted::<Lead>(lead.id.as_uuid(), "assigned", made, Some(&picked.reason)));
        leads.push(lead);
    }
    changes::insert_all(work.tx, notes).await?;
    Ok(leads)
}

async fn written(
    work: &mut Work<'_>,
    given: &[(&Lead, Picked)],
    is_new: bool,
) -> Result<Vec<Lead>, Problem> {
    let now = work.now();
    let leads: Vec<Uuid> = given.iter().map(|(lead, _)| lead.id.as_uuid()).collect();
    let users: Vec<Uuid> = given.iter().map(|(_, to)| to.user.as_uuid()).collect();
    let teams: Vec<Option<Uuid>> = given
        .iter()
        .map(|(_, to)| to.team.map(TeamId::as_uuid))
        .collect();
    let mut sql = Sql::new(
        "-- crm.leads.give\n\
         UPDATE crm.leads AS l SET owner_id = g.to_user, team_id = coalesce(g.to_team, l.team_id)",
    );
    if !is_new {
        // Nobody has seen a new one yet.
        sql.push(", version = l.version + 1, updated_at = ")
            .bind(now);
    }
    sql.push(" FROM unnest(").bind(leads).push(", ").bind(users);
    sql.push(", ").bind(teams);
    sql.push(") AS g (lead, to_user, to_team) WHERE l.id = g.lead RETURNING ")
        .push(Lead::columns());
    Ok(sql.fetch_all(work.tx).await?)
}
