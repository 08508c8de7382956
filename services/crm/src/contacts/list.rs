//! The lists of contacts.

use crate::records::list::endpoints::lists;

lists! {
    Contact, ContactsRead = "contacts:read",
    tag "contacts",
    "/api/contacts", "/api/contacts/query",
    list list_contacts "The contacts that the caller sees.",
    query query_contacts "Find contacts.",
}
