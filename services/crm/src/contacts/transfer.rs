//! Many contacts at once.

use crate::jobs::endpoints::transfers;

transfers! {
    Contact, ContactsRead = "contacts:read", ContactsWrite = "contacts:write", tag "contacts",
    import import_contacts "/api/contacts/import" "Import contacts from a CSV file.",
    export export_contacts "/api/contacts/export" "Export contacts as CSV, NDJSON or XLSX.",
    bulk bulk_contacts "/api/contacts/bulk" "Change, delete or restore many contacts.",
}
