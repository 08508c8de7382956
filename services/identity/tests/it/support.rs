//! The service as the tests start it: with the key of the tests' tokens, and with acme and globex in its tables.

use bz_auth::Claims;
use bz_kernel::{Rng, ServiceInfo, platform};
use bz_service::{App, Core, Service};
use bz_tenant::TenantScope;
use bz_testkit::{Role, Tenant, TestApp, TestAppBuilder, TestResponse, signing_key};
use identity::{
    Identity, IdentityConfig,
    passwords::{Cost, Passwords},
};
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

tokio::task_local! {
    /// The hasher of the service that is started inside the scope.
    pub(crate) static HASHER: Passwords;
}

/// [`Identity`] on a database where the tests' tenants exist and the tests' key signs.
pub(crate) struct IdentityUnderTest;

impl Service for IdentityUnderTest {
    const INFO: &'static ServiceInfo = &platform::IDENTITY;
    type Config = IdentityConfig;

    fn openapi() -> OpenApi {
        Identity::openapi()
    }

    async fn build(core: Core, config: IdentityConfig) -> anyhow::Result<App> {
        let fresh = || Passwords::new(core.sources.rng.clone(), 0);
        let passwords = HASHER
            .try_with(Passwords::clone)
            .unwrap_or_else(|_| fresh());
        arrange(&core, &passwords).await?;
        identity::build_with(core, config, passwords).await
    }
}

pub(crate) type IdentityApp = TestApp<IdentityUnderTest>;

/// The service as it is in development: whoever registers is logged in.
pub(crate) fn builder() -> TestAppBuilder<IdentityUnderTest> {
    // Many tests and many hashes share the cores; nobody here waits for a connection without need.
    TestApp::builder()
        .env("ENVIRONMENT", "development")
        .env("DB_ACQUIRE_TIMEOUT", "30s")
        .env("REQUEST_TIMEOUT", "60s")
        // Some tests refresh one session hundreds of times; the limit has tests of its own.
        .env("REFRESH_LIMIT_PER_SESSION", "0")
}

/// A hasher of little cost, for tests of many logins that are not about the hashing.
pub(crate) fn cheap() -> Passwords {
    let cost = Cost {
        memory_kib: 256,
        passes: 1,
    };
    Passwords::with_cost(Rng::seeded(3), 8, cost)
}

pub(crate) async fn start() -> IdentityApp {
    builder().start().await
}

pub(crate) async fn with_policy(policy: &str) -> IdentityApp {
    builder().env("REGISTRATION_POLICY", policy).start().await
}

/// Registers an address and answers the tokens.
pub(crate) async fn register(app: &IdentityApp, email: &str) -> Value {
    let request = json!({ "email": email, "password": PASSWORD });
    app.anonymous
        .post("/auth/register", request)
        .await
        .assert_status(201)
        .json()
}

pub(crate) async fn login(app: &IdentityApp, email: &str, password: &str) -> TestResponse {
    app.anonymous
        .post(
            "/auth/login",
            json!({ "email": email, "password": password }),
        )
        .await
}

pub(crate) async fn refresh(app: &IdentityApp, token: &Value) -> TestResponse {
    app.anonymous
        .post("/auth/refresh", json!({ "refresh_token": token }))
        .await
}

/// The number that a query answers.
pub(crate) async fn count(app: &IdentityApp, sql: &str) -> i64 {
    sqlx::query_scalar(sql)
        .fetch_one(&mut app.database.admin().await)
        .await
        .unwrap()
}

/// The claims of an access token that the service signed.
pub(crate) async fn claims(app: &IdentityApp, answer: &Value) -> Claims {
    let token = answer["access_token"].as_str().unwrap();
    Claims::clone(&*app.core.verifier.verify(token).await.unwrap())
}

/// A user of acme with a token that has these roles and these permissions of acme's own.
pub(crate) fn with_rights(
    app: &IdentityApp,
    user: bz_kernel::UserId,
    roles: &[&str],
    entitlements: &[&str],
) -> bz_testkit::Client {
    let mut claims = app.tokens.user_claims(Tenant::Acme, user, roles);
    claims.entitlements = entitlements.iter().map(ToString::to_string).collect();
    app.anonymous.with_token(app.tokens.sign(&claims))
}

/// The user who has `role` in the tenant, with this address: `owner@acme.test`.
pub(crate) fn address(tenant: Tenant, role: Role) -> String {
    format!("{}@{}.test", role.name(), slug(tenant))
}

pub(crate) const fn slug(tenant: Tenant) -> &'static str {
    match tenant {
        Tenant::Acme => "acme",
        Tenant::Globex => "globex",
    }
}

async fn arrange(core: &Core, passwords: &Passwords) -> anyhow::Result<()> {
    let mut tx = core.db.system().await?;
    let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM identity.signing_keys")
        .fetch_one(tx.conn())
        .await?;
    if keys > 0 {
        return Ok(());
    }
    identity::install_signing_key(&mut tx, &core.secret, &core.sources, signing_key()).await?;
    tx.commit().await?;
    let hash = passwords.hash(&PASSWORD.into()).await?;
    for tenant in [Tenant::Acme, Tenant::Globex] {
        arrange_tenant(core, tenant, &hash).await?;
    }
    Ok(())
}

async fn arrange_tenant(core: &Core, tenant: Tenant, hash: &str) -> anyhow::Result<()> {
    let mut tx = core.db.tenant(&TenantScope::new(tenant.id(), None)).await?;
    let now = core.sources.now();
    let slug = slug(tenant);
    sqlx::query("SELECT identity.claim_slug($1)")
        .bind(slug)
        .execute(tx.conn())
        .await?;
    let insert = "INSERT INTO identity.tenants (slug, name, created_at, updated_at) VALUES ($1, initcap($1), $2, $2)";
    sqlx::query(insert)
        .bind(slug)
        .bind(now)
        .execute(tx.conn())
        .await?;
    for role in Role::ALL {
        let (user, email) = (tenant.user(role).as_uuid(), address(tenant, role));
        let insert = "INSERT INTO identity.users (id, email, password_hash, created_at, updated_at) \
                      VALUES ($1, $2, $3, $4, $4)";
        sqlx::query(insert)
            .bind(user)
            .bind(&email)
            .bind(hash)
            .bind(now)
            .execute(tx.conn())
            .await?;
        let insert = "INSERT INTO identity.memberships (user_id, role, created_at, updated_at) VALUES ($1, $2, $3, $3)";
        sqlx::query(insert)
            .bind(user)
            .bind(role.name())
            .bind(now)
            .execute(tx.conn())
            .await?;
        sqlx::query("SELECT identity.claim_home($1, $2)")
            .bind(&email)
            .bind(user)
            .execute(tx.conn())
            .await?;
    }
    tx.commit().await?;
    Ok(())
}
