use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem};
use http::StatusCode;
use uuid::Uuid;

use super::{InvitationStatus, MembersManage, closed, create, store};
use crate::{app::AppState, origin::Origin};

/// Take an invitation back. One that was taken back before stays so.
#[utoipa::path(
    delete, path = "/api/invitations/{id}", tag = "invitations",
    security(("bearer" = ["members:manage"])),
    params(("id" = Uuid, Path, description = "The invitation")),
    responses((status = 204, description = "Nobody can accept it"), bz_http::openapi::ChangeProblems),
)]
pub(crate) async fn delete_invitation(
    State(app): State<AppState>,
    caller: Can<MembersManage>,
    Path(id): Path<Uuid>,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let now = app.core.sources.now();
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let found = store::lock(&mut tx, id, now)
        .await?
        .ok_or_else(Problem::not_found)?;
    match found.invitation.status {
        InvitationStatus::Accepted => return Err(closed()),
        InvitationStatus::Revoked => return Ok(StatusCode::NO_CONTENT),
        InvitationStatus::Pending | InvitationStatus::Expired => {}
    }
    store::revoke(&mut tx, id, now).await?;
    let invitation = &found.invitation;
    create::record(
        &mut tx,
        &app,
        &caller,
        "invitation.revoked",
        invitation,
        &origin,
    )
    .await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
