use bz_auth::Can;
use bz_http::Json;
use bz_kernel::Page;

use super::{
    RolesRead,
    catalog::{self, Listed},
};

/// The permissions that the operations of all services ask for, of which roles are made.
///
/// They come from the services' OpenAPI documents, where each operation names its own.
#[utoipa::path(
    get, path = "/api/permissions", tag = "roles", security(("bearer" = ["roles:read"])),
    responses((status = 200, description = "All of them", body = Page<Listed>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_permissions(_: Can<RolesRead>) -> Json<Page<Listed>> {
    Json(Page {
        items: catalog::all().to_vec(),
        next_cursor: None,
    })
}
