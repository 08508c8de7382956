//! The timeline of a deal.

use bz_kernel::DealId;

use crate::records::timeline::timeline;

timeline! {
    Deal(DealId), DealsRead = "deals:read",
    tag "deals", "/api/deals/{id}/timeline",
    get_deal_timeline "What happened with a deal.",
}
