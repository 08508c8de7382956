//! Records that other records name: whether they are there.

use bz_http::Problem;
use bz_tenant::{DbError, TenantTx};
use uuid::Uuid;

use super::{RecordType, sql::Sql};

/// Which of these records the tenant does not have, or has in the trash.
pub(crate) async fn missing(
    tx: &mut TenantTx,
    record: &RecordType,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let table = record.table;
    let mut sql = Sql::new(format!(
        "-- {table}.present\nSELECT id FROM {table} WHERE deleted_at IS NULL AND id = ANY("
    ));
    sql.bind(ids.to_vec()).push(")");
    let found: Vec<(Uuid,)> = sql.fetch_all(tx).await?;
    let is_missing = |id: &Uuid| !found.iter().any(|(there,)| there == id);
    Ok(ids.iter().copied().filter(is_missing).collect())
}

/// Refuses a field that names a record which is not there. A name that stays as it was is not looked at again: the
/// record may have gone into the trash since.
///
/// # Errors
/// 422 at the field.
pub(crate) async fn check(
    tx: &mut TenantTx,
    record: &RecordType,
    field: &'static str,
    id: Option<Uuid>,
    before: Option<Uuid>,
) -> Result<(), Problem> {
    let Some(id) = id.filter(|id| Some(*id) != before) else {
        return Ok(());
    };
    if missing(tx, record, &[id]).await?.is_empty() {
        return Ok(());
    }
    Err(not_there(format!("/{field}"), record))
}

/// 422: what is named is not there.
pub(crate) fn not_there(pointer: String, record: &RecordType) -> Problem {
    let message = format!("must be the id of one of the tenant's {}", record.plural);
    Problem::invalid(pointer, "not_found", message)
}
