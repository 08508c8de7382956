//! What every type of record has, for deals.

use bz_kernel::DealId;

use crate::records::endpoints::endpoints;

endpoints! {
    Deal(DealId), CreateDeal, PatchDeal, DealsRead = "deals:read", DealsWrite = "deals:write",
    tag "deals",
    "/api/deals", "/api/deals/{id}", "/api/deals/{id}/restore",
    create create_deal "Create a deal.",
    get get_deal "One deal.",
    put put_deal "Replace a deal.",
    patch patch_deal "Change a deal.",
    delete delete_deal "Delete a deal.",
    restore restore_deal "Take a deal out of the trash.",
}
