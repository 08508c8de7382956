//! RFC 6749 section 6: a refresh token for new tokens, with the rotation that all sessions have.

use bz_tenant::{DbError, TenantScope, TenantTx};

use crate::{
    app::AppState,
    oauth::{
        client_auth,
        error::TokenError,
        scopes::{self, OFFLINE_ACCESS},
        store,
        token::{TokenForm, TokenResponse},
        tokens::{self, Issue},
    },
    oauth_clients::{GrantType, OauthClient},
    origin::Origin,
    sessions::{
        issue::Grant,
        refresh::{self, Refused},
        token::RefreshToken,
    },
    users::store::Account,
};

const REFUSED: TokenError = TokenError::InvalidGrant(
    "The refresh token is wrong, has ended, was used, or is another client's.",
);

/// What became of a refresh token.
enum Outcome {
    Exchanged(Box<(Account, Grant, Vec<String>)>),
    Refused(Refused),
    WiderScope,
}

/// Exchanges a refresh token. The scope may be narrower than what was allowed, for this access token only.
pub(in crate::oauth) async fn exchange(
    app: &AppState,
    client: &OauthClient,
    form: &TokenForm,
    origin: &Origin,
) -> Result<TokenResponse, TokenError> {
    let text = TokenForm::sent(&form.refresh_token)
        .ok_or(TokenError::InvalidRequest("refresh_token is missing."))?;
    if !client.grant_types.contains(&GrantType::RefreshToken) {
        return Err(TokenError::UnauthorizedClient);
    }
    let tenant = client_auth::tenant_of(client)?;
    let presented = RefreshToken::parse(text)
        .filter(|token| token.tenant == tenant)
        .ok_or(REFUSED)?;
    let wanted = form.scope.as_deref().map(scopes::parse);
    let scope = TenantScope::new(tenant, None);
    let exchange = async |tx: &mut TenantTx| {
        in_turn(tx, app, client, &presented, wanted.as_deref(), origin).await
    };
    let db = &app.core.db;
    match db
        .run::<_, DbError>("identity.sessions.refresh", &scope, exchange)
        .await?
    {
        Outcome::Exchanged(exchanged) => {
            let (account, grant, scopes) = *exchanged;
            let issue = Issue {
                account: &account,
                grant: &grant,
                client,
                scopes: &scopes,
                nonce: None,
                with_refresh_token: true,
            };
            tokens::answer(app, issue).await
        }
        Outcome::WiderScope => Err(TokenError::InvalidScope),
        Outcome::Refused(refused) => {
            if refused == Refused::Reused {
                app.wake();
            }
            Err(REFUSED)
        }
    }
}

async fn in_turn(
    tx: &mut TenantTx,
    app: &AppState,
    client: &OauthClient,
    presented: &RefreshToken,
    wanted: Option<&[String]>,
    origin: &Origin,
) -> Result<Outcome, DbError> {
    let now = app.core.sources.now();
    let held = store::live(tx, presented.session, now).await?;
    // Without a live session of this client the exchange says why not.
    let allowed = held
        .filter(|held| held.client == client.id)
        .map(|held| held.scopes);
    let scopes = match (wanted.filter(|wanted| !wanted.is_empty()), &allowed) {
        (Some(wanted), Some(allowed)) if wanted.iter().any(|name| !scopes::has(allowed, name)) => {
            return Ok(Outcome::WiderScope);
        }
        (Some(wanted), _) => wanted.to_vec(),
        (None, allowed) => allowed.clone().unwrap_or_default(),
    };
    let may_stay = allowed.is_some_and(|allowed| scopes::has(&allowed, OFFLINE_ACCESS));
    let exchanged = refresh::exchange(tx, app, presented, Some(client), origin).await?;
    Ok(match exchanged {
        // A session without the user's leave to stay has a token that was never given out.
        Ok(_) if !may_stay => Outcome::Refused(Refused::Invalid),
        Ok((account, grant)) => Outcome::Exchanged(Box::new((account, grant, scopes))),
        Err(refused) => Outcome::Refused(refused),
    })
}
