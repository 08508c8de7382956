//! Duplicates and merges of leads.

use bz_kernel::LeadId;

use crate::duplicates::endpoints::duplicate_endpoints;

duplicate_endpoints! {
    Lead(LeadId), LeadsRead = "leads:read", LeadsWrite = "leads:write", tag "leads",
    "/api/leads/{id}/duplicates", "/api/leads/merge",
    duplicates list_lead_duplicates "What is probably the same as a lead.",
    merge merge_leads "Merge leads into one.",
}
