//! SQL of the leads. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::{LeadId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use crate::{records, rules};

use super::{CreateLead, Lead, LeadStatus};

rules::read_from_text!(LeadStatus);

macro_rules! columns {
    () => {
        "id, first_name, last_name, email, phone, company_name, title, website, industry, employees, country, city, \
         source, status, created_by, created_at, updated_at, version"
    };
}

#[derive(FromRow)]
struct LeadRow {
    id: Uuid,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    company_name: Option<String>,
    title: Option<String>,
    website: Option<String>,
    industry: Option<String>,
    employees: Option<i32>,
    country: Option<String>,
    city: Option<String>,
    source: Option<String>,
    status: LeadStatus,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl From<LeadRow> for Lead {
    fn from(row: LeadRow) -> Self {
        Self {
            id: row.id.into(),
            first_name: row.first_name,
            last_name: row.last_name,
            email: row.email,
            phone: row.phone,
            company_name: row.company_name,
            title: row.title,
            website: row.website,
            industry: row.industry,
            employees: row.employees,
            country: row.country,
            city: row.city,
            source: row.source,
            status: row.status,
            created_by: row.created_by.into(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// Addresses are compared without regard to case.
fn normalised(email: Option<&String>) -> Option<String> {
    email.map(|email| email.to_lowercase())
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: LeadId,
    by: UserId,
    now: DateTime<Utc>,
    lead: &CreateLead,
) -> Result<Lead, DbError> {
    let row: LeadRow = query_as(concat!(
        "-- crm.leads.insert\n\
         INSERT INTO crm.leads (id, created_by, created_at, updated_at, first_name, last_name, email, email_norm, \
         phone, company_name, title, website, industry, employees, country, city, source, status) \
         VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) \
         RETURNING ",
        columns!()
    ))
    .bind(id.as_uuid())
    .bind(by.as_uuid())
    .bind(now)
    .bind(&lead.first_name)
    .bind(&lead.last_name)
    .bind(&lead.email)
    .bind(normalised(lead.email.as_ref()))
    .bind(&lead.phone)
    .bind(&lead.company_name)
    .bind(&lead.title)
    .bind(&lead.website)
    .bind(&lead.industry)
    .bind(lead.employees)
    .bind(&lead.country)
    .bind(&lead.city)
    .bind(&lead.source)
    .bind(lead.status.as_str())
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}

records::by_id!("crm.leads", LeadId, LeadRow => Lead);

/// One page and one more, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    status: Option<LeadStatus>,
    before: Option<LeadId>,
    limit: u16,
) -> Result<Vec<Lead>, DbError> {
    let rows: Vec<LeadRow> = query_as(concat!(
        "-- crm.leads.list\nSELECT ",
        columns!(),
        " FROM crm.leads WHERE ($1::text IS NULL OR status = $1) AND ($2::uuid IS NULL OR id < $2) \
         ORDER BY id DESC LIMIT $3"
    ))
    .bind(status.map(LeadStatus::as_str))
    .bind(before.map(LeadId::as_uuid))
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Writes all writable fields of a lead that [`find_for_update`] locked.
pub(super) async fn update(
    tx: &mut TenantTx,
    id: LeadId,
    now: DateTime<Utc>,
    lead: &CreateLead,
) -> Result<Lead, DbError> {
    let row: LeadRow = query_as(concat!(
        "-- crm.leads.update\n\
         UPDATE crm.leads SET updated_at = $2, version = version + 1, first_name = $3, last_name = $4, email = $5, \
         email_norm = $6, phone = $7, company_name = $8, title = $9, website = $10, industry = $11, employees = $12, \
         country = $13, city = $14, source = $15, status = $16 WHERE id = $1 RETURNING ",
        columns!()
    ))
    .bind(id.as_uuid())
    .bind(now)
    .bind(&lead.first_name)
    .bind(&lead.last_name)
    .bind(&lead.email)
    .bind(normalised(lead.email.as_ref()))
    .bind(&lead.phone)
    .bind(&lead.company_name)
    .bind(&lead.title)
    .bind(&lead.website)
    .bind(&lead.industry)
    .bind(lead.employees)
    .bind(&lead.country)
    .bind(&lead.city)
    .bind(&lead.source)
    .bind(lead.status.as_str())
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}
