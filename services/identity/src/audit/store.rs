//! SQL of the audit log.

use bz_kernel::{TenantId, UserId};
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, Postgres, QueryBuilder, query, query_as};
use uuid::Uuid;

use super::{
    Actor, Entry,
    entry::{AuditActor, AuditEntry, AuditTarget},
    filter::Filter,
};

/// Appends to the chain; the function computes number and hash.
pub(super) async fn append(
    tx: &mut TenantTx,
    id: Uuid,
    at: DateTime<Utc>,
    entry: &Entry<'_>,
) -> Result<(), DbError> {
    let (actor_type, actor, impersonator) = actor(entry.actor);
    query(
        "-- identity.audit.append\n\
         SELECT identity.audit_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(id)
    .bind(at)
    .bind(actor_type)
    .bind(actor)
    .bind(impersonator)
    .bind(entry.action)
    .bind(entry.target.map(|(kind, _)| kind))
    .bind(entry.target.map(|(_, id)| id))
    .bind(entry.origin.ip_text())
    .bind(entry.origin.user_agent.as_deref())
    .bind(entry.origin.request_id.as_deref())
    .bind(if entry.success { "success" } else { "failure" })
    .bind(entry.changes.to_string())
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn actor(actor: Actor) -> (&'static str, Option<Uuid>, Option<Uuid>) {
    match actor {
        Actor::User(user) => ("user", Some(user.as_uuid()), None),
        Actor::Impersonated { user, by } => {
            ("user", Some(user.as_uuid()), Some(UserId::as_uuid(by)))
        }
        Actor::ServiceAccount(id) => ("service_account", Some(id), None),
        Actor::Anonymous => ("anonymous", None, None),
        Actor::System => ("system", None, None),
    }
}

#[derive(FromRow)]
struct EntryRow {
    tenant_id: Uuid,
    seq: i64,
    id: Uuid,
    at: DateTime<Utc>,
    actor_type: String,
    actor_id: Option<Uuid>,
    impersonator_id: Option<Uuid>,
    action: String,
    target_type: Option<String>,
    target_id: Option<Uuid>,
    ip: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    result: String,
    changes: String,
    prev_hash: Vec<u8>,
    hash: Vec<u8>,
}

impl From<EntryRow> for AuditEntry {
    fn from(row: EntryRow) -> Self {
        let target_id = row.target_id;
        Self {
            id: row.id,
            seq: row.seq,
            tenant_id: row.tenant_id,
            at: row.at,
            actor: AuditActor {
                r#type: row.actor_type,
                id: row.actor_id,
                impersonator: row.impersonator_id,
            },
            action: row.action,
            target: row.target_type.map(|kind| AuditTarget {
                r#type: kind,
                id: target_id,
            }),
            ip: row.ip,
            user_agent: row.user_agent,
            request_id: row.request_id,
            result: row.result,
            // What is no JSON was changed by somebody; as a text it does not have the entry's hash.
            changes: serde_json::from_str(&row.changes).unwrap_or_else(|_| row.changes.into()),
            prev_hash: row.prev_hash,
            hash: row.hash,
        }
    }
}

/// A page and one more, newest first, of entries before a number.
pub(super) async fn newest(
    tx: &mut TenantTx,
    filter: &Filter,
    before: Option<i64>,
    limit: u16,
) -> Result<Vec<AuditEntry>, DbError> {
    let mut sql = QueryBuilder::<Postgres>::new(
        "-- identity.audit.newest\nSELECT * FROM identity.audit_log WHERE true",
    );
    filter.push(&mut sql);
    if let Some(before) = before {
        sql.push(" AND seq < ").push_bind(before);
    }
    sql.push(" ORDER BY seq DESC LIMIT ")
        .push_bind(i64::from(limit) + 1);
    let rows: Vec<EntryRow> = sql.build_query_as().fetch_all(tx.conn()).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Entries after a number up to another, oldest first.
pub(super) async fn oldest(
    tx: &mut TenantTx,
    filter: &Filter,
    after: i64,
    until: i64,
    limit: u16,
) -> Result<Vec<AuditEntry>, DbError> {
    let mut sql = QueryBuilder::<Postgres>::new(
        "-- identity.audit.oldest\nSELECT * FROM identity.audit_log WHERE true",
    );
    filter.push(&mut sql);
    sql.push(" AND seq > ").push_bind(after);
    sql.push(" AND seq <= ").push_bind(until);
    sql.push(" ORDER BY seq LIMIT ").push_bind(i64::from(limit));
    let rows: Vec<EntryRow> = sql.build_query_as().fetch_all(tx.conn()).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The end of a tenant's chain as the database keeps it.
#[derive(FromRow)]
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) hash: Vec<u8>,
}

pub(super) async fn head(tx: &mut TenantTx) -> Result<Option<Head>, DbError> {
    let head = query_as("-- identity.audit.head\nSELECT seq, hash FROM identity.audit_heads")
        .fetch_optional(tx.conn());
    Ok(head.await?)
}

/// What a chain ends with, seen at one instant.
#[derive(FromRow)]
pub(super) struct Ends {
    pub(super) head_seq: Option<i64>,
    pub(super) head_hash: Option<Vec<u8>>,
    pub(super) last_seq: Option<i64>,
    pub(super) last_anchor: Option<i64>,
}

pub(super) async fn ends(tx: &mut TenantTx) -> Result<Ends, DbError> {
    let ends = query_as(
        "-- identity.audit.ends\n\
         SELECT (SELECT seq FROM identity.audit_heads) AS head_seq, \
           (SELECT hash FROM identity.audit_heads) AS head_hash, \
           (SELECT seq FROM identity.audit_log ORDER BY seq DESC LIMIT 1) AS last_seq, \
           (SELECT seq FROM identity.audit_anchors ORDER BY seq DESC LIMIT 1) AS last_anchor",
    );
    Ok(ends.fetch_one(tx.conn()).await?)
}

/// What the head was once.
#[derive(FromRow)]
pub(super) struct Anchor {
    pub(super) seq: i64,
    pub(super) hash: Vec<u8>,
    pub(super) mac: Vec<u8>,
}

/// Anchors after a number up to another, oldest first.
pub(super) async fn anchors(
    tx: &mut TenantTx,
    after: i64,
    until: i64,
) -> Result<Vec<Anchor>, DbError> {
    let anchors = query_as(
        "-- identity.audit.anchors\n\
         SELECT seq, hash, mac FROM identity.audit_anchors WHERE seq > $1 AND seq <= $2 ORDER BY seq",
    );
    Ok(anchors.bind(after).bind(until).fetch_all(tx.conn()).await?)
}

/// Stores an anchor; false when it was there.
pub(super) async fn insert_anchor(
    tx: &mut TenantTx,
    anchor: &Anchor,
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = query(
        "-- identity.audit.insert_anchor\n\
         INSERT INTO identity.audit_anchors (seq, hash, at, mac) VALUES ($1, $2, $3, $4) \
         ON CONFLICT ON CONSTRAINT audit_anchors_pkey DO NOTHING",
    )
    .bind(anchor.seq)
    .bind(&anchor.hash)
    .bind(at)
    .bind(&anchor.mac)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Heads of all tenants after one that were not anchored since an instant.
#[expect(
    clippy::disallowed_methods,
    reason = "the tenant of a row that only the log's own function writes"
)]
pub(super) async fn heads_to_anchor(
    tx: &mut SystemTx,
    since: DateTime<Utc>,
    after: Uuid,
    max: i32,
) -> Result<Vec<(TenantId, Head)>, DbError> {
    let rows: Vec<(Uuid, i64, Vec<u8>)> = query_as(
        "-- identity.audit.heads_to_anchor\n\
         SELECT tenant_id, seq, hash FROM identity.audit_heads_to_anchor($1, $2, $3)",
    )
    .bind(since)
    .bind(after)
    .bind(max)
    .fetch_all(tx.conn())
    .await?;
    let head = |(tenant, seq, hash)| (TenantId::trusted(tenant), Head { seq, hash });
    Ok(rows.into_iter().map(head).collect())
}
