//! The user behind a request.

use std::{marker::PhantomData, ops::Deref, sync::Arc, time::Duration};

use axum::extract::{FromRef, FromRequestParts};
use bz_http::Problem;
use bz_kernel::{SecretString, SessionId, TenantId, UserId};
use bz_tenant::TenantScope;
use chrono::{DateTime, Utc};
use http::request::Parts;

use crate::{
    Claims, Permission, Permissions, Verifier, bearer, claims::seconds,
    permission::is_administration,
};

/// How long a login counts as recent, in seconds.
const RECENT_SECONDS: u64 = 300;

/// The user behind a request, from a verified token. As an extractor it lets every user of a tenant in, but no application
/// that a user has allowed something; [`Can`] asks for a permission, which an application may have too.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The tenant to work in, and the user, for [`Db::tenant`](bz_tenant::Db::tenant).
    pub scope: TenantScope,
    /// The user.
    pub user: UserId,
    /// The session that the token belongs to.
    pub session: Option<SessionId>,
    /// What the user may do in the tenant.
    pub permissions: Permissions,
    /// Everything that the token says.
    pub claims: Arc<Claims>,
    token: SecretString,
}

impl Caller {
    /// The tenant to work in.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.scope.tenant()
    }

    /// The token as it was sent, to act for the user at a sibling.
    #[must_use]
    pub const fn token(&self) -> &SecretString {
        &self.token
    }

    /// How long the token is good for yet, at most a day: a stream that it opened ends then.
    #[must_use]
    pub fn token_left(&self, now: DateTime<Utc>) -> Duration {
        Duration::from_secs(self.claims.exp.saturating_sub(seconds(now)).min(86_400))
    }

    /// Goes on if the user has a permission that only the request's content shows to be needed.
    ///
    /// # Errors
    /// 403 `forbidden`; 403 `impersonation_forbidden` for administration in somebody else's name.
    pub fn require<P: Permission>(&self) -> Result<(), Problem> {
        if !self.permissions.has::<P>() {
            return Err(bearer::forbidden(P::NAME));
        }
        if is_administration(P::NAME) {
            self.refuse_impersonation()?;
        }
        Ok(())
    }

    /// Goes on if it is the user who acts, and nobody in their name: for what is the user's own affair, such as
    /// credentials, and for all administration.
    ///
    /// # Errors
    /// 403 `impersonation_forbidden`.
    pub fn refuse_impersonation(&self) -> Result<(), Problem> {
        match self.claims.act {
            None => Ok(()),
            Some(_) => Err(bearer::impersonation_forbidden()),
        }
    }

    /// Goes on if the user proved who they are a short while ago: for what a stolen access token must not be enough.
    ///
    /// # Errors
    /// 401 `reauthentication_required` (RFC 9470); 403 `impersonation_forbidden` for somebody who acts in the user's name.
    pub fn require_recent_login(&self, now: DateTime<Utc>) -> Result<(), Problem> {
        self.refuse_impersonation()?;
        let recent = |at| seconds(now) <= RECENT_SECONDS.saturating_add(at);
        if self.claims.auth_time.is_some_and(recent) {
            Ok(())
        } else {
            Err(bearer::reauthentication_required(RECENT_SECONDS))
        }
    }

    /// Goes on if the user gave a second factor in this session: for what a password must not be enough.
    ///
    /// # Errors
    /// 403 `step_up_required` (RFC 9470); 403 `impersonation_forbidden` for somebody who acts in the user's name.
    pub fn require_second_factor(&self) -> Result<(), Problem> {
        self.refuse_impersonation()?;
        if self.claims.has_two_factors() {
            Ok(())
        } else {
            Err(bearer::step_up_required())
        }
    }

    /// The user of a token that was kept, for work that goes on after the request that brought it.
    ///
    /// # Errors
    /// 401 when the token is not good any more, 403 for one that is no user's, 503 when nobody can say.
    pub async fn of_token(verifier: &Verifier, token: &SecretString) -> Result<Self, Problem> {
        let claims = bearer::verified(verifier, token).await?;
        Self::of(claims, token.clone())?.in_full()
    }

    async fn from_parts(parts: &Parts, verifier: &Verifier) -> Result<Self, Problem> {
        let (claims, token) = bearer::authenticate(parts, verifier).await?;
        Self::of(claims, token)
    }

    /// A session that owes a second factor is good for nothing but that.
    fn in_full(self) -> Result<Self, Problem> {
        if self.claims.owes_second_factor {
            return Err(bearer::step_up_required());
        }
        Ok(self)
    }

    /// What needs no permission is about one's own account, which is not an application's business.
    fn of_the_users_own(self) -> Result<Self, Problem> {
        if self.claims.is_delegated() {
            return Err(Problem::forbidden().detail("This needs a login of the user's own."));
        }
        Ok(self)
    }

    fn of(claims: Arc<Claims>, token: SecretString) -> Result<Self, Problem> {
        // A service's own token has no tenant and is nobody's.
        let (Some(tenant), Ok(user)) = (claims.tid, claims.sub.parse::<UserId>()) else {
            return Err(Problem::forbidden().detail("This needs the token of a user."));
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "the tenant of a verified token: the source of all others"
        )]
        let tenant = TenantId::trusted(tenant);
        tracing::Span::current()
            .record("tenant.id", tracing::field::display(tenant))
            .record("user.id", tracing::field::display(user));
        Ok(Self {
            scope: TenantScope::new(tenant, Some(user)),
            user,
            session: claims.sid,
            permissions: Permissions::of_roles(&claims.roles).with(&claims.entitlements),
            claims,
            token,
        })
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Self::from_parts(parts, &Verifier::from_ref(state))
            .await?
            .in_full()?
            .of_the_users_own()
    }
}

/// A caller who may still owe the second factor that the tenant asks for: for setting one up and giving it, and for nothing
/// else.
#[derive(Debug)]
pub struct Entrant(pub Caller);

impl<S> FromRequestParts<S> for Entrant
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_parts(parts, &Verifier::from_ref(state)).await?;
        Ok(Self(caller.of_the_users_own()?))
    }
}

/// A caller whose token is genuine, but may have expired or been revoked: for logging out, which must always work.
#[derive(Debug)]
pub struct PastCaller {
    /// Whom the token speaks or spoke for.
    pub caller: Caller,
    /// What is wrong with the token today; nothing when it is good.
    pub refused: Option<Problem>,
}

impl<S> FromRequestParts<S> for PastCaller
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let verifier = Verifier::from_ref(state);
        let (claims, token) = bearer::authenticate_past(parts, &verifier).await?;
        let refused = bearer::authenticate(parts, &verifier).await.err();
        let caller = Caller::of(claims, token)?.of_the_users_own()?;
        Ok(Self { caller, refused })
    }
}

/// A caller who has permission `P`: `caller: Can<LeadsWrite>`.
#[derive(Debug)]
pub struct Can<P>(pub Caller, PhantomData<fn() -> P>);

impl<P> Can<P> {
    /// The caller.
    #[must_use]
    pub fn into_caller(self) -> Caller {
        self.0
    }
}

impl<P> Deref for Can<P> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl<P: Permission, S> FromRequestParts<S> for Can<P>
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_parts(parts, &Verifier::from_ref(state)).await?;
        let caller = caller.in_full()?;
        caller.require::<P>()?;
        Ok(Self(caller, PhantomData))
    }
}
