use axum::extract::State;
use base64::{Engine, engine::general_purpose::STANDARD};
use bz_auth::Entrant;
use bz_http::{Json, Problem};
use bz_tenant::TenantTx;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{codes, factor, store};
use crate::{
    account::{at_home, gone},
    app::AppState,
    users::store as users,
};

/// The name under which apps list the codes.
const ISSUER: &str = "BizOSaaS";

/// What an authenticator app needs. It is shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct Enrolment {
    /// For `POST /auth/mfa/totp/{id}/activate`.
    enrollment_id: Uuid,
    /// The secret in base 32, to type in.
    pub(crate) secret: String,
    /// The same as an address that apps open.
    otpauth_uri: String,
    /// The address as a QR code: a PNG as a `data:` URL.
    pub(crate) qr_png: String,
}

/// Begin to use an authenticator app.
///
/// Nothing changes before the first code is given to `activate`. Asked again, the app before is forgotten unless it was
/// activated.
#[utoipa::path(
    post, path = "/auth/mfa/totp", tag = "mfa",
    responses(
        (status = 201, description = "What the app needs", body = Enrolment),
        (status = 409, description = "There is an app already", body = bz_http::ProblemDocument,
            content_type = "application/problem+json"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(crate) async fn enrol_totp(
    State(app): State<AppState>,
    Entrant(caller): Entrant,
) -> Result<(StatusCode, Json<Enrolment>), Problem> {
    at_home(&caller)?;
    caller.require_recent_login(app.core.sources.now())?;
    let sources = &app.core.sources;
    let (id, secret) = (sources.id::<Uuid>(), codes::new_secret(&sources.rng));
    let sealed = factor::sealer(&app).seal(&factor::bound_to(id), &secret);
    let enrol = async |tx: &mut TenantTx| {
        if store::active_factor(tx, caller.user).await?.is_some() {
            return Err(already_enabled());
        }
        super::may_change(tx, &caller).await?;
        store::insert_factor(tx, id, caller.user, &sealed, sources.now()).await?;
        users::find(tx, caller.user).await?.ok_or_else(gone)
    };
    let account = app
        .core
        .db
        .run::<_, Problem>("identity.mfa.enrol_totp", &caller.scope, enrol)
        .await?;
    Ok((
        StatusCode::CREATED,
        Json(enrolment(id, &secret, &account.email)?),
    ))
}

/// What an app needs that gets this secret.
pub(crate) fn enrolment(id: Uuid, secret: &[u8], email: &str) -> Result<Enrolment, Problem> {
    let totp = codes::totp(secret, ISSUER, email).map_err(|_| Problem::internal(Unusable))?;
    let png = totp.to_qr_png().map_err(|_| Problem::internal(Unusable))?;
    Ok(Enrolment {
        enrollment_id: id,
        secret: totp.secret().to_base32(),
        otpauth_uri: totp.to_url().map_err(|_| Problem::internal(Unusable))?,
        qr_png: format!("data:image/png;base64,{}", STANDARD.encode(png)),
    })
}

/// The secret or the address cannot stand in an `otpauth` address.
#[derive(Debug, thiserror::Error)]
#[error("the address for the authenticator app cannot be made")]
struct Unusable;

pub(super) fn already_enabled() -> Problem {
    Problem::conflict(
        "mfa_already_enabled",
        "Remove the authenticator app before another one is added.",
    )
}
