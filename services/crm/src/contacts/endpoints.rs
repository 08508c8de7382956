//! What every type of record has, for contacts.

use bz_kernel::ContactId;

use crate::records::endpoints::endpoints;

endpoints! {
    Contact(ContactId), CreateContact, PatchContact, ContactsRead = "contacts:read", ContactsWrite = "contacts:write",
    tag "contacts",
    "/api/contacts", "/api/contacts/{id}", "/api/contacts/{id}/restore",
    create create_contact "Create a contact.",
    get get_contact "One contact.",
    put put_contact "Replace a contact.",
    patch patch_contact "Change a contact.",
    delete delete_contact "Delete a contact.",
    restore restore_contact "Take a contact out of the trash.",
}
