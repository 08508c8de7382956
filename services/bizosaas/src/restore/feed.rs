//! The order of events after a move to another server.
//!
//! The outbox is ordered by the number of the transaction that wrote an event, and a server's numbers are its own. On a
//! younger server the restored events would be of the future: hidden from the feed until its numbers have come so far,
//! and new events would be behind what was read already. So the restored events get the oldest number there is and are
//! told apart by their sequence, in the order that they had; the positions of the readers move with them.

use anyhow::Context;
use bz_kernel::platform::SERVICES;
use bz_tenant::migrate::Target;
use sqlx::{Connection, Executor, PgConnection};

/// The first number that a transaction can have; a server uses it up when it is made.
const OLDEST: &str = "3";

/// Renumbers the events of each schema where that is needed, and answers how many.
pub(super) async fn rebase(target: &Target) -> anyhow::Result<i64> {
    let mut conn = target.connect().await?;
    let mut moved = 0;
    for service in SERVICES {
        let schema = service.schema;
        conn.execute("BEGIN").await?;
        let cursors = cursors(&mut conn, service.name).await?;
        if is_of_the_future(&mut conn, schema, &cursors).await? {
            for cursor in &cursors {
                move_cursor(&mut conn, service.name, schema, cursor).await?;
            }
            move_webhook_cursor(&mut conn, schema).await?;
            moved += renumber(&mut conn, schema).await?;
        }
        conn.execute("COMMIT").await?;
    }
    conn.close().await?;
    Ok(moved)
}

/// How far one service has read the feed of another; the text is `<transaction>-<sequence>`.
struct Cursor {
    /// The schema of the reader.
    reader: &'static str,
    txid: String,
    seq: i64,
}

/// The positions of all readers of a feed.
async fn cursors(conn: &mut PgConnection, source: &str) -> anyhow::Result<Vec<Cursor>> {
    let mut cursors = Vec::new();
    for reader in SERVICES.map(|service| service.schema) {
        let exists = "SELECT to_regclass($1 || '.feed_cursors') IS NOT NULL";
        let exists = sqlx::query_scalar(exists).bind(reader);
        if !exists.fetch_one(&mut *conn).await? {
            continue;
        }
        let sql = format!("SELECT cursor FROM {reader}.feed_cursors WHERE source = $1");
        let text: Option<String> = sqlx::query_scalar(&sql)
            .bind(source)
            .fetch_optional(&mut *conn)
            .await?;
        let Some(text) = text else { continue };
        let parts = text.split_once('-');
        let (txid, seq) = parts.with_context(|| format!("{text:?} is not a position in a feed"))?;
        cursors.push(Cursor {
            reader,
            txid: txid.to_owned(),
            seq: seq.parse()?,
        });
    }
    Ok(cursors)
}

async fn is_of_the_future(
    conn: &mut PgConnection,
    schema: &str,
    cursors: &[Cursor],
) -> anyhow::Result<bool> {
    let exists = "SELECT to_regclass($1 || '.events') IS NOT NULL";
    let exists: bool = sqlx::query_scalar(exists)
        .bind(schema)
        .fetch_one(&mut *conn)
        .await?;
    if !exists {
        return Ok(false);
    }
    let sql = format!(
        "SELECT EXISTS (SELECT FROM {schema}.events WHERE txid >= pg_snapshot_xmin(pg_current_snapshot()))
             OR EXISTS (SELECT FROM unnest($1::text[]) AS read (txid)
                        WHERE read.txid::xid8 >= pg_snapshot_xmin(pg_current_snapshot()))"
    );
    let positions: Vec<&str> = cursors.iter().map(|cursor| cursor.txid.as_str()).collect();
    Ok(sqlx::query_scalar(&sql)
        .bind(positions)
        .fetch_one(conn)
        .await?)
}

/// Puts a reader behind as many events as it was.
async fn move_cursor(
    conn: &mut PgConnection,
    source: &str,
    schema: &str,
    Cursor { reader, txid, seq }: &Cursor,
) -> anyhow::Result<()> {
    let sql = format!(
        "UPDATE {reader}.feed_cursors
         SET cursor = '{OLDEST}-' || (SELECT count(*) FROM {schema}.events WHERE (txid, seq) <= ($2::text::xid8, $3))
         WHERE source = $1"
    );
    sqlx::query(&sql)
        .bind(source)
        .bind(txid)
        .bind(seq)
        .execute(conn)
        .await?;
    Ok(())
}

/// The same for the schema's own reader, which makes deliveries to webhooks of the events.
async fn move_webhook_cursor(conn: &mut PgConnection, schema: &str) -> anyhow::Result<()> {
    let exists = "SELECT to_regclass($1 || '.webhook_cursor') IS NOT NULL";
    let exists: bool = sqlx::query_scalar(exists)
        .bind(schema)
        .fetch_one(&mut *conn)
        .await?;
    if exists {
        let sql = format!(
            "UPDATE {schema}.webhook_cursor AS c SET txid = '{OLDEST}',
               seq = (SELECT count(*) FROM {schema}.events AS e WHERE (e.txid, e.seq) <= (c.txid, c.seq))"
        );
        conn.execute(sql.as_str()).await?;
    }
    Ok(())
}

/// The new numbers are never above the old ones, so the column's own sequence goes on behind them.
async fn renumber(conn: &mut PgConnection, schema: &str) -> anyhow::Result<i64> {
    let generated =
        |how: &str| format!("ALTER TABLE {schema}.events ALTER COLUMN seq SET GENERATED {how}");
    conn.execute(generated("BY DEFAULT").as_str()).await?;
    let sql = format!(
        "WITH numbered AS (SELECT tenant_id, id, row_number() OVER (ORDER BY txid, seq) AS n FROM {schema}.events)
         UPDATE {schema}.events AS e SET txid = '{OLDEST}', seq = numbered.n
         FROM numbered WHERE (e.tenant_id, e.id) = (numbered.tenant_id, numbered.id)"
    );
    let renumbered = conn.execute(sql.as_str()).await?.rows_affected();
    conn.execute(generated("ALWAYS").as_str()).await?;
    Ok(i64::try_from(renumbered)?)
}
