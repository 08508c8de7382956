//! How far each feed was read.

use bz_service::Core;
use bz_tenant::DbError;
use sqlx::{query, query_scalar};

/// The cursor of a feed; none before the first batch.
pub(crate) async fn load(core: &Core, source: &str) -> Result<Option<String>, DbError> {
    let mut tx = core.db.system().await?;
    let cursor = query_scalar(
        "-- analytics.feed_cursors.load\n\
         SELECT cursor FROM analytics.feed_cursors WHERE source = $1",
    )
    .bind(source)
    .fetch_optional(tx.conn())
    .await?;
    Ok(cursor)
}

/// Stores the cursor behind the last event taken in.
pub(crate) async fn save(core: &Core, source: &str, cursor: &str) -> Result<(), DbError> {
    let mut tx = core.db.system().await?;
    query(
        "-- analytics.feed_cursors.save\n\
         INSERT INTO analytics.feed_cursors (source, cursor, updated_at) VALUES ($1, $2, $3) \
         ON CONFLICT ON CONSTRAINT feed_cursors_pkey DO UPDATE \
         SET cursor = excluded.cursor, updated_at = excluded.updated_at",
    )
    .bind(source)
    .bind(cursor)
    .bind(core.sources.now())
    .execute(tx.conn())
    .await?;
    tx.commit().await
}
