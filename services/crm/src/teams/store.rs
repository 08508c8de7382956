//! SQL of the teams.

use bz_http::Problem;
use bz_kernel::{TeamId, UserId};
use bz_tenant::{DbError, OnConstraint, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use super::Team;
use crate::problems;

macro_rules! columns {
    () => {
        "id, name, created_at, updated_at, version, \
         ARRAY(SELECT m.user_id FROM crm.team_members AS m WHERE m.team_id = t.id ORDER BY m.user_id) AS members"
    };
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    name: String,
    members: Vec<Uuid>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl From<Row> for Team {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            members: row.members.into_iter().map(Into::into).collect(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// Writes a new team, without members.
pub(super) async fn insert(
    tx: &mut TenantTx,
    id: TeamId,
    now: DateTime<Utc>,
    name: &str,
) -> Result<(), Problem> {
    query("-- crm.teams.insert\nINSERT INTO crm.teams (id, name, created_at, updated_at) VALUES ($1, $2, $3, $3)")
        .bind(id.as_uuid())
        .bind(name)
        .bind(now)
        .execute(tx.conn())
        .await
        .on_constraint("teams_name_key", problems::team_exists)?;
    Ok(())
}

/// Writes the name of a team that is locked, and that it was changed.
pub(super) async fn update(
    tx: &mut TenantTx,
    id: TeamId,
    now: DateTime<Utc>,
    name: &str,
) -> Result<(), Problem> {
    query("-- crm.teams.update\nUPDATE crm.teams SET name = $2, updated_at = $3, version = version + 1 WHERE id = $1")
        .bind(id.as_uuid())
        .bind(name)
        .bind(now)
        .execute(tx.conn())
        .await
        .on_constraint("teams_name_key", problems::team_exists)?;
    Ok(())
}

/// Makes these the members.
pub(super) async fn set_members(
    tx: &mut TenantTx,
    id: TeamId,
    members: &[UserId],
) -> Result<(), DbError> {
    let members: Vec<Uuid> = members.iter().map(|member| member.as_uuid()).collect();
    query("-- crm.team_members.clear\nDELETE FROM crm.team_members WHERE team_id = $1 AND user_id <> ALL($2)")
        .bind(id.as_uuid())
        .bind(&members)
        .execute(tx.conn())
        .await?;
    query(
        "-- crm.team_members.insert\nINSERT INTO crm.team_members (user_id, team_id) SELECT DISTINCT m, $1 \
         FROM unnest($2::uuid[]) AS m ON CONFLICT DO NOTHING",
    )
    .bind(id.as_uuid())
    .bind(&members)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One team.
pub(super) async fn find(tx: &mut TenantTx, id: TeamId) -> Result<Option<Team>, DbError> {
    let sql = concat!(
        "-- crm.teams.find\nSELECT ",
        columns!(),
        " FROM crm.teams AS t WHERE id = $1"
    );
    one(tx, sql, id).await
}

/// The same, locked.
pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    id: TeamId,
) -> Result<Option<Team>, DbError> {
    let sql = concat!(
        "-- crm.teams.find_for_update\nSELECT ",
        columns!(),
        " FROM crm.teams AS t WHERE id = $1 FOR UPDATE"
    );
    one(tx, sql, id).await
}

async fn one(tx: &mut TenantTx, sql: &'static str, id: TeamId) -> Result<Option<Team>, DbError> {
    let row: Option<Row> = query_as(sql)
        .bind(id.as_uuid())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(Into::into))
}

/// A page of teams, in the order of their making.
pub(super) async fn list(
    tx: &mut TenantTx,
    after: Option<Uuid>,
    limit: u16,
) -> Result<Vec<Team>, DbError> {
    let rows: Vec<Row> = query_as(concat!(
        "-- crm.teams.list\nSELECT ",
        columns!(),
        " FROM crm.teams AS t WHERE ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2"
    ))
    .bind(after)
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Deletes a team; its members are in it no more.
pub(super) async fn delete(tx: &mut TenantTx, id: TeamId) -> Result<(), DbError> {
    query("-- crm.teams.delete\nDELETE FROM crm.teams WHERE id = $1")
        .bind(id.as_uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}
