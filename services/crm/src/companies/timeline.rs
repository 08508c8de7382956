//! The timeline of a company.

use bz_kernel::CompanyId;

use crate::records::timeline::timeline;

timeline! {
    Company(CompanyId), CompaniesRead = "companies:read",
    tag "companies", "/api/companies/{id}/timeline",
    get_company_timeline "What happened with a company.",
}
