//! Many deals at once.

use crate::jobs::endpoints::transfers;

transfers! {
    Deal, DealsRead = "deals:read", DealsWrite = "deals:write", tag "deals",
    import import_deals "/api/deals/import" "Import deals from a CSV file.",
    export export_deals "/api/deals/export" "Export deals as CSV, NDJSON or XLSX.",
    bulk bulk_deals "/api/deals/bulk" "Change, delete or restore many deals.",
}
