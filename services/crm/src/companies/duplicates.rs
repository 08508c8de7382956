//! Duplicates and merges of companies.

use bz_kernel::CompanyId;

use crate::duplicates::endpoints::duplicate_endpoints;

duplicate_endpoints! {
    Company(CompanyId), CompaniesRead = "companies:read", CompaniesWrite = "companies:write", tag "companies",
    "/api/companies/{id}/duplicates", "/api/companies/merge",
    duplicates list_company_duplicates "What is probably the same as a company.",
    merge merge_companies "Merge companies into one.",
}
