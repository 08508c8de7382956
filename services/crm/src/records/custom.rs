//! The tenant's own fields: their definitions, and whether a record's values fit them.

use std::sync::Arc;

use bz_http::{Errors, Problem};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, NaiveDate};
use serde_json::{Map, Value};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Fields, Kind, Record, Work, sql::Sql};
use crate::{app::AppState, problems, rules};

/// What a tenant says of one of its fields.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Definition {
    /// Its id, which `custom_values` go by.
    pub id: Uuid,
    /// The type of record that has it.
    pub record_type: String,
    /// Its name in `custom`.
    pub key: String,
    /// Its name for people.
    pub label: String,
    /// What values it has: `text`, `number`, `boolean`, `date`, `datetime`, `select`, `multi_select`, `url`, `email`,
    /// `phone`.
    #[sqlx(rename = "type")]
    pub kind: String,
    /// What may be selected.
    pub options: Vec<String>,
    /// Whether every record must have it.
    pub required: bool,
    /// Whether no two records may have the same value.
    pub is_unique: bool,
    /// Whether lists can be filtered and sorted by it.
    pub filterable: bool,
    /// Whether the lead score learns from it: `auto`, `include`, `exclude`.
    pub scoring: String,
}

/// All definitions of the tenant, as they were within the last second.
pub(crate) async fn definitions(
    app: &AppState,
    tx: &mut TenantTx,
) -> Result<Arc<Vec<Definition>>, DbError> {
    match app.known.custom.get(&tx.scope().tenant()) {
        Some(known) => Ok(known),
        None => load(app, tx).await,
    }
}

async fn load(app: &AppState, tx: &mut TenantTx) -> Result<Arc<Vec<Definition>>, DbError> {
    let sql = Sql::new(
        "-- crm.custom_fields.definitions\n\
         SELECT id, record_type, key, label, type, options, required, is_unique, filterable, scoring \
         FROM crm.custom_fields ORDER BY record_type, position, key",
    );
    let rows = Arc::new(sql.fetch_all(tx).await?);
    app.known.custom.insert(tx.scope().tenant(), rows.clone());
    Ok(rows)
}

/// Where the values of a field of the tenant's own are, and of what kind they are there.
pub(crate) fn column_of(field: &Definition) -> (&'static str, Kind) {
    match field.kind.as_str() {
        "number" => ("number", Kind::Number),
        "date" | "datetime" => ("at", Kind::Instant),
        _ => ("value", Kind::Text),
    }
}

/// Whether the values fit their definitions. A value of `null` is taken out.
///
/// # Errors
/// 422 with everything that is wrong.
pub(crate) async fn check<R: Record>(
    work: &mut Work<'_>,
    wanted: &mut R::Fields,
    before: Option<&R>,
) -> Result<(), Problem> {
    let custom = wanted.common_mut().custom;
    custom.retain(|_, value| !value.is_null());
    let mut known = definitions(work.app, work.tx).await?;
    let defined = |known: &[Definition], key: &str| {
        known
            .iter()
            .any(|field| field.record_type == R::TYPE.name && field.key == key)
    };
    if custom.keys().any(|key| !defined(&known, key)) {
        // It may have been defined a moment ago, by way of another process.
        known = load(work.app, work.tx).await?;
    }
    let mut errors = Errors::default();
    let of_type: Vec<&Definition> = known
        .iter()
        .filter(|field| field.record_type == R::TYPE.name)
        .collect();
    validate(&of_type, custom, &mut errors);
    if !errors.is_empty() {
        return Err(Problem::validation(errors));
    }
    let unique = |field: &&Definition| field.is_unique && custom.contains_key(&field.key);
    if of_type.iter().any(unique) {
        let taken = taken::<R>(work.tx, custom, before).await?;
        if let Some((key,)) = taken {
            return Err(problems::not_unique(format!("/custom/{key}")));
        }
    }
    Ok(())
}

/// A unique field whose value another record has. Two requests at once are told apart by the index.
async fn taken<R: Record>(
    tx: &mut TenantTx,
    custom: &Map<String, Value>,
    before: Option<&R>,
) -> Result<Option<(String,)>, DbError> {
    let mut sql = Sql::new("-- crm.custom_values.taken\nSELECT f.key FROM (SELECT ");
    sql.bind(sqlx::types::Json(custom.clone()))
        .push("::jsonb AS custom) AS sent JOIN crm.custom_fields AS f ON f.is_unique AND f.record_type = ")
        .bind(R::TYPE.name);
    sql.push(
        " AND sent.custom ? f.key CROSS JOIN LATERAL crm.custom_texts(f.type, sent.custom -> f.key) AS e (value) \
         JOIN crm.custom_values AS v ON v.is_unique AND v.field_id = f.id AND v.value = e.value \
         WHERE v.record_id IS DISTINCT FROM ",
    )
    .bind(before.map(|record| record.head().id));
    sql.push(" ORDER BY f.key LIMIT 1");
    sql.fetch_optional(tx).await
}

/// Adds what is wrong with values under these definitions.
pub(crate) fn validate(
    definitions: &[&Definition],
    custom: &Map<String, Value>,
    errors: &mut Errors,
) {
    for (key, value) in custom {
        let pointer = format!("/custom/{}", key.replace('~', "~0").replace('/', "~1"));
        match definitions.iter().find(|field| field.key == *key) {
            None => errors.add(
                pointer,
                "unknown_field",
                "is not defined; define it with POST /api/custom-fields",
            ),
            Some(field) => {
                if let Err((code, message)) = fits(field, value) {
                    errors.add(pointer, code, message);
                }
            }
        }
    }
    for field in definitions {
        if field.required && !custom.contains_key(&field.key) {
            errors.add(
                format!("/custom/{}", field.key),
                "required",
                format!("is required: {}", field.label),
            );
        }
    }
}

/// Whether a value is one of the field's type.
fn fits(field: &Definition, value: &Value) -> Result<(), (&'static str, String)> {
    let text = || value.as_str().filter(|text| text.chars().count() <= 5_000);
    let option = |text: &str| field.options.iter().any(|option| option == text);
    let one_of = || format!("must be one of: {}", field.options.join(", "));
    let (fits, wanted) = match field.kind.as_str() {
        "number" => (value.is_number(), "must be a number".to_owned()),
        "boolean" => (value.is_boolean(), "must be true or false".to_owned()),
        "date" => (
            text().is_some_and(|text| text.parse::<NaiveDate>().is_ok()),
            "must be a day such as 2026-05-31".to_owned(),
        ),
        "datetime" => (
            text().is_some_and(|text| DateTime::parse_from_rfc3339(text).is_ok()),
            "must be a time such as 2026-05-31T09:30:00Z".to_owned(),
        ),
        "select" => (text().is_some_and(option), one_of()),
        "multi_select" => (
            value.as_array().is_some_and(|all| {
                all.len() <= 100 && all.iter().all(|one| one.as_str().is_some_and(option))
            }),
            format!("must be a list; each {}", one_of()),
        ),
        "email" => (
            text().is_some_and(rules::is_email),
            "must be an e-mail address such as ada@example.com".to_owned(),
        ),
        _ => (
            text().is_some(),
            "must be a text of at most 5,000 characters".to_owned(),
        ),
    };
    if fits {
        Ok(())
    } else {
        Err(("invalid_value", wanted))
    }
}
