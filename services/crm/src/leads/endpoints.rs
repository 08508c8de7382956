//! What every type of record has, for leads.

use bz_kernel::LeadId;

use crate::records::endpoints::endpoints;

endpoints! {
    Lead(LeadId), CreateLead, PatchLead, LeadsRead = "leads:read", LeadsWrite = "leads:write",
    tag "leads",
    "/api/leads", "/api/leads/{id}", "/api/leads/{id}/restore",
    create create_lead "Create a lead.",
    get get_lead "One lead.",
    put put_lead "Replace a lead.",
    patch patch_lead "Change a lead.",
    delete delete_lead "Delete a lead.",
    restore restore_lead "Take a lead out of the trash.",
}
