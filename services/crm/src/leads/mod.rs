//! Leads: people or companies that may become customers.

mod create;
mod delete;
mod get;
mod list;
mod patch;
mod score;
mod store;

use bz_http::{Errors, Patch, Validate};
use bz_kernel::{LeadId, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{app::AppState, rules};

bz_auth::permissions! {
    /// See leads and their scores.
    LeadsRead = "leads:read",
    /// Create, change and delete leads.
    LeadsWrite = "leads:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::create_lead, list::list_leads))
        .routes(routes!(
            get::get_lead,
            patch::patch_lead,
            delete::delete_lead
        ))
        .routes(routes!(score::get_lead_score))
}

/// Where a lead is on its way to becoming a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeadStatus {
    /// Nobody has looked at it.
    #[default]
    New,
    /// Somebody is on it.
    Working,
    /// Not ready to buy; kept warm.
    Nurturing,
    /// Fits and wants to buy.
    Qualified,
    /// Does not fit or does not want to buy.
    Unqualified,
    /// Became a contact, a company or a deal.
    Converted,
}

rules::text_enum!(LeadStatus {
    New => "new",
    Working => "working",
    Nurturing => "nurturing",
    Qualified => "qualified",
    Unqualified => "unqualified",
    Converted => "converted",
});

/// A potential customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Lead {
    /// The lead's id.
    pub id: LeadId,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// E-mail address, as it was given.
    pub email: Option<String>,
    /// Phone number, as it was given.
    pub phone: Option<String>,
    /// The company the lead works for.
    pub company_name: Option<String>,
    /// Job title.
    pub title: Option<String>,
    /// Web address of the company.
    pub website: Option<String>,
    /// Industry of the company.
    pub industry: Option<String>,
    /// Employees of the company.
    pub employees: Option<i32>,
    /// Country.
    pub country: Option<String>,
    /// City.
    pub city: Option<String>,
    /// How the lead came: `referral`, `website`, a campaign's name.
    pub source: Option<String>,
    /// Where the lead is on its way.
    pub status: LeadStatus,
    /// Who created it.
    pub created_by: UserId,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

/// What a client writes of a lead. At least one of first name, last name, e-mail and company name is needed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CreateLead {
    /// Given name, at most 200 characters.
    #[schema(max_length = 200)]
    pub first_name: Option<String>,
    /// Family name, at most 200 characters.
    #[schema(max_length = 200)]
    pub last_name: Option<String>,
    /// E-mail address, at most 254 characters.
    #[schema(max_length = 254)]
    pub email: Option<String>,
    /// Phone number in any form, at most 50 characters.
    #[schema(max_length = 50)]
    pub phone: Option<String>,
    /// Company, at most 200 characters.
    #[schema(max_length = 200)]
    pub company_name: Option<String>,
    /// Job title, at most 200 characters.
    #[schema(max_length = 200)]
    pub title: Option<String>,
    /// Web address, at most 500 characters.
    #[schema(max_length = 500)]
    pub website: Option<String>,
    /// Industry, at most 200 characters.
    #[schema(max_length = 200)]
    pub industry: Option<String>,
    /// Employees of the company, 0 or more.
    #[schema(minimum = 0)]
    pub employees: Option<i32>,
    /// Country, at most 100 characters.
    #[schema(max_length = 100)]
    pub country: Option<String>,
    /// City, at most 100 characters.
    #[schema(max_length = 100)]
    pub city: Option<String>,
    /// How the lead came, at most 100 characters.
    #[schema(max_length = 100)]
    pub source: Option<String>,
    /// Where the lead is on its way; `new` when not given.
    pub status: LeadStatus,
}

impl Validate for CreateLead {
    fn validate(&self, errors: &mut Errors) {
        let texts = [
            ("/first_name", &self.first_name, 200),
            ("/last_name", &self.last_name, 200),
            ("/phone", &self.phone, 50),
            ("/company_name", &self.company_name, 200),
            ("/title", &self.title, 200),
            ("/website", &self.website, 500),
            ("/industry", &self.industry, 200),
            ("/country", &self.country, 100),
            ("/city", &self.city, 100),
            ("/source", &self.source, 100),
        ];
        for (pointer, text, longest) in texts {
            rules::optional_text(errors, pointer, text.as_deref(), longest);
        }
        rules::optional_email(errors, "/email", self.email.as_deref());
        if self.employees.is_some_and(|count| count < 0) {
            errors.add("/employees", "too_small", "must be 0 or more");
        }
        if [
            &self.first_name,
            &self.last_name,
            &self.email,
            &self.company_name,
        ]
        .iter()
        .all(|name| name.is_none())
        {
            errors.add(
                "",
                "name_required",
                "give at least one of first_name, last_name, email and company_name",
            );
        }
    }
}

/// A change of a lead (JSON merge patch, RFC 7396): a missing field stays, `null` clears it.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchLead {
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    first_name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    last_name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 254)]
    email: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 50)]
    phone: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    company_name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    title: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    website: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    industry: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 0)]
    employees: Patch<i32>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    country: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    city: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    source: Patch<String>,
    /// Cannot be cleared.
    #[schema(value_type = Option<LeadStatus>)]
    status: Option<LeadStatus>,
}

/// What can only be judged with the lead that is changed is judged in [`PatchLead::onto`].
impl Validate for PatchLead {
    fn validate(&self, _: &mut Errors) {}
}

impl PatchLead {
    /// The lead's writable fields after the change.
    fn onto(self, lead: Lead) -> CreateLead {
        CreateLead {
            first_name: self.first_name.onto(lead.first_name),
            last_name: self.last_name.onto(lead.last_name),
            email: self.email.onto(lead.email),
            phone: self.phone.onto(lead.phone),
            company_name: self.company_name.onto(lead.company_name),
            title: self.title.onto(lead.title),
            website: self.website.onto(lead.website),
            industry: self.industry.onto(lead.industry),
            employees: self.employees.onto(lead.employees),
            country: self.country.onto(lead.country),
            city: self.city.onto(lead.city),
            source: self.source.onto(lead.source),
            status: self.status.unwrap_or(lead.status),
        }
    }
}
