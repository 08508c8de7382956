use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use uuid::Uuid;

use super::{Invitation, InvitationStatus, MembersManage, closed, create, grant, store};
use crate::{app::AppState, credential::Credential, limits, origin::Origin, users::Email};

/// Send an invitation again, with a new token and its whole time. The token before it is no longer good.
#[utoipa::path(
    post, path = "/api/invitations/{id}/resend", tag = "invitations",
    security(("bearer" = ["members:manage"])),
    params(("id" = Uuid, Path, description = "The invitation")),
    responses(
        (status = 200, description = "The invitation as it is now", body = Invitation),
        (status = 429, description = "Too many mails to the address in an hour", body = bz_http::ProblemDocument,
            content_type = "application/problem+json"),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(crate) async fn resend_invitation(
    State(app): State<AppState>,
    caller: Can<MembersManage>,
    Path(id): Path<Uuid>,
    origin: Origin,
) -> Result<Json<Invitation>, Problem> {
    caller.refuse_impersonation()?;
    let (sources, now) = (&app.core.sources, app.core.sources.now());
    let address = {
        let mut tx = app.core.db.read(&caller.scope).await?;
        let found = store::find(&mut tx, id, now).await?;
        found.ok_or_else(Problem::not_found)?.invitation.email
    };
    limits::check_invitation(&app, caller.tenant(), &address).await?;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let found = store::lock(&mut tx, id, now)
        .await?
        .ok_or_else(Problem::not_found)?;
    let status = found.invitation.status;
    if !matches!(
        status,
        InvitationStatus::Pending | InvitationStatus::Expired
    ) {
        return Err(closed());
    }
    grant::check_escalation(&caller, &found.invitation.roles)?;
    if let Ok(email) = Email::parse(&found.invitation.email) {
        create::takes(&found.policy, &email)?;
    }
    let token = Credential::new(caller.tenant(), id, &sources.rng);
    store::renew(&mut tx, id, &token.secret_hash(), now + found.lifetime).await?;
    let renewed = store::find(&mut tx, id, now)
        .await?
        .ok_or_else(Problem::not_found)?;
    let invitation = renewed.invitation;
    create::send(&mut tx, &app, &caller, &invitation, &token).await?;
    create::record(
        &mut tx,
        &app,
        &caller,
        "invitation.resent",
        &invitation,
        &origin,
    )
    .await?;
    tx.commit().await?;
    app.wake();
    Ok(Json(invitation))
}
