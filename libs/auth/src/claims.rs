//! The claims of an access token.

use bz_kernel::{SessionId, TenantId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// The audience of the platform's own APIs.
pub const AUDIENCE: &str = "bizosaas";
/// The strength (`acr`) of a session that began with, or was given, two factors (NIST SP 800-63B).
pub const TWO_FACTORS: &str = "aal2";

/// The claims of an access token (RFC 9068). No e-mail, name or other personal data is among them.
///
/// Times are seconds since 1970 (RFC 7519 `NumericDate`); a token with a fraction, a text or a list in their place is
/// refused, as is one without them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed it: the issuer's URL, compared character by character.
    pub iss: String,
    /// The user's id, or the client's name in a service's token.
    pub sub: String,
    /// The APIs that may accept it.
    #[serde(deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// When it ends.
    pub exp: u64,
    /// When it was signed.
    pub iat: u64,
    /// From when on it is valid.
    pub nbf: u64,
    /// Unique id of the token.
    pub jti: Uuid,
    /// The client that it was given to: `web`, `mobile`, `cli`, or a service.
    pub client_id: String,
    /// The active tenant. Absent in a service's token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tid: Option<Uuid>,
    /// The user's home tenant, where the password is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub htid: Option<Uuid>,
    /// The session, which is the unit of revocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// Scopes, separated by spaces; what a service's token is good for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The user's roles in the active tenant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Permissions of the active tenant's own roles, by name (RFC 9068 section 2.2.3.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<String>,
    /// When the user last proved who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<u64>,
    /// How strongly: `aal1` or `aal2` (NIST SP 800-63B).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By what: `pwd`, `otp`, `hwk` (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// Who acts in the user's name, if somebody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// Whether the tenant asks for a second factor that the session has not been given: such a token has no rights, and is
    /// good for setting one up or giving it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owes_second_factor: bool,
    /// The API key that these claims were exchanged for. No token has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Uuid>,
}

/// Who acts in the name of a token's subject (RFC 8693 section 4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The id of the user who acts.
    pub sub: UserId,
}

/// Whose API key it is, and what it may do.
#[derive(Clone, Debug)]
pub struct KeyOwner {
    /// The user as whom it acts.
    pub user: UserId,
    /// The tenant that it is for.
    pub tenant: TenantId,
    /// The key.
    pub key: Uuid,
    /// Its scopes, as far as the user has them.
    pub permissions: Vec<String>,
}

/// What the client ids of service accounts begin with, and no others.
pub const SERVICE_ACCOUNT_CLIENT: &str = "sa_";

/// A service account: a program that is somebody of its own in a tenant.
#[derive(Clone, Debug)]
pub struct ServicePrincipal {
    /// Its id, which stands where a user's does.
    pub id: UserId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its client id.
    pub client_id: String,
    /// Its role.
    pub role: String,
}

/// What identity knows of a user when it signs a token for them.
#[derive(Clone, Debug)]
pub struct UserGrant {
    /// The user.
    pub user: UserId,
    /// The tenant that the token is for.
    pub tenant: TenantId,
    /// The user's home tenant.
    pub home_tenant: TenantId,
    /// The session.
    pub session: SessionId,
    /// The client that the token is given to.
    pub client_id: String,
    /// The user's roles in `tenant`.
    pub roles: Vec<String>,
    /// Permissions of the tenant's own roles.
    pub entitlements: Vec<String>,
    /// When the user logged in.
    pub authenticated_at: DateTime<Utc>,
    /// How strongly: `aal1` or `aal2`.
    pub acr: String,
    /// By what.
    pub amr: Vec<String>,
    /// Who acts in the user's name.
    pub act: Option<Actor>,
}

impl Claims {
    /// The claims of a user's token, valid from `now` for `lifetime`.
    #[must_use]
    pub fn of_user(
        issuer: &str,
        grant: UserGrant,
        jti: Uuid,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
    ) -> Self {
        Self {
            tid: Some(grant.tenant.as_uuid()),
            htid: Some(grant.home_tenant.as_uuid()),
            sid: Some(grant.session),
            roles: grant.roles,
            entitlements: grant.entitlements,
            auth_time: Some(seconds(grant.authenticated_at)),
            acr: Some(grant.acr),
            amr: grant.amr,
            act: grant.act,
            ..Self::bare(
                issuer,
                grant.user.to_string(),
                grant.client_id,
                jti,
                now,
                lifetime,
            )
        }
    }

    /// The claims of a service's own token (RFC 6749 client credentials), valid from `now` for `lifetime`.
    #[must_use]
    pub fn of_service(
        issuer: &str,
        client: &str,
        scope: &str,
        jti: Uuid,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
    ) -> Self {
        Self {
            scope: scope.to_owned(),
            ..Self::bare(
                issuer,
                client.to_owned(),
                client.to_owned(),
                jti,
                now,
                lifetime,
            )
        }
    }

    /// The claims that an API key is exchanged for. Without a role its scopes are all it may do, and without a time of
    /// login it never counts as recent.
    #[must_use]
    pub fn of_api_key(
        issuer: &str,
        owner: KeyOwner,
        jti: Uuid,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
    ) -> Self {
        let (sub, client) = (owner.user.to_string(), "api-key".to_owned());
        Self {
            tid: Some(owner.tenant.as_uuid()),
            entitlements: owner.permissions,
            api_key: Some(owner.key),
            ..Self::bare(issuer, sub, client, jti, now, lifetime)
        }
    }

    /// The claims of a service account's token. It has a role as a user has, but no session and no time of login.
    #[must_use]
    pub fn of_service_account(
        issuer: &str,
        account: ServicePrincipal,
        jti: Uuid,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
    ) -> Self {
        let (sub, client) = (account.id.to_string(), account.client_id);
        Self {
            tid: Some(account.tenant.as_uuid()),
            roles: vec![account.role],
            ..Self::bare(issuer, sub, client, jti, now, lifetime)
        }
    }

    /// Whether they are a service account's.
    #[must_use]
    pub fn is_service_account(&self) -> bool {
        self.client_id.starts_with(SERVICE_ACCOUNT_CLIENT)
    }

    /// Whether one of the scopes is `name`.
    #[must_use]
    pub fn has_scope(&self, name: &str) -> bool {
        self.scope.split(' ').any(|scope| scope == name)
    }

    /// Takes all rights away until a second factor was given.
    #[must_use]
    pub fn owing_second_factor(self) -> Self {
        Self {
            roles: Vec::new(),
            entitlements: Vec::new(),
            owes_second_factor: true,
            ..self
        }
    }

    /// Whether the user proved who they are by two factors.
    #[must_use]
    pub fn has_two_factors(&self) -> bool {
        self.acr.as_deref() == Some(TWO_FACTORS)
    }

    /// Whether it was given to an application of a third party: such a token says by its scope what it is good for.
    #[must_use]
    pub fn is_delegated(&self) -> bool {
        self.tid.is_some() && !self.scope.is_empty()
    }

    fn bare(
        issuer: &str,
        sub: String,
        client_id: String,
        jti: Uuid,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
    ) -> Self {
        Self {
            iss: issuer.to_owned(),
            sub,
            aud: vec![AUDIENCE.to_owned()],
            exp: seconds(now + lifetime),
            iat: seconds(now),
            nbf: seconds(now),
            jti,
            client_id,
            tid: None,
            htid: None,
            sid: None,
            scope: String::new(),
            roles: Vec::new(),
            entitlements: Vec::new(),
            auth_time: None,
            acr: None,
            amr: Vec::new(),
            act: None,
            owes_second_factor: false,
            api_key: None,
        }
    }
}

pub(crate) fn seconds(at: DateTime<Utc>) -> u64 {
    u64::try_from(at.timestamp()).unwrap_or(0)
}

/// RFC 7519 section 4.1.3: the audience is a list, or a text when there is one.
pub(crate) fn one_or_many<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(name) => vec![name],
        OneOrMany::Many(names) => names,
    })
}
