//! The timeline of a contact.

use bz_kernel::ContactId;

use crate::records::timeline::timeline;

timeline! {
    Contact(ContactId), ContactsRead = "contacts:read",
    tag "contacts", "/api/contacts/{id}/timeline",
    get_contact_timeline "What happened with a contact.",
}
