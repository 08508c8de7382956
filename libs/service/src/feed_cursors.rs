//! How far each sibling's feed was read: the table `feed_cursors` of a service that follows one.

use bz_tenant::DbError;
use sqlx::{query, query_scalar};

use crate::core::Core;

/// The cursor of a feed; none before the first batch.
///
/// # Errors
/// Any [`DbError`].
pub async fn load(core: &Core, source: &str) -> Result<Option<String>, DbError> {
    let schema = core.db.schema();
    let sql = format!(
        "-- {schema}.feed_cursors.load\nSELECT cursor FROM {schema}.feed_cursors WHERE source = $1"
    );
    let mut tx = core.db.system().await?;
    let cursor = query_scalar(&sql)
        .bind(source)
        .fetch_optional(tx.conn())
        .await?;
    Ok(cursor)
}

/// Stores the cursor behind the last event taken in.
///
/// # Errors
/// Any [`DbError`].
pub async fn save(core: &Core, source: &str, cursor: &str) -> Result<(), DbError> {
    let schema = core.db.schema();
    let sql = format!(
        "-- {schema}.feed_cursors.save\n\
         INSERT INTO {schema}.feed_cursors (source, cursor, updated_at) VALUES ($1, $2, $3) \
         ON CONFLICT ON CONSTRAINT feed_cursors_pkey DO UPDATE \
         SET cursor = excluded.cursor, updated_at = excluded.updated_at"
    );
    let mut tx = core.db.system().await?;
    query(&sql)
        .bind(source)
        .bind(cursor)
        .bind(core.sources.now())
        .execute(tx.conn())
        .await?;
    tx.commit().await
}
