//! The rows that name merged records, and follow them. Each is written down with what it held before and after, so that a
//! merge is undone exactly, and what was changed since is left alone.

use std::collections::BTreeMap;

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{query, query_as};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Place;

/// What is linked to records: the type of link, and the table whose column `links` says so.
const LINKED: [(&str, &str); 2] = [("activity", "crm.activities"), ("todo", "crm.todos")];
/// The most conflicts that an undo names.
const MOST_CONFLICTS: i64 = 100;

/// A merge at work.
pub(super) struct Moves<'a> {
    pub tx: &'a mut TenantTx,
    pub merge: Uuid,
    pub now: DateTime<Utc>,
    /// The type of the records.
    pub record: &'static str,
    pub places: &'static [Place],
}

/// Something that an undo left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Conflict {
    /// Where: a field of the record, a column of a table, or `merged_into`.
    pub place: String,
    /// The record or row.
    pub id: Uuid,
    /// Why: `changed_since`, `gone`.
    pub reason: String,
}

impl Moves<'_> {
    /// Moves everything from the others to the primary record; answers how many rows of which place.
    pub(super) async fn forward(
        &mut self,
        primary: Uuid,
        others: &[Uuid],
    ) -> Result<BTreeMap<String, i64>, DbError> {
        for place in self.places {
            match place {
                Place::One(table, column) => {
                    let found = format!("t.{column} = ANY($3)");
                    let after = "to_jsonb($4)".to_owned();
                    self.note(table, column, &found, &after, primary, others)
                        .await?;
                    self.put(table, column, "after").await?;
                }
                Place::Several(table, column, pairs) => {
                    let found = format!(
                        "t.id IN (SELECT {} FROM {} WHERE {} = ANY($3))",
                        pairs.row, pairs.table, pairs.merged
                    );
                    let after = format!(
                        "(SELECT jsonb_agg(id ORDER BY n) FROM (SELECT id, min(n) AS n FROM (\
                         SELECT CASE WHEN u.id = ANY($3) THEN $4 ELSE u.id END AS id, u.n \
                         FROM unnest(t.{column}) WITH ORDINALITY AS u (id, n)) AS x GROUP BY id) AS y)"
                    );
                    self.note(table, column, &found, &after, primary, others)
                        .await?;
                    self.put(table, column, "after").await?;
                    self.pair(place).await?;
                }
            }
        }
        let record = self.record;
        for (from, table) in LINKED {
            let found = format!(
                "t.id IN (SELECT from_id FROM crm.record_links WHERE to_type = '{record}' AND to_id = ANY($3) \
                 AND from_type = '{from}')"
            );
            let after = format!(
                "(SELECT coalesce(jsonb_agg(e ORDER BY n), '[]') FROM (SELECT e, min(n) AS n FROM (\
                 SELECT CASE WHEN u.e ->> 'type' = '{record}' AND (u.e ->> 'id')::uuid = ANY($3) \
                 THEN u.e || jsonb_build_object('id', $4::text) ELSE u.e END AS e, u.n \
                 FROM jsonb_array_elements(t.links) WITH ORDINALITY AS u (e, n)) AS x GROUP BY e) AS y)"
            );
            self.note(table, "links", &found, &after, primary, others)
                .await?;
            self.put(table, "links", "after").await?;
            self.link(from, table).await?;
        }
        self.count().await
    }

    /// Puts everything back that is still as the merge left it; answers what is not.
    pub(super) async fn back(&mut self) -> Result<Vec<Conflict>, DbError> {
        let mut conflicts = Vec::new();
        let places = self.places.iter().map(|place| match place {
            Place::One(table, column) | Place::Several(table, column, _) => (*table, *column),
        });
        let all: Vec<_> = places
            .chain(LINKED.map(|(_, table)| (table, "links")))
            .collect();
        for (table, column) in all {
            conflicts.extend(self.changed(table, column).await?);
            self.put(table, column, "before").await?;
        }
        for place in self.places {
            self.pair(place).await?;
        }
        for (from, table) in LINKED {
            self.link(from, table).await?;
        }
        Ok(conflicts)
    }

    /// Writes down what a place holds and what it is to hold.
    async fn note(
        &mut self,
        table: &str,
        column: &str,
        found: &str,
        after: &str,
        primary: Uuid,
        others: &[Uuid],
    ) -> Result<(), DbError> {
        let sql = format!(
            "-- crm.merge_moves.note\n\
             INSERT INTO crm.merge_moves (merge_id, place, row_id, before, after) \
             SELECT $1, $2, t.id, to_jsonb(t.{column}), {after} FROM {table} AS t WHERE {found} AND t.id <> $4"
        );
        query(&sql)
            .bind(self.merge)
            .bind(format!("{table}.{column}"))
            .bind(others)
            .bind(primary)
            .execute(self.tx.conn())
            .await?;
        Ok(())
    }

    /// Gives the rows of a place what they are to hold, or held: `side` is `after` or `before`. A row that holds something
    /// else by now is left alone.
    async fn put(&mut self, table: &str, column: &str, side: &str) -> Result<(), DbError> {
        let other = if side == "after" { "before" } else { "after" };
        let value = match column {
            "links" => format!("m.{side}"),
            column if column.ends_with("_ids") => {
                format!("ARRAY(SELECT jsonb_array_elements_text(m.{side})::uuid)")
            }
            _ => format!("(m.{side} #>> '{{}}')::uuid"),
        };
        let sql = format!(
            "-- crm.merge_moves.put\n\
             UPDATE {table} AS t SET {column} = {value}, version = t.version + 1, updated_at = $3 \
             FROM crm.merge_moves AS m \
             WHERE m.merge_id = $1 AND m.place = $2 AND t.id = m.row_id \
               AND to_jsonb(t.{column}) IS NOT DISTINCT FROM m.{other}"
        );
        query(&sql)
            .bind(self.merge)
            .bind(format!("{table}.{column}"))
            .bind(self.now)
            .execute(self.tx.conn())
            .await?;
        Ok(())
    }

    /// The rows of a place that somebody changed, or that are gone.
    async fn changed(&mut self, table: &str, column: &str) -> Result<Vec<Conflict>, DbError> {
        let place = format!("{table}.{column}");
        let sql = format!(
            "-- crm.merge_moves.changed\n\
             SELECT m.row_id, t.id IS NULL FROM crm.merge_moves AS m LEFT JOIN {table} AS t ON t.id = m.row_id \
             WHERE m.merge_id = $1 AND m.place = $2 \
               AND (t.id IS NULL OR to_jsonb(t.{column}) IS DISTINCT FROM m.after) LIMIT {MOST_CONFLICTS}"
        );
        let rows: Vec<(Uuid, bool)> = query_as(&sql)
            .bind(self.merge)
            .bind(&place)
            .fetch_all(self.tx.conn())
            .await?;
        let conflict = |(id, gone)| Conflict {
            place: place.trim_start_matches("crm.").to_owned(),
            id,
            reason: if gone { "gone" } else { "changed_since" }.to_owned(),
        };
        Ok(rows.into_iter().map(conflict).collect())
    }

    /// Makes the table of pairs say what the column says.
    async fn pair(&mut self, place: &Place) -> Result<(), DbError> {
        let Place::Several(table, column, pairs) = place else {
            return Ok(());
        };
        let (pairs_table, merged, row) = (pairs.table, pairs.merged, pairs.row);
        let rows = "SELECT row_id FROM crm.merge_moves WHERE merge_id = $1 AND place = $2";
        let named = format!("{table}.{column}");
        let clear =
            format!("-- crm.merge_moves.unpair\nDELETE FROM {pairs_table} WHERE {row} IN ({rows})");
        let fill = format!(
            "-- crm.merge_moves.pair\n\
             INSERT INTO {pairs_table} ({row}, {merged}) \
             SELECT t.id, u.id FROM {table} AS t CROSS JOIN LATERAL unnest(t.{column}) AS u (id) \
             WHERE t.id IN ({rows}) ON CONFLICT DO NOTHING"
        );
        for sql in [clear, fill] {
            query(&sql)
                .bind(self.merge)
                .bind(&named)
                .execute(self.tx.conn())
                .await?;
        }
        Ok(())
    }

    /// Makes `record_links` say what the column says.
    async fn link(&mut self, from: &str, table: &str) -> Result<(), DbError> {
        let rows = "SELECT row_id FROM crm.merge_moves WHERE merge_id = $1 AND place = $2";
        let named = format!("{table}.links");
        let clear = format!(
            "-- crm.merge_moves.unlink\n\
             DELETE FROM crm.record_links WHERE from_type = '{from}' AND from_id IN ({rows})"
        );
        let fill = format!(
            "-- crm.merge_moves.link\n\
             INSERT INTO crm.record_links (to_type, to_id, from_type, from_id) \
             SELECT u.e ->> 'type', (u.e ->> 'id')::uuid, '{from}', t.id \
             FROM {table} AS t CROSS JOIN LATERAL jsonb_array_elements(t.links) AS u (e) \
             WHERE t.id IN ({rows}) ON CONFLICT DO NOTHING"
        );
        for sql in [clear, fill] {
            query(&sql)
                .bind(self.merge)
                .bind(&named)
                .execute(self.tx.conn())
                .await?;
        }
        Ok(())
    }

    /// How many rows of which place moved.
    pub(super) async fn count(&mut self) -> Result<BTreeMap<String, i64>, DbError> {
        let rows: Vec<(String, i64)> = query_as(
            "-- crm.merge_moves.count\n\
             SELECT place, count(*) FROM crm.merge_moves WHERE merge_id = $1 GROUP BY place",
        )
        .bind(self.merge)
        .fetch_all(self.tx.conn())
        .await?;
        let plain =
            |(place, count): (String, i64)| (place.trim_start_matches("crm.").to_owned(), count);
        Ok(rows.into_iter().map(plain).collect())
    }
}
