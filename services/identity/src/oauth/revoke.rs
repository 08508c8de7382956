//! RFC 7009: an application gives a token back. Whatever the token is, the session that it belongs to ends with it.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bz_kernel::SessionId;
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::StatusCode;

use super::{client_auth, error::TokenError, introspect::authenticated, store};
use crate::{
    app::AppState,
    oauth_clients::OauthClient,
    sessions::{
        end,
        store::{self as sessions, RevokedBecause},
        token::RefreshToken,
    },
};

/// `POST /oauth2/revoke`. A token that is none, or another client's, is a success too, and nothing happens to it.
pub(super) async fn revoke(State(app): State<AppState>, request: Request) -> Response {
    match answer(&app, request).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => error.into_response(),
    }
}

async fn answer(app: &AppState, request: Request) -> Result<(), TokenError> {
    let (client, token) = authenticated(app, request).await?;
    let scope = TenantScope::new(client_auth::tenant_of(&client)?, None);
    let refresh = RefreshToken::parse(&token).filter(|token| token.tenant == scope.tenant());
    let session = match &refresh {
        Some(refresh) => Some(refresh.session),
        None => match app.keys.provider().verify(&token).await {
            Ok(claims) if claims.client_id == client.client_id => claims.sid,
            _ => None,
        },
    };
    let Some(session) = session else {
        return Ok(());
    };
    let revoke =
        async |tx: &mut TenantTx| end_it(tx, app, &client, session, refresh.as_ref()).await;
    let db = &app.core.db;
    db.run::<_, DbError>("identity.sessions.revoke", &scope, revoke)
        .await?;
    app.wake();
    Ok(())
}

async fn end_it(
    tx: &mut TenantTx,
    app: &AppState,
    client: &OauthClient,
    session: SessionId,
    refresh: Option<&RefreshToken>,
) -> Result<(), DbError> {
    // The same lock that a refresh takes.
    let Some(_locked) = sessions::lock(tx, session).await? else {
        return Ok(());
    };
    let held = store::live(tx, session, app.core.sources.now()).await?;
    let Some(held) = held.filter(|held| held.client == client.id) else {
        return Ok(());
    };
    if let Some(token) = refresh {
        let generation = sessions::generation(tx, session, token.generation).await?;
        if generation.is_none_or(|generation| !token.matches(&generation.secret_hash)) {
            return Ok(());
        }
    }
    end::end(tx, app, session, RevokedBecause::Logout, Some(held.user)).await?;
    Ok(())
}
