//! Companies: the organisations that people work for and deals are made with.

mod contacts;
mod duplicates;
mod endpoints;
mod list;
mod timeline;
mod transfer;

use bz_http::{Errors, Problem, Routes, Validate, routes};
use bz_kernel::CompanyId;
use chrono::{DateTime, Utc};

use crate::{
    app::AppState,
    duplicates::{Key, Keys},
    normal,
    records::{Fields, Money, Rules, Work, record, sql::Columns, validate_common},
    rules,
};

bz_auth::permissions! {
    /// See companies.
    CompaniesRead = "companies:read",
    /// Create, change and delete companies.
    CompaniesWrite = "companies:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    endpoints::routes()
        .merge(list::routes())
        .merge(timeline::routes())
        .routes(routes!(contacts::list_company_contacts))
        .merge(transfer::routes())
        .merge(duplicates::routes())
}

record! {
    /// An organisation.
    pub struct Company(CompanyId) = COMPANY: "company", "companies";

    /// What a client writes of a company.
    writes CreateCompany {
        /// Its name, 1 to 200 characters.
        #[schema(min_length = 1, max_length = 200)]
        name: String,
        /// Its main internet domain: `engines.example`. Kept in lower case and without `www.`.
        #[schema(max_length = 253)]
        domain: Option<String>,
        /// Its other domains, at most 20.
        #[serde(default)]
        #[schema(max_items = 20)]
        domains: Vec<String>,
        /// Its web address, at most 500 characters.
        #[schema(max_length = 500)]
        website: Option<String>,
        /// Phone number in any form, at most 50 characters.
        #[schema(max_length = 50)]
        phone: Option<String>,
        /// Industry, at most 200 characters.
        #[schema(max_length = 200)]
        industry: Option<String>,
        /// How many people work there, 0 or more.
        #[schema(minimum = 0)]
        employees: Option<i32>,
        /// What it earns a year.
        annual_revenue: Option<Money>,
        /// The company that it belongs to.
        parent_id: Option<CompanyId>,
        /// Street and number, at most 300 characters.
        #[schema(max_length = 300)]
        street: Option<String>,
        /// City, at most 100 characters.
        #[schema(max_length = 100)]
        city: Option<String>,
        /// State or region, at most 100 characters.
        #[schema(max_length = 100)]
        region: Option<String>,
        /// Postal code, at most 20 characters.
        #[schema(max_length = 20)]
        postal_code: Option<String>,
        /// Country, at most 100 characters.
        #[schema(max_length = 100)]
        country: Option<String>,
        /// More about it, at most 10,000 characters.
        #[schema(max_length = 10_000)]
        description: Option<String>,
    }

    reads {
        /// When something last happened with it.
        last_activity_at: Option<DateTime<Utc>>,
    }
}

impl Validate for CreateCompany {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_text(errors, "/name", Some(&self.name), 200);
        let texts = [
            ("/website", &self.website, 500),
            ("/phone", &self.phone, 50),
            ("/industry", &self.industry, 200),
            ("/street", &self.street, 300),
            ("/city", &self.city, 100),
            ("/region", &self.region, 100),
            ("/postal_code", &self.postal_code, 20),
            ("/country", &self.country, 100),
            ("/description", &self.description, 10_000),
        ];
        for (pointer, text, longest) in texts {
            rules::optional_text(errors, pointer, text.as_deref(), longest);
        }
        rules::optional_domain(errors, "/domain", self.domain.as_deref());
        if self.domains.len() > 20 {
            errors.add("/domains", "too_many", "must have at most 20 domains");
        }
        for (n, domain) in self.domains.iter().enumerate() {
            rules::optional_domain(errors, format!("/domains/{n}"), Some(domain));
        }
        rules::optional_count(errors, "/employees", self.employees);
        rules::optional_money(errors, "/annual_revenue", self.annual_revenue.as_ref());
        validate_common(errors, self.common());
    }
}

impl Rules for Company {
    type Wanted = CreateCompany;

    const SORTS: &'static [(&'static str, &'static str)] = &[("name", "name_norm")];

    const KEYS: &'static [Key] = &[Key::OwnDomain, Key::Phone, Key::Name];

    fn keys(wanted: &CreateCompany) -> Keys {
        let domain = wanted.domain.as_deref().or(wanted.website.as_deref());
        Keys {
            phone: wanted.phone.as_deref().and_then(normal::phone),
            domain: domain.and_then(normal::domain),
            name: normal::name(&wanted.name),
            owns_domain: true,
            ..Keys::default()
        }
    }

    fn derive(wanted: &CreateCompany, out: &mut Columns) {
        let name = normal::name(&wanted.name);
        out.set(
            "name_norm",
            name.unwrap_or_else(|| wanted.name.to_lowercase()),
        )
        .set(
            "phone_norm",
            wanted.phone.as_deref().and_then(normal::phone),
        );
    }

    async fn prepare(
        _work: &mut Work<'_>,
        wanted: &mut CreateCompany,
        before: Option<&Self>,
    ) -> Result<(), Problem> {
        wanted.domain = wanted.domain.as_deref().and_then(normal::domain);
        for domain in &mut wanted.domains {
            if let Some(plain) = normal::domain(domain) {
                *domain = plain;
            }
        }
        if wanted.parent_id.is_some() && wanted.parent_id == before.map(|company| company.id) {
            let mut errors = Errors::default();
            errors.add("/parent_id", "own_parent", "must be another company");
            return Err(Problem::validation(errors));
        }
        Ok(())
    }
}
