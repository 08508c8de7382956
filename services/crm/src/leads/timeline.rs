//! The timeline of a lead.

use bz_kernel::LeadId;

use crate::records::timeline::timeline;

timeline! {
    Lead(LeadId), LeadsRead = "leads:read",
    tag "leads", "/api/leads/{id}/timeline",
    get_lead_timeline "What happened with a lead.",
}
