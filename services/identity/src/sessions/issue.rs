//! Starting a session and signing the tokens of one.

use bz_auth::{Claims, claims::UserGrant};
use bz_http::Problem;
use bz_kernel::{ExposeSecret, SecretString, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    ACCESS_TOKEN_LIFETIME, BRIEF_REFRESH_TOKEN_LIFETIME, BRIEF_SESSION_LIFETIME,
    FIRST_PARTY_CLIENT, REFRESH_TOKEN_LIFETIME, SESSION_LIFETIME, TokenAnswer, end,
    store::{self, RevokedBecause},
    token::RefreshToken,
};
use crate::{
    app::AppState,
    origin::Origin,
    problems::{email_not_verified, invalid_credentials},
    tenants::{TenantSummary, policy},
    users::{self, User, store::Account},
};

/// A session that is about to start.
pub(crate) struct NewSession<'a> {
    /// Whose it is.
    pub(crate) user: UserId,
    /// The client that its tokens are given to.
    pub(crate) client_id: &'a str,
    /// How strongly the user proved who they are: `aal1` or `aal2` (NIST SP 800-63B).
    pub(crate) acr: &'a str,
    /// By what (RFC 8176).
    pub(crate) amr: &'a [&'a str],
    /// What the user calls the device.
    pub(crate) device_name: Option<&'a str>,
    /// Whether it outlives the day.
    pub(crate) remember: bool,
    /// Where the login comes from.
    pub(crate) origin: &'a Origin,
}

impl<'a> NewSession<'a> {
    /// A session of the platform's own front ends, after the right password was given.
    pub(crate) const fn with_password(user: UserId, origin: &'a Origin) -> Self {
        Self {
            user,
            client_id: FIRST_PARTY_CLIENT,
            acr: "aal1",
            amr: &["pwd"],
            device_name: None,
            remember: true,
            origin,
        }
    }

    /// How long a refresh token of it waits for its use.
    pub(crate) const fn refresh_lifetime(&self) -> TimeDelta {
        if self.remember {
            REFRESH_TOKEN_LIFETIME
        } else {
            BRIEF_REFRESH_TOKEN_LIFETIME
        }
    }

    /// Its absolute end.
    pub(crate) fn ends(&self, from: DateTime<Utc>) -> DateTime<Utc> {
        from + if self.remember {
            SESSION_LIFETIME
        } else {
            BRIEF_SESSION_LIFETIME
        }
    }
}

/// A session as its next answer needs it.
pub(crate) struct Grant {
    /// The refresh token to hand out.
    pub(crate) token: RefreshToken,
    /// The client that the tokens are given to.
    pub(crate) client_id: String,
    /// When the user proved who they are.
    pub(crate) auth_time: DateTime<Utc>,
    /// How strongly.
    pub(crate) acr: String,
    /// By what.
    pub(crate) amr: Vec<String>,
    /// When the refresh token ends.
    pub(crate) token_ends: DateTime<Utc>,
    /// Id of the access token. Made in the transaction that reads the user's rights: revocations compare its time, and
    /// rights that change a moment later must not be in a token that seems to be from after the change.
    pub(crate) token_id: Uuid,
}

/// Stores a new session in the tenant of the transaction.
pub(crate) async fn start(
    tx: &mut TenantTx,
    app: &AppState,
    session: &NewSession<'_>,
) -> Result<Grant, DbError> {
    let (sources, now) = (&app.core.sources, app.core.sources.now());
    let token = RefreshToken::first(tx.scope().tenant(), sources.id(), &sources.rng);
    let token_ends = store::insert(tx, session, &token, now).await?;
    Ok(Grant {
        token,
        client_id: session.client_id.to_owned(),
        auth_time: now,
        acr: session.acr.to_owned(),
        amr: session.amr.iter().map(ToString::to_string).collect(),
        token_ends,
        token_id: sources.id(),
    })
}

/// Signs the access token of a session.
pub(crate) fn access_token(
    app: &AppState,
    account: &Account,
    grant: &Grant,
) -> Result<SecretString, Problem> {
    let now = app.core.sources.now();
    let user_grant = UserGrant {
        user: account.user,
        tenant: account.tenant,
        home_tenant: account.home_tenant,
        session: grant.token.session,
        client_id: grant.client_id.clone(),
        roles: account.roles.clone(),
        entitlements: account.entitlements.clone(),
        authenticated_at: grant.auth_time,
        acr: grant.acr.clone(),
        amr: grant.amr.clone(),
        act: None,
    };
    let mut claims = Claims::of_user(
        &app.core.issuer,
        user_grant,
        grant.token_id,
        now,
        ACCESS_TOKEN_LIFETIME,
    );
    if !account.policy.is_met_by(&grant.acr) {
        claims = claims.owing_second_factor();
    }
    app.keys.current().sign(&claims).map_err(Problem::internal)
}

/// Starts a session for the account as it is now: proving who one is takes long enough for somebody to disable it, or to
/// change its roles. Storing the session locks the user weakly, so that whoever revokes their tokens waits for this. When
/// somebody may not enter, the transaction must not be committed.
pub(crate) async fn begin(
    tx: &mut TenantTx,
    app: &AppState,
    session: &NewSession<'_>,
) -> Result<(Grant, Result<Account, Barred>), DbError> {
    let grant = start(tx, app, session).await?;
    let account = users::store::find(tx, session.user).await?;
    Ok((grant, admit(app, account, session.origin)))
}

/// The same for a transaction that is committed anyway: the session ends again when somebody may not enter.
pub(crate) async fn enter(
    tx: &mut TenantTx,
    app: &AppState,
    session: &NewSession<'_>,
) -> Result<Result<(Account, Grant), Barred>, DbError> {
    let (grant, admitted) = begin(tx, app, session).await?;
    match admitted {
        Ok(account) => Ok(Ok((account, grant))),
        Err(barred) => {
            let because = RevokedBecause::UserDisabled;
            end::end(tx, app, grant.token.session, because, None).await?;
            Ok(Err(barred))
        }
    }
}

/// The account, if somebody who proved that it is theirs may have a session.
pub(crate) fn admit(
    app: &AppState,
    account: Option<Account>,
    origin: &Origin,
) -> Result<Account, Barred> {
    let account = account.filter(Account::is_active).ok_or(Barred::Inactive)?;
    if !app.may_log_in(&account) {
        return Err(Barred::Unverified);
    }
    if !account.policy.takes_network(origin.ip) {
        return Err(Barred::Network);
    }
    Ok(account)
}

/// Why somebody who proved who they are gets no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Barred {
    /// The account may not log in any more.
    Inactive,
    /// Its address was not verified.
    Unverified,
    /// The tenant lets no session start from there.
    Network,
}

/// What a login with a password is answered. Only somebody who knows the password may learn more than that it failed.
impl From<Barred> for Problem {
    fn from(barred: Barred) -> Self {
        match barred {
            Barred::Inactive => invalid_credentials(),
            Barred::Unverified => email_not_verified(),
            Barred::Network => policy::ip_not_allowed(),
        }
    }
}

/// Signs the tokens of a session. No transaction is open meanwhile.
pub(crate) fn answer(
    app: &AppState,
    account: &Account,
    grant: &Grant,
) -> Result<TokenAnswer, Problem> {
    let now = app.core.sources.now();
    Ok(TokenAnswer {
        access_token: access_token(app, account, grant)?
            .expose_secret()
            .to_owned(),
        token_type: "Bearer",
        expires_in: ACCESS_TOKEN_LIFETIME.num_seconds(),
        refresh_token: Some(grant.token.expose().expose_secret().to_owned()),
        refresh_expires_in: (grant.token_ends - now).num_seconds(),
        session_id: grant.token.session,
        owes_second_factor: !account.policy.is_met_by(&grant.acr),
        user: User::from(account),
        tenant: TenantSummary::from(account),
    })
}
