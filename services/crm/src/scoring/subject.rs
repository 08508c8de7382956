//! A lead as scoring sees it: its fields at a time, and what happened with it until then.

use std::collections::{BTreeMap, HashMap};

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

use crate::records::sql::Sql;

/// A lead to score or to learn from.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub id: Uuid,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub last_activity_at: Option<DateTime<Utc>>,
    /// Its fields, as clients write them.
    pub fields: Map<String, Value>,
    /// How many activities of each type there were in its first hours.
    pub activities: BTreeMap<String, i64>,
    /// Won or lost, and when.
    pub outcome: Option<(bool, DateTime<Utc>)>,
}

#[derive(FromRow)]
struct Found {
    id: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    last_activity_at: Option<DateTime<Utc>>,
    outcome: Option<String>,
    outcome_at: Option<DateTime<Utc>>,
    fields: Json<Map<String, Value>>,
    activities: Option<Json<BTreeMap<String, i64>>>,
}

/// The time up to which things of a lead may be known: some hours after its creation, and never after its outcome or
/// its conversion. What is learned from must not know how it ended.
fn as_of(sql: &mut Sql, hours: u16) {
    sql.push("greatest(l.created_at, least(l.created_at + make_interval(hours => ")
        .bind(i32::from(hours))
        .push("), l.outcome_at, l.converted_at))");
}

/// Which leads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'a> {
    /// These.
    Ids(&'a [Uuid]),
    /// The next so many in order of their ids.
    After(Option<Uuid>, i64),
    /// The same of those whose outcome is known.
    Ended(Option<Uuid>, i64),
    /// So many of the newest.
    Newest(i64),
}

/// Leads as they are now.
pub(crate) async fn current(
    tx: &mut TenantTx,
    which: Which<'_>,
    hours: u16,
) -> Result<Vec<Subject>, DbError> {
    let mut sql = Sql::new(
        "-- crm.leads.subjects\n\
         SELECT l.id, l.created_at, l.updated_at, l.last_activity_at, l.outcome, l.outcome_at, \
         jsonb_build_object('first_name', l.first_name, 'last_name', l.last_name, 'email', l.email, 'phone', l.phone, \
           'company_name', l.company_name, 'title', l.title, 'website', l.website, 'industry', l.industry, \
           'employees', l.employees, 'country', l.country, 'city', l.city, 'source', l.source, 'campaign', l.campaign, \
           'annual_revenue', CASE WHEN l.annual_revenue IS NOT NULL THEN jsonb_build_object( \
             'amount', l.annual_revenue::text, 'currency', l.annual_revenue_currency) END, \
           'utm', l.utm, 'status', l.status, 'custom', l.custom) AS fields, happened.activities \
         FROM crm.leads AS l LEFT JOIN LATERAL ( \
           SELECT jsonb_object_agg(c.type, c.n) AS activities FROM ( \
             SELECT a.type, count(*) AS n FROM crm.record_links AS k JOIN crm.activities AS a ON a.id = k.from_id \
             WHERE k.to_type = 'lead' AND k.to_id = l.id AND k.from_type = 'activity' AND a.deleted_at IS NULL \
               AND greatest(a.occurred_at, a.created_at) <= ",
    );
    as_of(&mut sql, hours);
    sql.push(" GROUP BY a.type) AS c) AS happened ON true WHERE l.deleted_at IS NULL");
    match which {
        Which::Ids(ids) => {
            sql.push(" AND l.id = ANY(").bind(ids.to_vec()).push(")");
        }
        Which::After(after, limit) => page(&mut sql, after, limit),
        Which::Ended(after, limit) => {
            sql.push(" AND l.outcome IS NOT NULL");
            page(&mut sql, after, limit);
        }
        Which::Newest(limit) => {
            sql.push(" ORDER BY l.id DESC LIMIT ").bind(limit);
        }
    }
    let found: Vec<Found> = sql.fetch_all(tx).await?;
    Ok(found.into_iter().map(Subject::from).collect())
}

fn page(sql: &mut Sql, after: Option<Uuid>, limit: i64) {
    if let Some(after) = after {
        sql.push(" AND l.id > ").bind(after);
    }
    sql.push(" ORDER BY l.id LIMIT ").bind(limit);
}

/// Leads as they were when a model may have known them.
pub(crate) async fn as_known(
    tx: &mut TenantTx,
    which: Which<'_>,
    hours: u16,
) -> Result<Vec<Subject>, DbError> {
    let mut subjects = current(tx, which, hours).await?;
    let ids: Vec<Uuid> = subjects.iter().map(|subject| subject.id).collect();
    let mut sql = Sql::new(
        "-- crm.record_changes.since_known\n\
         SELECT c.record_id, c.changes FROM crm.record_changes AS c JOIN crm.leads AS l ON l.id = c.record_id \
         WHERE c.record_type = 'lead' AND c.record_id = ANY(",
    );
    sql.bind(ids).push(") AND c.at > l.created_at AND c.at >= ");
    as_of(&mut sql, hours);
    sql.push(" ORDER BY c.at DESC, c.id DESC");
    let changes: Vec<(Uuid, Json<Map<String, Value>>)> = sql.fetch_all(tx).await?;
    let mut later: HashMap<Uuid, Vec<Map<String, Value>>> = HashMap::new();
    for (id, Json(changes)) in changes {
        later.entry(id).or_default().push(changes);
    }
    for subject in &mut subjects {
        for changes in later.remove(&subject.id).unwrap_or_default() {
            subject.undo(changes);
        }
    }
    Ok(subjects)
}

impl From<Found> for Subject {
    fn from(found: Found) -> Self {
        Self {
            id: found.id,
            created_at: found.created_at,
            updated_at: found.updated_at,
            last_activity_at: found.last_activity_at,
            fields: found.fields.0,
            activities: found.activities.map(|all| all.0).unwrap_or_default(),
            outcome: found
                .outcome
                .zip(found.outcome_at)
                .map(|(outcome, at)| (outcome == "won", at)),
        }
    }
}

impl Subject {
    /// A lead that is not stored, as it would be if it were created now.
    pub(crate) fn imagined(fields: Map<String, Value>, now: DateTime<Utc>) -> Self {
        Self {
            id: Uuid::nil(),
            created_at: now,
            updated_at: now,
            last_activity_at: None,
            fields,
            activities: BTreeMap::new(),
            outcome: None,
        }
    }

    /// Takes a change back: every field has what it had before.
    fn undo(&mut self, changes: Map<String, Value>) {
        for (name, change) in changes {
            let before = change.get(0).cloned().unwrap_or(Value::Null);
            match name.strip_prefix("custom.") {
                None => {
                    self.fields.insert(name, before);
                }
                Some(key) => {
                    if let Some(Value::Object(custom)) = self.fields.get_mut("custom") {
                        custom.insert(key.to_owned(), before);
                    }
                }
            }
        }
    }

    /// A field, or `null`.
    pub(crate) fn field(&self, name: &str) -> &Value {
        self.fields.get(name).unwrap_or(&Value::Null)
    }

    /// A field that is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.field(name).as_str()
    }

    /// One of the tenant's own fields, or `null`.
    pub(crate) fn custom(&self, key: &str) -> &Value {
        self.field("custom").get(key).unwrap_or(&Value::Null)
    }

    /// The domain of its address, in small letters.
    pub(crate) fn mail_domain(&self) -> Option<String> {
        let (_, domain) = self.text("email")?.rsplit_once('@')?;
        Some(domain.to_lowercase())
    }

    /// Days since something last happened with it.
    pub(crate) fn days_since_update(&self, now: DateTime<Utc>) -> i64 {
        let last = self
            .last_activity_at
            .map_or(self.updated_at, |at| at.max(self.updated_at));
        now.signed_duration_since(last).num_days().max(0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_taken_back_leaves_what_was_before() {
        let Value::Object(fields) = json!({ "title": "CEO", "custom": { "plan": "pro" } }) else {
            panic!("an object")
        };
        let mut subject = Subject::imagined(fields, DateTime::UNIX_EPOCH);
        let Value::Object(changes) = json!({ "title": [null, "CEO"], "custom.plan": ["basic", "pro"], "custom.seats": [3, null] })
        else {
            panic!("an object")
        };
        subject.undo(changes);
        assert_eq!(subject.text("title"), None);
        assert_eq!(
            (subject.custom("plan"), subject.custom("seats")),
            (&json!("basic"), &json!(3))
        );
    }
}
