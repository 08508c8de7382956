//! SQL of the audit log.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{query, types::Json};
use uuid::Uuid;

use super::{Actor, Entry};

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    at: DateTime<Utc>,
    entry: &Entry<'_>,
) -> Result<(), DbError> {
    let (actor_type, actor, impersonator) = actor(entry.actor);
    query(
        "-- identity.audit.insert\n\
         INSERT INTO identity.audit_log (id, at, actor_type, actor_id, impersonator_id, action, target_type, target_id, \
           ip, user_agent, request_id, result, changes) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
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
    .bind(Json(&entry.changes))
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
