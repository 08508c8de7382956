//! Whose records a user sees and changes. Permissions say whether a user may read or write a type at all; the tenant may
//! narrow that by role to one's own records or those of one's teams. Owners and admins see everything.

use std::sync::Arc;

use bz_auth::Caller;
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use sqlx::query_as;

use super::{RecordType, sql::Sql};
use crate::app::AppState;

/// Whose records of a type somebody sees, or changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Nobody's.
    None,
    /// Those the user owns or created.
    Own(UserId),
    /// These, and those of the user's teams.
    Team(UserId),
    /// All.
    All,
}

impl Sight {
    /// Adds the condition to a statement whose `WHERE` has begun: ` AND ..`, or nothing.
    pub(crate) fn push(self, sql: &mut Sql) {
        match self {
            Self::All => {}
            Self::None => {
                sql.push(" AND false");
            }
            Self::Own(user) => {
                sql.push(" AND (owner_id = ").bind(user.as_uuid());
                sql.push(" OR created_by = ").bind(user.as_uuid()).push(")");
            }
            Self::Team(user) => {
                sql.push(" AND (owner_id = ").bind(user.as_uuid());
                sql.push(" OR created_by = ").bind(user.as_uuid());
                sql.push(" OR team_id IN (SELECT team_id FROM crm.team_members WHERE user_id = ")
                    .bind(user.as_uuid())
                    .push("))");
            }
        }
    }

    /// How wide it is, for a job that goes on with it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Own(_) => "own",
            Self::Team(_) => "team",
            Self::All => "all",
        }
    }

    /// The sight of this width.
    pub(crate) fn of(width: &str, user: UserId) -> Self {
        match width {
            "all" => Self::All,
            "team" => Self::Team(user),
            "own" => Self::Own(user),
            _ => Self::None,
        }
    }

    const fn width(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Own(_) => 1,
            Self::Team(_) => 2,
            Self::All => 3,
        }
    }
}

/// What a tenant has narrowed: role, type of record, reads, writes.
pub(crate) type Narrowings = Vec<(String, String, String, String)>;

/// Whose records of a type the caller sees.
pub(crate) async fn reads(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    record: &RecordType,
) -> Result<Sight, DbError> {
    reads_of(app, tx, caller, record.name).await
}

/// The same, of a type by its name.
pub(crate) async fn reads_of(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    record: &'static str,
) -> Result<Sight, DbError> {
    let who = (caller.user, caller.claims.roles.as_slice());
    sight(app, tx, who, record, |(_, _, reads, _)| reads).await
}

/// The same for a user who is not there, with roles that are known.
pub(crate) async fn reads_as(
    app: &AppState,
    tx: &mut TenantTx,
    who: (UserId, &[String]),
    record: &RecordType,
) -> Result<Sight, DbError> {
    sight(app, tx, who, record.name, |(_, _, reads, _)| reads).await
}

/// Whose records of a type the caller changes.
pub(crate) async fn writes(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    record: &RecordType,
) -> Result<Sight, DbError> {
    writes_as(app, tx, (caller.user, &caller.claims.roles), record).await
}

/// The same for a user who is not there, with roles that are known.
pub(crate) async fn writes_as(
    app: &AppState,
    tx: &mut TenantTx,
    who: (UserId, &[String]),
    record: &RecordType,
) -> Result<Sight, DbError> {
    sight(app, tx, who, record.name, |(_, _, _, writes)| writes).await
}

/// The widest of what the caller's roles have; a role of which nothing is said has all.
async fn sight(
    app: &AppState,
    tx: &mut TenantTx,
    (user, roles): (UserId, &[String]),
    record: &'static str,
    side: impl Fn(&(String, String, String, String)) -> &String,
) -> Result<Sight, DbError> {
    if roles.iter().any(|role| role == "owner" || role == "admin") {
        return Ok(Sight::All);
    }
    let narrowed = narrowings(app, tx).await?;
    let of_role = |role: &String| {
        let found = narrowed
            .iter()
            .find(|(named, kind, ..)| named == role && kind == record);
        found.map_or(Sight::All, |row| Sight::of(side(row), user))
    };
    let widest = roles.iter().map(of_role).max_by_key(|sight| sight.width());
    Ok(widest.unwrap_or(Sight::All))
}

async fn narrowings(app: &AppState, tx: &mut TenantTx) -> Result<Arc<Narrowings>, DbError> {
    let tenant = tx.scope().tenant();
    if let Some(known) = app.known.access.get(&tenant) {
        return Ok(known);
    }
    let rows: Narrowings = query_as(
        "-- crm.record_access.list\nSELECT role, record_type, reads, writes FROM crm.record_access",
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = Arc::new(rows);
    app.known.access.insert(tenant, rows.clone());
    Ok(rows)
}
