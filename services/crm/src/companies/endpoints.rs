//! What every type of record has, for companies.

use bz_kernel::CompanyId;

use crate::records::endpoints::endpoints;

endpoints! {
    Company(CompanyId), CreateCompany, PatchCompany, CompaniesRead = "companies:read", CompaniesWrite = "companies:write",
    tag "companies",
    "/api/companies", "/api/companies/{id}", "/api/companies/{id}/restore",
    create create_company "Create a company.",
    get get_company "One company.",
    put put_company "Replace a company.",
    patch patch_company "Change a company.",
    delete delete_company "Delete a company.",
    restore restore_company "Take a company out of the trash.",
}
