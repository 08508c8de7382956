//! One change of many records in one statement, written down and told for each as if each had been changed alone.

use bz_tenant::DbError;

use super::{RecordType, Work, sql::Sql};

/// A change that many records may get.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rewrite<'a> {
    /// A tag becomes another one, or goes.
    Tag { from: &'a str, to: Option<&'a str> },
    /// A field of the tenant's own goes.
    Custom { key: &'a str },
    /// A team goes.
    Team { id: uuid::Uuid },
}

impl Rewrite<'_> {
    const fn column(self) -> &'static str {
        match self {
            Self::Tag { .. } => "tags",
            Self::Custom { .. } => "custom",
            Self::Team { .. } => "team_id",
        }
    }

    /// The condition of a record that has it.
    fn condition(self, record: &RecordType, sql: &mut Sql) {
        match self {
            Self::Tag { from, .. } => {
                sql.push("id IN (SELECT record_id FROM crm.record_tags WHERE record_type = ")
                    .bind(record.name);
                sql.push(" AND tag = ").bind(from.to_owned()).push(")");
            }
            Self::Custom { key } => {
                sql.push("custom ? ").bind(key.to_owned());
            }
            Self::Team { id } => {
                sql.push("team_id = ").bind(id);
            }
        }
    }

    /// The value after the change.
    fn value(self, sql: &mut Sql) {
        match self {
            Self::Tag { from, to: None } => {
                sql.push("array_remove(t.tags, ")
                    .bind(from.to_owned())
                    .push(")");
            }
            Self::Tag { from, to: Some(to) } => {
                sql.push("CASE WHEN ").bind(to.to_owned());
                sql.push(" = ANY(t.tags) THEN array_remove(t.tags, ")
                    .bind(from.to_owned());
                sql.push(") ELSE array_replace(t.tags, ")
                    .bind(from.to_owned());
                sql.push(", ").bind(to.to_owned()).push(") END");
            }
            Self::Custom { key } => {
                sql.push("t.custom - ").bind(key.to_owned());
            }
            Self::Team { .. } => {
                sql.push("NULL");
            }
        }
    }

    /// What is written down: the field, and what it was and is.
    fn change(self, sql: &mut Sql) {
        match self {
            Self::Custom { key } => {
                sql.push("jsonb_build_object(")
                    .bind(format!("custom.{key}"));
                sql.push("::text");
                sql.push(", jsonb_build_array(was -> ")
                    .bind(key.to_owned())
                    .push(", NULL))");
            }
            _ => {
                sql.push("jsonb_build_object(")
                    .bind(self.column())
                    .push("::text");
                sql.push(", jsonb_build_array(to_jsonb(was), to_jsonb(is_now)))");
            }
        }
    }
}

/// Changes all records of a type that have it, and answers how many there were.
pub(crate) async fn rewrite(
    work: &mut Work<'_>,
    record: &'static RecordType,
    rewrite: Rewrite<'_>,
) -> Result<u64, DbError> {
    let (table, column) = (record.table, rewrite.column());
    let (now, actor) = (work.now(), work.actor.as_uuid());
    let mut sql = Sql::new(format!(
        "-- {table}.rewrite\nWITH those AS (SELECT id, {column} AS was FROM {table} WHERE "
    ));
    rewrite.condition(record, &mut sql);
    sql.push(" ORDER BY id FOR UPDATE), changed AS (UPDATE ")
        .push(table)
        .push(" AS t SET version = t.version + 1, updated_at = ")
        .bind(now);
    sql.push(", ").push(column).push(" = ");
    rewrite.value(&mut sql);
    sql.push(" FROM those WHERE t.id = those.id RETURNING t.id, t.version, those.was, t.")
        .push(column)
        .push(
            " AS is_now), noted AS (INSERT INTO crm.record_changes \
             (id, record_type, record_id, action, actor, at, changes) SELECT crm.time_ordered_id(",
        )
        .bind(now);
    sql.push("), ").bind(record.name);
    sql.push(", id, 'updated', ").bind(actor);
    sql.push(", ").bind(now).push(", ");
    rewrite.change(&mut sql);
    sql.push(" FROM changed) INSERT INTO crm.events (id, kind, at, actor, data) SELECT crm.time_ordered_id(")
        .bind(now);
    sql.push("), ").bind(record.events[1]);
    sql.push(", ").bind(now).push(", ").bind(actor);
    sql.push(", jsonb_build_object('id', id, 'version', version, 'changed', jsonb_build_array(")
        .bind(column)
        .push("::text)) FROM changed");
    sql.execute(work.tx).await
}
