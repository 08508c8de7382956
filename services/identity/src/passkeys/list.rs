use axum::extract::State;
use bz_auth::Entrant;
use bz_http::{Json, Problem};
use bz_kernel::Page;

use super::{Passkey, store};
use crate::app::AppState;

/// Which passkeys do I have? There is one page of them.
#[utoipa::path(
    get, path = "/auth/passkeys", tag = "passkeys",
    responses((status = 200, description = "The passkeys", body = Page<Passkey>), bz_http::openapi::ListProblems),
)]
pub(crate) async fn list_passkeys(
    State(app): State<AppState>,
    Entrant(caller): Entrant,
) -> Result<Json<Page<Passkey>>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let items = store::list(&mut tx, caller.user).await?;
    Ok(Json(Page {
        items,
        next_cursor: None,
    }))
}
