//! The lists of leads.

use crate::records::list::endpoints::lists;

lists! {
    Lead, LeadsRead = "leads:read",
    tag "leads",
    "/api/leads", "/api/leads/query",
    list list_leads "The leads that the caller sees.",
    query query_leads "Find leads.",
}
