//! Many leads at once.

use crate::jobs::endpoints::transfers;

transfers! {
    Lead, LeadsRead = "leads:read", LeadsWrite = "leads:write", tag "leads",
    import import_leads "/api/leads/import" "Import leads from a CSV file.",
    export export_leads "/api/leads/export" "Export leads as CSV, NDJSON or XLSX.",
    bulk bulk_leads "/api/leads/bulk" "Change, delete or restore many leads.",
}
