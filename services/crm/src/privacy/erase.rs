use std::collections::BTreeMap;

use axum::extract::State;
use bz_auth::{Caller, Can};
use bz_events::NewEvent;
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{query, query_scalar};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    PrivacyManage, Subject,
    person::{Person, types as people},
};
use crate::{
    app::AppState,
    records::{Kind, RecordType, changes},
    search,
};

/// What stands where a name must be.
const ERASED: &str = "Erased";
/// What says nothing of who it was and is counted and summed.
const KEPT: [&str; 4] = ["source", "campaign", "industry", "country"];

/// Whom to erase.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Erase {
    /// Whom it is about.
    subject: Subject,
    /// Must be true: nothing brings it back.
    i_know_this_is_final: bool,
}

impl Validate for Erase {
    fn validate(&self, errors: &mut Errors) {
        let mut inner = Errors::default();
        self.subject.validate(&mut inner);
        for fault in Vec::<bz_http::FieldError>::from(inner) {
            let pointer = fault.pointer.unwrap_or_default();
            errors.add(format!("/subject{pointer}"), fault.code, fault.message);
        }
        if !self.i_know_this_is_final {
            errors.add(
                "/i_know_this_is_final",
                "not_confirmed",
                "must be true: nothing brings the data back",
            );
        }
    }
}

/// What was erased.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Erasure {
    /// The entry in the record of changes.
    id: Uuid,
    /// By part, how many rows were emptied or deleted; all 0 when the person is not known, or not any more.
    erased: BTreeMap<String, u64>,
}

/// Erase what is known of a person. This is final.
///
/// The person's records stay as empty rows in the trash, so that counts and sums stay right; texts, addresses, the tenant's
/// own fields, tags, linked texts, form submissions and the contents of changes go, and with them what was made of them for
/// searching and for scores. The record of changes gets an entry that names nobody. Once more answers 0.
#[utoipa::path(
    post, path = "/api/privacy/erase", tag = "privacy",
    security(("bearer" = ["privacy:manage"])),
    request_body = Erase,
    responses((status = 200, description = "What was erased", body = Erasure), bz_http::openapi::WriteProblems),
)]
pub(super) async fn erase_person(
    State(app): State<AppState>,
    caller: Can<PrivacyManage>,
    Json(wanted): Json<Erase>,
) -> Result<Json<Erasure>, Problem> {
    let now = app.core.sources.now();
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let person = Person::find(&mut tx, &wanted.subject).await?;
    let mut erased = BTreeMap::new();
    for (name, sql) in texts() {
        erased.insert(name.to_owned(), run(&mut tx, sql, &person).await?);
    }
    for record in people() {
        let count = empty(&mut tx, record, &person.ids(record), now).await?;
        erased.insert(record.plural.to_owned(), count);
    }
    search::words::forget(&mut tx).await?;
    let id = written_down(&app, &mut tx, &caller, &person, &erased).await?;
    tx.commit().await?;
    app.wake();
    Ok(Json(Erasure { id, erased }))
}

/// What is emptied or deleted besides the person's records: `$1` are their ids, `$2` the addresses.
fn texts() -> [(&'static str, &'static str); 7] {
    [
        (
            "activities",
            "UPDATE crm.activities AS t SET subject = NULL, body = NULL, outcome = NULL, participants = '[]', custom = '{}', \
             tags = '{}', external_id = NULL, version = t.version + 1 \
             WHERE t.id IN (SELECT from_id FROM crm.record_links WHERE from_type = 'activity' AND to_id = ANY($1))",
        ),
        (
            "participants",
            "UPDATE crm.activities AS t SET version = t.version + 1, participants = (SELECT coalesce(jsonb_agg(p), '[]') \
             FROM jsonb_array_elements(t.participants) AS p WHERE NOT EXISTS (SELECT 1 FROM jsonb_path_query(p, '$.**') AS v \
             WHERE lower(v #>> '{}') = ANY($2))) WHERE jsonb_typeof(t.participants) = 'array' AND EXISTS (\
             SELECT 1 FROM jsonb_path_query(t.participants, '$.**') AS v WHERE lower(v #>> '{}') = ANY($2))",
        ),
        (
            "todos",
            "UPDATE crm.todos AS t SET title = 'Erased', description = NULL, custom = '{}', tags = '{}', external_id = NULL, \
             version = t.version + 1 \
             WHERE t.id IN (SELECT from_id FROM crm.record_links WHERE from_type = 'todo' AND to_id = ANY($1))",
        ),
        (
            "form_submissions",
            "DELETE FROM crm.capture_submissions WHERE lead_id = ANY($1) OR email_norm = ANY($2)",
        ),
        (
            "changes",
            "UPDATE crm.record_changes SET changes = '{}', reason = NULL WHERE record_id = ANY($1) OR record_id IN (\
             SELECT from_id FROM crm.record_links WHERE to_id = ANY($1))",
        ),
        (
            "merges",
            "DELETE FROM crm.merges WHERE primary_id = ANY($1) OR other_ids && $1",
        ),
        (
            "remembered_answers",
            "DELETE FROM crm.idempotency_keys WHERE body IS NOT NULL AND EXISTS (\
             SELECT 1 FROM unnest($1::uuid[]) AS id WHERE position(convert_to(id::text, 'UTF8') IN body) > 0)",
        ),
    ]
}

async fn run(tx: &mut TenantTx, sql: &str, person: &Person) -> Result<u64, DbError> {
    // Every statement has both parameters, used or not.
    let sql = format!("-- crm.privacy.erase\nWITH given AS (SELECT $1::uuid[], $2::text[]) {sql}");
    let done = query(&sql)
        .bind(person.all_ids())
        .bind(&person.emails)
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected())
}

/// Empties records of a type. What is found of them by tag or by the tenant's own fields goes by itself.
async fn empty(
    tx: &mut TenantTx,
    record: &RecordType,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<u64, DbError> {
    if ids.is_empty() {
        return Ok(0);
    }
    let normal: Vec<String> = query_scalar(
        "-- crm.privacy.normal_columns\n\
         SELECT attname::text FROM pg_attribute WHERE attrelid = $1::regclass AND attname LIKE '%\\_norm' AND NOT attisdropped",
    )
    .bind(record.table)
    .fetch_all(tx.conn())
    .await?;
    let mut set: Vec<String> = normal
        .iter()
        .map(|column| format!("{column} = NULL"))
        .collect();
    let personal = record
        .fields
        .iter()
        .filter(|field| field.written && !KEPT.contains(&field.name));
    set.extend(personal.filter_map(|field| emptied(field.name, field.kind)));
    let sql = format!(
        "-- crm.privacy.empty\n\
         UPDATE {} SET {}, custom = '{{}}', tags = '{{}}', version = version + 1, updated_at = $2, \
         deleted_at = coalesce(deleted_at, $2) WHERE id = ANY($1)",
        record.table,
        set.join(", ")
    );
    let done = query(&sql).bind(ids).bind(now).execute(tx.conn()).await?;
    query(
        "-- crm.privacy.erased\n\
         INSERT INTO crm.erased_records (record_type, record_id, erased_at) SELECT $1, id, $3 FROM unnest($2::uuid[]) AS id",
    )
    .bind(record.name)
    .bind(ids)
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// A field without what it said. Numbers, states, amounts and ids say nothing of who it was.
fn emptied(name: &str, kind: Kind) -> Option<String> {
    match kind {
        Kind::Text if name == "first_name" => Some(format!("{name} = '{ERASED}'")),
        Kind::Text | Kind::Date => Some(format!("{name} = NULL")),
        Kind::Texts => Some(format!("{name} = '{{}}'")),
        Kind::Json => Some(format!(
            "{name} = CASE jsonb_typeof({name}) WHEN 'array' THEN '[]'::jsonb ELSE '{{}}'::jsonb END"
        )),
        _ => None,
    }
}

/// What an event says of a record that was erased.
#[derive(Serialize)]
struct Gone {
    id: Uuid,
    erased: bool,
}

/// Tells those who keep something of the records that they are gone, and writes down that somebody was erased: how much,
/// but not who.
async fn written_down(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    person: &Person,
    erased: &BTreeMap<String, u64>,
) -> Result<Uuid, DbError> {
    let actor: Option<UserId> = Some(caller.user);
    for (record, id) in &person.records {
        let event = NewEvent {
            kind: record.events[2],
            actor,
            data: Gone {
                id: *id,
                erased: true,
            },
        };
        bz_events::append(tx, &app.core.sources, event).await?;
    }
    let id: Uuid = app.core.sources.id();
    let counts = erased
        .iter()
        .map(|(name, count)| (name.clone(), json!([null, count])));
    let note = changes::Note {
        id,
        record_type: "privacy",
        record: id,
        action: "erased",
        actor,
        at: app.core.sources.now(),
        changes: counts.collect(),
        reason: None,
    };
    changes::insert(tx, note).await?;
    Ok(id)
}
