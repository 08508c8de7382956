use axum::extract::State;
use bz_auth::Entrant;
use bz_http::{Json, Problem};
use bz_tenant::{DbError, TenantTx};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webauthn_rs::prelude::CreationChallengeResponse;
use webauthn_rs_proto::ResidentKeyRequirement;

use super::{CEREMONY_LIFETIME, store};
use crate::{account::at_home, app::AppState, mfa, users::store as users};

/// What the browser needs to make a passkey.
#[derive(Serialize, ToSchema)]
pub(crate) struct RegistrationOptions {
    /// For `POST /auth/passkeys/register/verify`.
    ceremony_id: Uuid,
    /// For `navigator.credentials.create()`, binary members as base64url.
    #[schema(value_type = Object)]
    options: CreationChallengeResponse,
}

/// Begin to add a passkey.
#[utoipa::path(
    post, path = "/auth/passkeys/register/options", tag = "passkeys",
    responses((status = 200, description = "What the browser needs", body = RegistrationOptions),
        bz_http::openapi::ReadProblems),
)]
pub(crate) async fn register_options(
    State(app): State<AppState>,
    Entrant(caller): Entrant,
) -> Result<Json<RegistrationOptions>, Problem> {
    at_home(&caller)?;
    caller.require_recent_login(app.core.sources.now())?;
    let (account, known) = {
        let mut tx = app.core.db.read(&caller.scope).await?;
        mfa::may_change(&mut tx, &caller).await?;
        let account = users::find(&mut tx, caller.user).await?;
        let known = store::credential_ids(&mut tx, caller.user).await?;
        (account.ok_or_else(Problem::not_found)?, known)
    };
    let shown = account.name.as_deref().unwrap_or(&account.email);
    let (mut options, state) = app
        .config
        .relying_party
        .start_passkey_registration(caller.user.as_uuid(), &account.email, shown, Some(known))
        .map_err(Problem::internal)?;
    // The passkey must be found without a name being typed.
    if let Some(selection) = &mut options.public_key.authenticator_selection {
        selection.resident_key = Some(ResidentKeyRequirement::Required);
        selection.require_resident_key = true;
    }
    let ceremony_id: Uuid = app.core.sources.id();
    let ends = app.core.sources.now() + CEREMONY_LIFETIME;
    let keep = async |tx: &mut TenantTx| {
        store::insert_registration(tx, ceremony_id, caller.user, &state, ends).await
    };
    app.core
        .db
        .run::<_, DbError>("identity.passkeys.register_options", &caller.scope, keep)
        .await?;
    Ok(Json(RegistrationOptions {
        ceremony_id,
        options,
    }))
}
