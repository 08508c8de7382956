//! What is linked to a lead is linked to what it became.

use bz_kernel::{CompanyId, ContactId, DealId};
use bz_tenant::DbError;
use sqlx::query;
use uuid::Uuid;

use super::super::Lead;
use crate::records::Work;

/// What is linked to records: the type of link, and the table whose column `links` says so.
const LINKED: [(&str, &str); 2] = [("activity", "crm.activities"), ("todo", "crm.todos")];

/// Adds the contact, the company and the deal to the links of everything that is linked to the lead.
pub(super) async fn links(work: &mut Work<'_>, lead: &Lead) -> Result<(), DbError> {
    let became: [(&str, Option<Uuid>); 3] = [
        ("contact", lead.contact_id.map(ContactId::as_uuid)),
        ("company", lead.company_id.map(CompanyId::as_uuid)),
        ("deal", lead.deal_id.map(DealId::as_uuid)),
    ];
    for (kind, id) in became {
        let Some(id) = id else { continue };
        for (from, table) in LINKED {
            add(work, lead.id.as_uuid(), (kind, id), (from, table)).await?;
        }
    }
    Ok(())
}

async fn add(
    work: &mut Work<'_>,
    lead: Uuid,
    (kind, id): (&str, Uuid),
    (from, table): (&str, &str),
) -> Result<(), DbError> {
    let named = format!(
        "-- crm.leads.follow\n\
         UPDATE {table} AS t SET version = t.version + 1, updated_at = $4, \
           links = t.links || jsonb_build_array(jsonb_build_object('type', $2::text, 'id', $3::text)) \
         WHERE t.id IN (SELECT from_id FROM crm.record_links WHERE to_type = 'lead' AND to_id = $1 AND from_type = '{from}') \
           AND NOT t.links @> jsonb_build_array(jsonb_build_object('type', $2::text, 'id', $3::text))"
    );
    let now = work.now();
    query(&named)
        .bind(lead)
        .bind(kind)
        .bind(id)
        .bind(now)
        .execute(work.tx.conn())
        .await?;
    let back = format!(
        "-- crm.leads.follow_back\n\
         INSERT INTO crm.record_links (to_type, to_id, from_type, from_id) \
         SELECT $2, $3, from_type, from_id FROM crm.record_links \
         WHERE to_type = 'lead' AND to_id = $1 AND from_type = '{from}' ON CONFLICT DO NOTHING"
    );
    query(&back)
        .bind(lead)
        .bind(kind)
        .bind(id)
        .execute(work.tx.conn())
        .await?;
    Ok(())
}
