//! The lists of companies.

use crate::records::list::endpoints::lists;

lists! {
    Company, CompaniesRead = "companies:read",
    tag "companies",
    "/api/companies", "/api/companies/query",
    list list_companies "The companies that the caller sees.",
    query query_companies "Find companies.",
}
