use std::collections::BTreeMap;

use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{query_scalar, types};
use utoipa::ToSchema;

use super::{
    PrivacyManage, Subject,
    person::{Person, types as people},
};
use crate::app::AppState;

/// The most rows of one part.
const MOST_ROWS: usize = 10_000;

/// Everything that is known of a person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PersonExport {
    /// When it was put together.
    generated_at: DateTime<Utc>,
    /// The addresses that were looked for.
    emails: Vec<String>,
    /// By part (a type of record, `activities`, `todos`, `deals`, `changes`, `form_submissions`): the rows as they are stored.
    #[schema(value_type = Object)]
    parts: BTreeMap<String, Vec<Value>>,
    /// The parts that have more than 10,000 rows, of which the first are here.
    truncated: Vec<String>,
}

/// Export what is known of a person.
///
/// Of an address or a record: all records of the person, those in the trash included, what is linked to them, where the
/// address takes part, what was submitted by forms, and every change. One document.
#[utoipa::path(
    post, path = "/api/privacy/export", tag = "privacy",
    security(("bearer" = ["privacy:manage"])),
    request_body = Subject,
    responses((status = 200, description = "What is known", body = PersonExport), bz_http::openapi::WriteProblems),
)]
pub(super) async fn export_person(
    State(app): State<AppState>,
    caller: Can<PrivacyManage>,
    Json(subject): Json<Subject>,
) -> Result<Json<PersonExport>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let person = Person::find(&mut tx, &subject).await?;
    if person.records.is_empty() && subject.record.is_some() {
        return Err(Problem::not_found());
    }
    let mut export = PersonExport {
        generated_at: app.core.sources.now(),
        emails: person.emails.clone(),
        parts: BTreeMap::new(),
        truncated: Vec::new(),
    };
    for (name, from) in parts() {
        let mut rows = rows(&mut tx, &from, &person).await?;
        if rows.len() > MOST_ROWS {
            rows.truncate(MOST_ROWS);
            export.truncated.push(name.clone());
        }
        if !rows.is_empty() {
            export.parts.insert(name, rows);
        }
    }
    Ok(Json(export))
}

/// The parts and where they are: `$1` are ids of the person's records, `$2` the addresses.
fn parts() -> Vec<(String, String)> {
    const LINKED: &str = "t.id IN (SELECT from_id FROM crm.record_links WHERE to_id = ANY($1))";
    let mut parts: Vec<(String, String)> = people()
        .map(|record| {
            (
                record.plural.to_owned(),
                format!("{} AS t WHERE t.id = ANY($1)", record.table),
            )
        })
        .collect();
    let others = [
        (
            "activities",
            format!(
                "crm.activities AS t WHERE {LINKED} OR EXISTS (SELECT 1 FROM jsonb_path_query(t.participants, '$.**') AS v \
             WHERE lower(v #>> '{{}}') = ANY($2))"
            ),
        ),
        ("todos", format!("crm.todos AS t WHERE {LINKED}")),
        (
            "deals",
            "crm.deals AS t WHERE t.lead_id = ANY($1) OR t.id IN (\
          SELECT deal_id FROM crm.deal_contacts WHERE contact_id = ANY($1))"
                .to_owned(),
        ),
        (
            "changes",
            "crm.record_changes AS t WHERE t.record_id = ANY($1)".to_owned(),
        ),
        (
            "form_submissions",
            "crm.capture_submissions AS t WHERE t.lead_id = ANY($1) OR t.email_norm = ANY($2)"
                .to_owned(),
        ),
    ];
    parts.extend(others.map(|(name, from)| (name.to_owned(), from)));
    parts
}

async fn rows(tx: &mut TenantTx, from: &str, person: &Person) -> Result<Vec<Value>, DbError> {
    // Both parameters have a type in every statement, used or not.
    let sql = format!(
        "-- crm.privacy.export\n\
         SELECT to_jsonb(t) - 'tenant_id' FROM (SELECT $1::uuid[] AS ids, $2::text[] AS emails) AS given, {from} \
         ORDER BY t.id LIMIT {}",
        MOST_ROWS + 1
    );
    let sql = sql
        .replace("ANY($1)", "ANY(given.ids)")
        .replace("ANY($2)", "ANY(given.emails)");
    let rows: Vec<types::Json<Value>> = query_scalar(&sql)
        .bind(person.all_ids())
        .bind(&person.emails)
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}
