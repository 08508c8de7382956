//! The two tenants of every test and the tokens of their users.

use bz_auth::{Claims, JwkSet, SigningKey, claims::UserGrant};
use bz_kernel::{Rng, SecretString, SessionId, Sources, TenantId, UserId};
use bz_tenant::TenantScope;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::client::{Client, Route};

/// The instant at which the clock of every test stands: Monday, 2 March 2026, 09:00 UTC.
pub const NOW: DateTime<Utc> = DateTime::from_timestamp(1_772_442_000, 0).expect("an instant");
/// The issuer of the tests' tokens.
pub const ISSUER: &str = "https://identity.test";
/// Longer than production's ten minutes, so that a test may move the clock.
const TOKEN_LIFETIME: TimeDelta = TimeDelta::days(400);
const KEY_SEED: u64 = 25_519;

/// A role in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// May do everything.
    Owner,
    /// May do everything.
    Admin,
    /// May read and write.
    Member,
    /// May read.
    Viewer,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer];

    /// The role as tokens name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }
}

/// Which of the two tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenant {
    /// The one that tests work in.
    Acme,
    /// The other one, whose things must not show.
    Globex,
}

impl Tenant {
    /// The tenant's id.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the tenants of tests are fixed")]
    pub const fn id(self) -> TenantId {
        TenantId::trusted(self.uuid(0))
    }

    /// The user who has `role` in the tenant.
    #[must_use]
    pub const fn user(self, role: Role) -> UserId {
        UserId::from_uuid(self.uuid(1 + role as u128))
    }

    /// The scope of the owner, to use the service's own store in a test.
    #[must_use]
    pub const fn scope(self) -> TenantScope {
        TenantScope::new(self.id(), Some(self.user(Role::Owner)))
    }

    /// UUIDv7 of the start of 2026, the tenant's number and the object's.
    const fn uuid(self, object: u128) -> Uuid {
        let tenant = match self {
            Self::Acme => 0xac_u128,
            Self::Globex => 0x91_u128,
        };
        Uuid::from_u128(0x019b_76da_a800_7000_8000_0000_0000_0000 | tenant << 16 | object)
    }
}

/// Signs tokens as identity would.
#[derive(Clone)]
pub struct Tokens {
    key: SigningKey,
    sources: Sources,
}

impl Tokens {
    /// A signer with the fixed key of the tests.
    ///
    /// # Panics
    /// Never: the seed makes a key.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        Self {
            key: signing_key(),
            sources,
        }
    }

    /// The public key, to install in a verifier.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        JwkSet {
            keys: vec![self.key.to_jwk()],
        }
    }

    /// A token of the user who has `role` in `tenant`.
    #[must_use]
    pub fn user(&self, tenant: Tenant, role: Role) -> SecretString {
        self.sign(&self.user_claims(tenant, tenant.user(role), &[role.name()]))
    }

    /// A token of a user of `tenant` who has no role there.
    #[must_use]
    pub fn without_role(&self, tenant: Tenant) -> SecretString {
        self.sign(&self.user_claims(tenant, UserId::from_uuid(tenant.uuid(0xff)), &[]))
    }

    /// A service's own token with `scope`, for example `events:read`.
    #[must_use]
    pub fn service(&self, client: &str, scope: &str) -> SecretString {
        let (jti, now) = (self.sources.id(), self.sources.now());
        self.sign(&Claims::of_service(
            ISSUER,
            client,
            scope,
            jti,
            now,
            TOKEN_LIFETIME,
        ))
    }

    /// The token of acme's owner, ended an hour ago.
    #[must_use]
    pub fn expired(&self) -> SecretString {
        let claims = self.acme_owner();
        let (iat, exp) = (claims.iat - 4200, claims.iat - 3600);
        self.sign(&Claims {
            iat,
            nbf: iat,
            exp,
            ..claims
        })
    }

    /// The token of acme's owner, signed with a key that nobody knows.
    ///
    /// # Panics
    /// Never: the seed makes a key.
    #[must_use]
    pub fn forged(&self) -> SecretString {
        let key = SigningKey::generate(&Rng::seeded(KEY_SEED + 1)).expect("a seed makes a key");
        key.sign(&self.acme_owner()).expect("claims can be signed")
    }

    /// The token of acme's owner for somebody else's API.
    #[must_use]
    pub fn for_another_audience(&self) -> SecretString {
        self.sign(&Claims {
            aud: vec!["somebody-else".into()],
            ..self.acme_owner()
        })
    }

    /// Signs any claims.
    ///
    /// # Panics
    /// Never: claims can be signed.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> SecretString {
        self.key.sign(claims).expect("claims can be signed")
    }

    /// The claims of a token that is valid now.
    #[must_use]
    pub fn user_claims(&self, tenant: Tenant, user: UserId, roles: &[&str]) -> Claims {
        let grant = UserGrant {
            user,
            tenant: tenant.id(),
            home_tenant: tenant.id(),
            session: SessionId::from_uuid(user.as_uuid()),
            client_id: "web".into(),
            roles: roles.iter().map(ToString::to_string).collect(),
            authenticated_at: self.sources.now(),
            entitlements: Vec::new(),
            acr: "aal1".into(),
            amr: vec!["pwd".into()],
            act: None,
        };
        Claims::of_user(
            ISSUER,
            grant,
            self.sources.id(),
            self.sources.now(),
            TOKEN_LIFETIME,
        )
    }

    fn acme_owner(&self) -> Claims {
        self.user_claims(
            Tenant::Acme,
            Tenant::Acme.user(Role::Owner),
            &[Role::Owner.name()],
        )
    }
}

/// The key that signs the tests' tokens, for identity's own tests, which store it as the service's key.
///
/// # Panics
/// Never: the seed makes a key.
#[must_use]
pub fn signing_key() -> SigningKey {
    SigningKey::generate(&Rng::seeded(KEY_SEED)).expect("a seed makes a key")
}

/// A tenant with one client for each role.
#[derive(Clone)]
pub struct TenantClients {
    /// Which tenant.
    pub tenant: Tenant,
    /// May do everything.
    pub owner: Client,
    /// May do everything.
    pub admin: Client,
    /// May read and write.
    pub member: Client,
    /// May read.
    pub viewer: Client,
}

impl TenantClients {
    pub(crate) fn new(tenant: Tenant, route: &Route, tokens: &Tokens) -> Self {
        let client = |role| Client::new(route.clone(), Some(tokens.user(tenant, role)));
        let [owner, admin, member, viewer] = Role::ALL.map(client);
        Self {
            tenant,
            owner,
            admin,
            member,
            viewer,
        }
    }

    /// The tenant's id.
    #[must_use]
    pub const fn id(&self) -> TenantId {
        self.tenant.id()
    }
}
