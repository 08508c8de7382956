//! Duplicates and merges of contacts.

use bz_kernel::ContactId;

use crate::duplicates::endpoints::duplicate_endpoints;

duplicate_endpoints! {
    Contact(ContactId), ContactsRead = "contacts:read", ContactsWrite = "contacts:write", tag "contacts",
    "/api/contacts/{id}/duplicates", "/api/contacts/merge",
    duplicates list_contact_duplicates "What is probably the same as a contact.",
    merge merge_contacts "Merge contacts into one.",
}
