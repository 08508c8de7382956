//! RFC 6749 section 4.1.3 with PKCE (RFC 7636): a code for tokens.

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_kernel::SessionId;
use bz_tenant::{DbError, TenantScope, TenantTx};
use serde_json::json;

use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    credential::Credential,
    oauth::{
        client_auth,
        codes::{self, StoredCode},
        error::TokenError,
        scopes::{self, OFFLINE_ACCESS},
        store,
        token::{TokenForm, TokenResponse},
        tokens::{self, Issue},
    },
    oauth_clients::{GrantType, OauthClient},
    origin::Origin,
    sessions::{
        end,
        issue::{self, Grant, NewSession},
        store::RevokedBecause,
    },
    users::{self, store::Account},
};

/// One answer for every code that is not good, whatever the reason.
const REFUSED: TokenError = TokenError::InvalidGrant(
    "The code is wrong, has ended, was used, or was given for another request.",
);

/// What became of a code. A refusal is an outcome too: ending what came of a stolen code must be committed.
enum Outcome {
    Started(Box<(Account, Grant, StoredCode)>),
    Refused,
    Reused,
}

/// Exchanges a code for the tokens of a new session.
pub(in crate::oauth) async fn exchange(
    app: &AppState,
    client: &OauthClient,
    form: &TokenForm,
    origin: &Origin,
) -> Result<TokenResponse, TokenError> {
    let text = TokenForm::sent(&form.code).ok_or(TokenError::InvalidRequest("code is missing."))?;
    let Some(verifier) = TokenForm::sent(&form.code_verifier) else {
        return Err(TokenError::InvalidRequest("code_verifier is missing."));
    };
    if !client.grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(TokenError::UnauthorizedClient);
    }
    let tenant = client_auth::tenant_of(client)?;
    let presented = Credential::parse(codes::PREFIX, text)
        .filter(|code| code.tenant == tenant)
        .ok_or(REFUSED)?;
    let redemption = Redemption {
        app,
        client,
        presented: &presented,
        redirect_uri: form.redirect_uri.as_deref(),
        verifier,
        origin,
    };
    let scope = TenantScope::new(tenant, None);
    let redeem = async |tx: &mut TenantTx| redemption.redeem(tx).await;
    let db = &app.core.db;
    let outcome = db.run::<_, DbError>("identity.authorization_codes.redeem", &scope, redeem);
    match outcome.await? {
        Outcome::Started(started) => {
            let (account, grant, stored) = *started;
            let issue = Issue {
                account: &account,
                grant: &grant,
                client,
                scopes: &stored.code.scopes,
                nonce: stored.code.nonce.as_deref(),
                with_refresh_token: may_refresh(client, &stored.code.scopes),
            };
            tokens::answer(app, issue).await
        }
        Outcome::Refused => Err(REFUSED),
        Outcome::Reused => {
            app.wake();
            Err(REFUSED)
        }
    }
}

/// Whether the user allowed the client to stay, and it is registered for it.
fn may_refresh(client: &OauthClient, allowed: &[String]) -> bool {
    scopes::has(allowed, OFFLINE_ACCESS) && client.grant_types.contains(&GrantType::RefreshToken)
}

struct Redemption<'a> {
    app: &'a AppState,
    client: &'a OauthClient,
    presented: &'a Credential,
    redirect_uri: Option<&'a str>,
    verifier: &'a str,
    origin: &'a Origin,
}

impl Redemption<'_> {
    /// Does what the code is entitled to, under its lock.
    async fn redeem(&self, tx: &mut TenantTx) -> Result<Outcome, DbError> {
        let Some(stored) = codes::lock(tx, self.presented.id).await? else {
            return Ok(Outcome::Refused);
        };
        // Whoever cannot show all of this has not had the code from us, and must not be able to end anything with it.
        if !self.is_genuine(&stored) {
            return Ok(Outcome::Refused);
        }
        if let Some(session) = stored.issued_session {
            self.end_what_came_of_it(tx, &stored, session).await?;
            return Ok(Outcome::Reused);
        }
        if stored.expires_at <= self.app.core.sources.now() {
            return Ok(Outcome::Refused);
        }
        // Before the account is read: whoever shuts the user out waits for this, and this for them.
        users::store::hold(tx, stored.code.user).await?;
        let account = users::store::find(tx, stored.code.user).await?;
        let meets_policy = |account: &Account| account.policy.is_met_by(&stored.code.acr);
        let account = account.filter(|account| account.is_active() && meets_policy(account));
        let Some(account) = account else {
            return Ok(Outcome::Refused);
        };
        let grant = self.start(tx, &stored).await?;
        Ok(Outcome::Started(Box::new((account, grant, stored))))
    }

    fn is_genuine(&self, stored: &StoredCode) -> bool {
        self.presented.matches(&stored.secret_hash)
            && stored.code.client == self.client.id
            && self.redirect_uri == Some(stored.code.redirect_uri.as_str())
            && verifies(self.verifier, &stored.code.code_challenge)
    }

    async fn start(&self, tx: &mut TenantTx, stored: &StoredCode) -> Result<Grant, DbError> {
        let code = &stored.code;
        let amr: Vec<&str> = code.amr.iter().map(String::as_str).collect();
        let session = NewSession {
            user: code.user,
            client_id: &self.client.client_id,
            acr: &code.acr,
            amr: &amr,
            device_name: None,
            remember: may_refresh(self.client, &code.scopes),
            origin: self.origin,
        };
        let mut grant = issue::start(tx, self.app, &session).await?;
        grant.auth_time = code.auth_time;
        let id = grant.token.session;
        store::attach(tx, id, code).await?;
        let now = self.app.core.sources.now();
        codes::consume(tx, self.presented.id, id, now).await?;
        Ok(grant)
    }

    /// RFC 6749 section 4.1.2: the tokens that a code was given out for end when it comes again.
    async fn end_what_came_of_it(
        &self,
        tx: &mut TenantTx,
        stored: &StoredCode,
        session: SessionId,
    ) -> Result<(), DbError> {
        let user = stored.code.user;
        let because = RevokedBecause::RefreshReuse;
        if end::end(tx, self.app, session, because, Some(user)).await? {
            tracing::warn!(
                session.id = %session,
                user.id = %user,
                client.id = self.client.client_id,
                "an authorization code was used twice; what came of it was ended"
            );
            let entry = Entry {
                actor: Actor::Anonymous,
                action: "oauth_code.reused",
                target: Some(("oauth_client", self.client.id.as_uuid())),
                success: false,
                changes: json!({ "session_id": session, "user_id": user }),
                origin: self.origin,
            };
            audit::record(tx, &self.app.core.sources, entry).await?;
        }
        Ok(())
    }
}

/// RFC 7636 section 4.6, method `S256`.
fn verifies(verifier: &str, challenge: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(allowed) {
        return false;
    }
    let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
    let computed = URL_SAFE_NO_PAD.encode(hash);
    verify_slices_are_equal(computed.as_bytes(), challenge.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_verifies_and_nothing_near_it() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(verifies(verifier, challenge));
        assert!(!verifies(challenge, challenge));
        assert!(!verifies(&verifier[..42], challenge));
        assert!(!verifies("", challenge));
        assert!(!verifies(&"é".repeat(30), challenge));
    }
}
