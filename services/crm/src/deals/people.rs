//! The people and companies of deals, in both directions.

use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, PageQuery, Path, Problem, Query};
use bz_kernel::{CompanyId, ContactId, Page};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{CreateDeal, Deal, DealsRead};
use crate::{
    app::AppState,
    companies::COMPANY,
    contacts::CONTACT,
    records::{Work, pages, references, sql::Sql},
};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DealsPage {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The deals that are talked about with a contact, newest first.
#[utoipa::path(
    get, path = "/api/contacts/{id}/deals", tag = "deals",
    security(("bearer" = ["deals:read"])),
    params(("id" = ContactId, Path, description = "The contact"), DealsPage),
    responses(
        (status = 200, description = "One page", body = Page<Deal>),
        (status = 404, description = "No such contact", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_contact_deals(
    State(app): State<AppState>,
    caller: Can<DealsRead>,
    Path(id): Path<ContactId>,
    Query(query): Query<DealsPage>,
) -> Result<Json<Page<Deal>>, Problem> {
    let page = PageQuery::new(query.limit, query.cursor);
    let id = id.as_uuid();
    let mut sql = Sql::default();
    sql.push(" AND id IN (SELECT deal_id FROM crm.deal_contacts WHERE contact_id = ")
        .bind(id)
        .push(")");
    pages::beside(&app, &caller, (CONTACT, id), page, sql).await
}

/// The deals with a company, newest first.
#[utoipa::path(
    get, path = "/api/companies/{id}/deals", tag = "deals",
    security(("bearer" = ["deals:read"])),
    params(("id" = CompanyId, Path, description = "The company"), DealsPage),
    responses(
        (status = 200, description = "One page", body = Page<Deal>),
        (status = 404, description = "No such company", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_company_deals(
    State(app): State<AppState>,
    caller: Can<DealsRead>,
    Path(id): Path<CompanyId>,
    Query(query): Query<DealsPage>,
) -> Result<Json<Page<Deal>>, Problem> {
    let page = PageQuery::new(query.limit, query.cursor);
    let id = id.as_uuid();
    let mut sql = Sql::default();
    sql.push(" AND company_id = ").bind(id);
    pages::beside(&app, &caller, (COMPANY, id), page, sql).await
}

/// Refuses people who are not there. Those who were there before stay.
pub(super) async fn check(
    work: &mut Work<'_>,
    wanted: &CreateDeal,
    before: Option<&Deal>,
) -> Result<(), Problem> {
    let known = before.map_or(&[][..], |deal| &deal.contact_ids);
    let new = beyond(&wanted.contact_ids, known);
    let missing = references::missing(work.tx, CONTACT, &new).await?;
    let mut errors = Errors::default();
    for (n, id) in wanted.contact_ids.iter().enumerate() {
        if missing.contains(&id.as_uuid()) {
            let message = "must be the id of one of the tenant's contacts";
            errors.add(format!("/contact_ids/{n}"), "not_found", message);
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::validation(errors))
    }
}

/// Writes the way back, from the contacts to the deal.
pub(super) async fn write(
    work: &mut Work<'_>,
    deal: &Deal,
    before: Option<&Deal>,
) -> Result<(), Problem> {
    let known = before.map_or(&[][..], |deal| &deal.contact_ids);
    let gone = beyond(known, &deal.contact_ids);
    if !gone.is_empty() {
        let mut sql =
            Sql::new("-- crm.deal_contacts.delete\nDELETE FROM crm.deal_contacts WHERE deal_id = ");
        sql.bind(deal.id.as_uuid());
        sql.push(" AND contact_id = ANY(").bind(gone).push(")");
        sql.execute(work.tx).await?;
    }
    let new = beyond(&deal.contact_ids, known);
    if !new.is_empty() {
        let mut sql = Sql::new(
            "-- crm.deal_contacts.insert\nINSERT INTO crm.deal_contacts (contact_id, deal_id) SELECT c.id, ",
        );
        sql.bind(deal.id.as_uuid());
        sql.push(" FROM unnest(")
            .bind(new)
            .push("::uuid[]) AS c (id) ON CONFLICT DO NOTHING");
        sql.execute(work.tx).await?;
    }
    Ok(())
}

fn beyond(ids: &[ContactId], others: &[ContactId]) -> Vec<Uuid> {
    let new = ids.iter().filter(|id| !others.contains(id));
    new.map(|id| id.as_uuid()).collect()
}
