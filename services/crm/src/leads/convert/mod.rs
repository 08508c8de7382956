//! Conversion: a lead becomes a contact, a company and perhaps a deal.

mod fields;
mod follow;
mod targets;

use axum::extract::State;
use bz_auth::{Caller, Can};
use bz_http::{Errors, IfMatch, Json, Patch, Path, Problem, Validate};
use bz_kernel::{CompanyId, ContactId, DealId, LeadId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{Lead, LeadStatus, LeadsWrite};
use crate::{
    app::AppState,
    companies::{CompaniesWrite, Company},
    contacts::{Contact, ContactsWrite},
    deals::{Deal, DealsWrite},
    duplicates::SAME,
    records::{Record, Work, changes, handlers, sql::Sql},
};
use targets::{Target, target};

/// From this score on a company is the one that the lead names: one of the same name, unless its domain is another.
const SAME_COMPANY: f64 = 0.7;

/// What a lead becomes.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Convert {
    /// The contact: `{"id": ".."}` for one that is there, or fields that differ from the lead's. Made from the lead when not
    /// given, none when `null`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    contact: Patch<Map<String, Value>>,
    /// The company, in the same way; made when the lead has a `company_name`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    company: Patch<Map<String, Value>>,
    /// A deal with these fields: `{"pipeline_id": "..", "name": "..", "amount": {..}}`, in the default pipeline and named after
    /// the company or the person when it does not say so. None when not given.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    deal: Patch<Map<String, Value>>,
    /// Only answer what would come of it.
    #[serde(default)]
    dry_run: bool,
}

impl Validate for Convert {
    fn validate(&self, errors: &mut Errors) {
        for (given, name) in [
            (&self.contact, "contact"),
            (&self.company, "company"),
            (&self.deal, "deal"),
        ] {
            if let Patch::Value(fields) = given
                && fields.contains_key("id")
                && fields.len() > 1
            {
                errors.add(
                    format!("/{name}"),
                    "id_or_fields",
                    "give either the id of one that is there or the fields of a new one",
                );
            }
        }
    }
}

/// What a lead became.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Converted {
    /// The contact.
    contact_id: Option<ContactId>,
    /// The company.
    company_id: Option<CompanyId>,
    /// The deal.
    deal_id: Option<DealId>,
    /// What of it is new: `contact`, `company`, `deal`. The rest was there and is used.
    created: Vec<&'static str>,
    /// Whether the lead was converted before; then nothing was done.
    repeated: bool,
    /// The lead.
    lead: Lead,
}

/// Convert a lead into a contact, a company and a deal.
///
/// One transaction. A contact or company that is surely the same (same address, phone, domain or name) is used instead of a
/// second one. What is linked to the lead is linked to them too; tags go along. A lead that was converted before answers its
/// first conversion. With `If-Match` only that version is converted. Besides `leads:write` it needs `contacts:write`,
/// `companies:write` and `deals:write` for what it becomes.
#[utoipa::path(
    post, path = "/api/leads/{id}/convert", tag = "leads",
    security(("bearer" = ["leads:write"])),
    params(("id" = LeadId, Path, description = "The lead"), IfMatch),
    request_body = Convert,
    responses((status = 200, description = "What it became", body = Converted), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn convert_lead(
    State(app): State<AppState>,
    caller: Can<LeadsWrite>,
    Path(id): Path<LeadId>,
    if_match: IfMatch,
    Json(wanted): Json<Convert>,
) -> Result<Json<Converted>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let lead: Lead = handlers::locked_any(&app, &mut tx, &caller, id.as_uuid()).await?;
    if lead.converted_at.is_some() {
        return Ok(Json(answer(lead, Vec::new(), true)));
    }
    if_match.check(lead.version)?;
    let dry_run = wanted.dry_run;
    let actor = caller.user;
    let mut work = Work {
        app: &app,
        tx: &mut tx,
        actor,
    };
    let converted = perform(&mut work, &caller, lead, wanted).await?;
    if !dry_run {
        tx.commit().await?;
        app.wake();
    }
    Ok(Json(converted))
}

async fn perform(
    work: &mut Work<'_>,
    caller: &Caller,
    lead: Lead,
    wanted: Convert,
) -> Result<Converted, Problem> {
    let company = company(work, caller, &lead, wanted.company).await?;
    let company_id = company.as_ref().map(|found| found.record.id);
    let contact = contact(work, caller, &lead, company_id, wanted.contact).await?;
    let contact_id = contact.as_ref().map(|found| found.record.id);
    if contact_id.is_none() && company_id.is_none() {
        return Err(Problem::invalid(
            "",
            "nothing_wanted",
            "must make the lead a contact or a company",
        ));
    }
    let deal = deal(work, caller, &lead, (company_id, contact_id), wanted.deal).await?;
    let deal_id = deal.as_ref().map(|found| found.record.id);
    let new = [
        ("company", company.is_some_and(|found| found.created)),
        ("contact", contact.is_some_and(|found| found.created)),
        ("deal", deal.is_some_and(|found| found.created)),
    ];
    let created = new.into_iter().filter(|(_, new)| *new);
    let created = created.map(|(name, _)| name).collect();
    let lead = close(work, lead, contact_id, company_id, deal_id).await?;
    follow::links(work, &lead).await?;
    Ok(answer(lead, created, false))
}

async fn company(
    work: &mut Work<'_>,
    caller: &Caller,
    lead: &Lead,
    given: Patch<Map<String, Value>>,
) -> Result<Option<Target<Company>>, Problem> {
    let start = fields::company(work, lead).await?;
    let may = || caller.require::<CompaniesWrite>();
    target(work, caller, "company", start, given, SAME_COMPANY, &may).await
}

async fn contact(
    work: &mut Work<'_>,
    caller: &Caller,
    lead: &Lead,
    company: Option<CompanyId>,
    given: Patch<Map<String, Value>>,
) -> Result<Option<Target<Contact>>, Problem> {
    let start = fields::contact(work, lead, company).await?;
    let may = || caller.require::<ContactsWrite>();
    let found = target(work, caller, "contact", start, given, SAME, &may).await?;
    match found {
        Some(Target {
            record,
            created: false,
        }) => {
            let record = fields::complete(work, record, lead, company).await?;
            Ok(Some(Target {
                record,
                created: false,
            }))
        }
        found => Ok(found),
    }
}

async fn deal(
    work: &mut Work<'_>,
    caller: &Caller,
    lead: &Lead,
    (company, contact): (Option<CompanyId>, Option<ContactId>),
    given: Patch<Map<String, Value>>,
) -> Result<Option<Target<Deal>>, Problem> {
    let Patch::Value(_) = given else {
        return Ok(None);
    };
    let start = fields::deal(lead, company, contact)?;
    let may = || caller.require::<DealsWrite>();
    target(work, caller, "deal", Some(start), given, SAME, &may).await
}

fn answer(lead: Lead, created: Vec<&'static str>, repeated: bool) -> Converted {
    Converted {
        contact_id: lead.contact_id,
        company_id: lead.company_id,
        deal_id: lead.deal_id,
        created,
        repeated,
        lead,
    }
}

/// Writes into the lead what it became.
async fn close(
    work: &mut Work<'_>,
    lead: Lead,
    contact: Option<ContactId>,
    company: Option<CompanyId>,
    deal: Option<DealId>,
) -> Result<Lead, Problem> {
    let now = work.now();
    let status = LeadStatus::Converted.as_str();
    let mut sql =
        Sql::new("-- crm.leads.convert\nUPDATE crm.leads SET version = version + 1, updated_at = ");
    sql.bind(now).push(", converted_at = ").bind(now);
    sql.push(", status = ").bind(status);
    sql.push(", contact_id = ")
        .bind(contact.map(ContactId::as_uuid));
    sql.push(", company_id = ")
        .bind(company.map(CompanyId::as_uuid));
    sql.push(", deal_id = ").bind(deal.map(DealId::as_uuid));
    sql.push(" WHERE id = ").bind(lead.id.as_uuid());
    sql.push(" RETURNING ").push(Lead::columns());
    let closed: Lead = sql.fetch_one(work.tx).await?;
    let mut made = changes::Changes::new();
    made.insert("status".into(), json!([lead.status, status]));
    made.insert("contact_id".into(), json!([null, contact]));
    made.insert("company_id".into(), json!([null, company]));
    made.insert("deal_id".into(), json!([null, deal]));
    let names: Vec<String> = made.keys().cloned().collect();
    work.note::<Lead>(lead.id.as_uuid(), "converted", made, None)
        .await?;
    work.tell(&closed, "lead.converted", &names).await?;
    Ok(closed)
}
