//! Leads: people or companies that may become customers.

mod assign;
mod convert;
mod duplicates;
mod endpoints;
mod list;
mod score;
mod score_history;
mod timeline;
mod transfer;

use bz_http::{Errors, Problem, Routes, Validate, routes};
use bz_kernel::{CompanyId, ContactId, DealId, LeadId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    app::AppState,
    assignment,
    duplicates::{Key, Keys, organisation},
    normal,
    records::{
        Facts, Fields, Money, Rules, Work, column::choice_columns, record, sql::Columns,
        validate_common,
    },
    rules,
    scoring::{Grade, ScoreMode},
};

bz_auth::permissions! {
    /// See leads and their scores.
    LeadsRead = "leads:read",
    /// Create, change and delete leads.
    LeadsWrite = "leads:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    endpoints::routes()
        .merge(list::routes())
        .merge(timeline::routes())
        .merge(transfer::routes())
        .merge(duplicates::routes())
        .routes(routes!(score::get_lead_score, score::rescore_lead))
        .routes(routes!(convert::convert_lead))
        .routes(routes!(assign::assign_lead))
        .routes(routes!(score_history::list_lead_scores))
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

/// How a lead ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It became a customer.
    Won,
    /// It did not.
    Lost,
}

rules::text_enum!(Outcome { Won => "won", Lost => "lost" });
choice_columns!(LeadStatus, Outcome);

record! {
    /// A potential customer.
    pub struct Lead(LeadId) = LEAD: "lead", "leads";

    /// What a client writes of a lead. At least one of first name, last name, e-mail and company name is needed.
    #[schema(example = json!({ "first_name": "Grace", "company_name": "Corp", "source": "referral" }))]
    writes CreateLead {
        /// Given name, at most 200 characters.
        #[schema(max_length = 200)]
        first_name: Option<String>,
        /// Family name, at most 200 characters.
        #[schema(max_length = 200)]
        last_name: Option<String>,
        /// E-mail address, at most 254 characters.
        #[schema(max_length = 254)]
        email: Option<String>,
        /// Phone number in any form, at most 50 characters.
        #[schema(max_length = 50)]
        phone: Option<String>,
        /// The company the lead works for, at most 200 characters.
        #[schema(max_length = 200)]
        company_name: Option<String>,
        /// Job title, at most 200 characters.
        #[schema(max_length = 200)]
        title: Option<String>,
        /// Web address of the company, at most 500 characters.
        #[schema(max_length = 500)]
        website: Option<String>,
        /// Industry of the company, at most 200 characters.
        #[schema(max_length = 200)]
        industry: Option<String>,
        /// Employees of the company, 0 or more.
        #[schema(minimum = 0)]
        employees: Option<i32>,
        /// What the company earns a year.
        annual_revenue: Option<Money>,
        /// Country, at most 100 characters.
        #[schema(max_length = 100)]
        country: Option<String>,
        /// City, at most 100 characters.
        #[schema(max_length = 100)]
        city: Option<String>,
        /// How the lead came, at most 100 characters: `referral`, `website`.
        #[schema(max_length = 100)]
        source: Option<String>,
        /// The campaign that it came from, at most 200 characters.
        #[schema(max_length = 200)]
        campaign: Option<String>,
        /// The `utm_` parameters that it came with, at most 16 KiB.
        #[serde(default)]
        #[schema(value_type = Object)]
        utm: Map<String, Value>,
        /// Where the lead is on its way; `new` when not given.
        #[serde(default)]
        status: LeadStatus,
        /// Why it does not fit, at most 500 characters.
        #[schema(max_length = 500)]
        unqualified_reason: Option<String>,
        /// What the person agreed to, when and how, at most 16 KiB.
        #[serde(default)]
        #[schema(value_type = Object)]
        consent: Map<String, Value>,
    }

    reads {
        /// When something last happened with it.
        last_activity_at: Option<DateTime<Utc>>,
        /// Its score when it was last scored, 0 to 100.
        score: Option<i16>,
        /// Its grade when it was last scored.
        grade: Option<Grade>,
        /// How that score was made.
        score_mode: Option<ScoreMode>,
        /// The probability that it becomes a customer, when it was last scored.
        probability: Option<f64>,
        /// When it was last scored.
        scored_at: Option<DateTime<Utc>>,
        /// How it ended.
        outcome: Option<Outcome>,
        /// When it ended.
        outcome_at: Option<DateTime<Utc>>,
        /// When it was converted.
        converted_at: Option<DateTime<Utc>>,
        /// The contact it became.
        contact_id: Option<ContactId>,
        /// The company it became.
        company_id: Option<CompanyId>,
        /// The deal it became.
        deal_id: Option<DealId>,
    }
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
            ("/campaign", &self.campaign, 200),
            ("/unqualified_reason", &self.unqualified_reason, 500),
        ];
        for (pointer, text, longest) in texts {
            rules::optional_text(errors, pointer, text.as_deref(), longest);
        }
        rules::optional_email(errors, "/email", self.email.as_deref());
        rules::optional_count(errors, "/employees", self.employees);
        rules::optional_money(errors, "/annual_revenue", self.annual_revenue.as_ref());
        rules::small_object(errors, "/utm", &self.utm);
        rules::small_object(errors, "/consent", &self.consent);
        let names = [
            &self.first_name,
            &self.last_name,
            &self.email,
            &self.company_name,
        ];
        if names.iter().all(|name| name.is_none()) {
            errors.add(
                "",
                "name_required",
                "give at least one of first_name, last_name, email and company_name",
            );
        }
        validate_common(errors, self.common());
    }
}

impl Rules for Lead {
    type Wanted = CreateLead;

    const SORTS: &'static [(&'static str, &'static str)] = &[("name", "name_norm")];

    const KEYS: &'static [Key] = &[Key::Email, Key::Phone, Key::Domain, Key::Name];

    fn keys(wanted: &CreateLead) -> Keys {
        let (email, website) = (wanted.email.as_deref(), wanted.website.as_deref());
        let (first, last) = (wanted.first_name.as_deref(), wanted.last_name.as_deref());
        let company = wanted.company_name.as_deref();
        Keys {
            email: email.and_then(normal::email),
            phone: wanted.phone.as_deref().and_then(normal::phone),
            domain: website.or(email).and_then(normal::domain),
            name: normal::full_name(first, last),
            company: company.and_then(organisation),
            ..Keys::default()
        }
    }

    fn derive(wanted: &CreateLead, out: &mut Columns) {
        let (email, website) = (wanted.email.as_deref(), wanted.website.as_deref());
        let name = normal::full_name(wanted.first_name.as_deref(), wanted.last_name.as_deref());
        out.set("email_norm", email.and_then(normal::email))
            .set("name_norm", name)
            .set(
                "phone_norm",
                wanted.phone.as_deref().and_then(normal::phone),
            )
            .set("domain_norm", website.or(email).and_then(normal::domain));
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            status: Some(self.status.as_str()),
            source: self.source.as_deref(),
        }
    }

    async fn settle(created: &mut [Self], work: &mut Work<'_>) -> Result<(), Problem> {
        assignment::assign(work, created).await
    }
}
