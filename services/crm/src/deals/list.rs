//! The lists of deals.

use crate::records::list::endpoints::lists;

lists! {
    Deal, DealsRead = "deals:read",
    tag "deals",
    "/api/deals", "/api/deals/query",
    list list_deals "The deals that the caller sees.",
    query query_deals "Find deals.",
}
