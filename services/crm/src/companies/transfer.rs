//! Many companies at once.

use crate::jobs::endpoints::transfers;

transfers! {
    Company, CompaniesRead = "companies:read", CompaniesWrite = "companies:write", tag "companies",
    import import_companies "/api/companies/import" "Import companies from a CSV file.",
    export export_companies "/api/companies/export" "Export companies as CSV, NDJSON or XLSX.",
    bulk bulk_companies "/api/companies/bulk" "Change, delete or restore many companies.",
}
