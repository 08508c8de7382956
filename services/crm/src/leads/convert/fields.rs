//! What a lead says of the contact and the company that it becomes.

use bz_http::Problem;
use bz_kernel::{CompanyId, ContactId};
use serde_json::{Map, Value};

use super::super::Lead;
use crate::{
    companies::COMPANY,
    contacts::{CONTACT, Contact},
    normal,
    records::{Fields, Record, RecordType, Work, custom},
};

/// Domains whose addresses say nothing of an employer.
const PROVIDERS: [&str; 20] = [
    "aol.com",
    "fastmail.com",
    "free.fr",
    "gmail.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "t-online.de",
    "web.de",
    "yahoo.com",
    "yandex.ru",
];

/// The company, when the lead names one.
pub(super) async fn company(
    work: &mut Work<'_>,
    lead: &Lead,
) -> Result<Option<Map<String, Value>>, Problem> {
    if lead.company_name.is_none() {
        return Ok(None);
    }
    let mut fields = common(
        work,
        lead,
        COMPANY,
        &[
            "website",
            "industry",
            "employees",
            "annual_revenue",
            "city",
            "country",
        ],
    )
    .await?;
    fields.insert("name".into(), lead.company_name.clone().into());
    let own = |text: &Option<String>| text.as_deref().and_then(normal::domain);
    let domain = own(&lead.website)
        .or_else(|| own(&lead.email).filter(|domain| !PROVIDERS.contains(&domain.as_str())));
    fields.insert("domain".into(), domain.into());
    Ok(Some(fields))
}

/// The contact, when the lead says who it is.
pub(super) async fn contact(
    work: &mut Work<'_>,
    lead: &Lead,
    company: Option<CompanyId>,
) -> Result<Option<Map<String, Value>>, Problem> {
    if lead.first_name.is_none() && lead.last_name.is_none() && lead.email.is_none() {
        return Ok(None);
    }
    let mut fields = common(
        work,
        lead,
        CONTACT,
        &[
            "first_name",
            "last_name",
            "email",
            "phone",
            "title",
            "website",
            "city",
            "country",
            "consent",
        ],
    )
    .await?;
    fields.insert(
        "company_id".into(),
        serde_json::to_value(company).map_err(Problem::internal)?,
    );
    Ok(Some(fields))
}

/// The deal: its name is that of the company or the person.
pub(super) fn deal(
    lead: &Lead,
    company: Option<CompanyId>,
    contact: Option<ContactId>,
) -> Result<Map<String, Value>, Problem> {
    let person = [lead.first_name.as_deref(), lead.last_name.as_deref()];
    let person = person.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let name = lead.company_name.clone().unwrap_or(person);
    let name = if name.is_empty() {
        lead.email.clone().unwrap_or_default()
    } else {
        name
    };
    let fields = serde_json::json!({
        "name": name.chars().take(200).collect::<String>(), "company_id": company,
        "contact_ids": contact.into_iter().collect::<Vec<_>>(), "lead_id": lead.id,
        "owner_id": lead.owner_id, "team_id": lead.team_id, "tags": lead.tags
    });
    match fields {
        Value::Object(fields) => Ok(fields),
        _ => Err(Problem::internal("a deal is an object")),
    }
}

/// Adds to a contact that was there what only the lead knows.
pub(super) async fn complete(
    work: &mut Work<'_>,
    contact: Contact,
    lead: &Lead,
    company: Option<CompanyId>,
) -> Result<Contact, Problem> {
    let mut fields = contact.fields();
    fields.company_id = fields.company_id.or(company);
    for tag in &lead.tags {
        if fields.tags.len() < 50 && !fields.tags.contains(tag) {
            fields.tags.push(tag.clone());
        }
    }
    work.update(contact, fields).await
}

/// The fields of these names, owner, team, tags, and those of the tenant's own fields that both types have.
async fn common(
    work: &mut Work<'_>,
    lead: &Lead,
    of: &'static RecordType,
    names: &[&str],
) -> Result<Map<String, Value>, Problem> {
    let known = custom::definitions(work.app, work.tx).await?;
    let field = |of: &str, key: &str| {
        let found = known
            .iter()
            .find(|field| field.record_type == of && field.key == key);
        found.map(|field| (field.kind.clone(), field.options.clone()))
    };
    let fields = lead.fields();
    let common = fields.common();
    let shared: Map<String, Value> = common
        .custom
        .iter()
        .filter(|(key, _)| {
            field(of.name, key).is_some_and(|there| Some(there) == field("lead", key))
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let Value::Object(mut all) = serde_json::to_value(&fields).map_err(Problem::internal)? else {
        return Ok(Map::new());
    };
    all.retain(|name, _| {
        names.contains(&name.as_str()) || matches!(name.as_str(), "owner_id" | "team_id" | "tags")
    });
    all.insert("custom".into(), Value::Object(shared));
    Ok(all)
}
