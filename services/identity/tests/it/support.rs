//! The service as the tests start it: with the key of the tests' tokens, and with acme and globex in its tables.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_auth::Claims;
use bz_kernel::{Rng, ServiceInfo, platform};
use bz_service::{App, Core, Service};
use bz_tenant::TenantScope;
use bz_testkit::{Client, Role, Tenant, TestApp, TestAppBuilder, TestResponse, signing_key};
use identity::{
    Identity, IdentityConfig,
    passwords::{Cost, Passwords},
};
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;
use uuid::Uuid;

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
        .env("MAIL_LIMIT_PER_ADDRESS", "0")
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

/// An invitation of `email` into the inviter's tenant; answers its id.
pub(crate) async fn invite(inviter: &Client, email: &str, role: &str) -> Uuid {
    let request = json!({ "email": email, "roles": [role] });
    let made = inviter
        .post("/api/invitations", request)
        .await
        .assert_status(201)
        .json();
    made["id"].as_str().unwrap().parse().unwrap()
}

/// A token that opens the invitation: the real one is only in the mail, so that another one is put in its place.
pub(crate) async fn token_of(app: &IdentityApp, tenant: Tenant, invitation: Uuid) -> String {
    let secret: [u8; 32] = app.core.sources.rng.bytes();
    let replace = "UPDATE identity.invitations SET secret_hash = sha256($2) WHERE id = $1";
    let done = sqlx::query(replace)
        .bind(invitation)
        .bind(&secret[..])
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 1);
    let head = [tenant.id().as_uuid().into_bytes(), invitation.into_bytes()].concat();
    format!(
        "inv1.{}.{}",
        URL_SAFE_NO_PAD.encode(head),
        URL_SAFE_NO_PAD.encode(secret)
    )
}

/// A client with a real session of the user who has `role` in the tenant.
pub(crate) async fn logged_in(app: &IdentityApp, tenant: Tenant, role: Role) -> Client {
    let answer = login(app, &address(tenant, role), PASSWORD)
        .await
        .assert_status(200)
        .json();
    client(app, &answer)
}

/// A client with the access token of an answer.
pub(crate) fn client(app: &IdentityApp, answer: &Value) -> Client {
    app.anonymous
        .with_token(answer["access_token"].as_str().unwrap())
}

pub(crate) async fn accept(client: &Client, token: &str) -> TestResponse {
    client
        .post("/auth/invitations/accept", json!({ "token": token }))
        .await
}

pub(crate) async fn switch(client: &Client, tenant: &str) -> TestResponse {
    client
        .post("/auth/switch-tenant", json!({ "tenant": tenant }))
        .await
}

/// Acme's member as a guest of globex with a role there: the client with the session at home, and the answer that let the
/// guest in.
pub(crate) async fn guest_of_globex(app: &IdentityApp, role: &str) -> (Client, Value) {
    let home = logged_in(app, Tenant::Acme, Role::Member).await;
    let invitation = invite(
        &app.globex.owner,
        &address(Tenant::Acme, Role::Member),
        role,
    )
    .await;
    let token = token_of(app, Tenant::Globex, invitation).await;
    let entered = accept(&home, &token).await.assert_status(200).json();
    (home, entered)
}

/// Changes the database past all rules.
pub(crate) async fn execute(app: &IdentityApp, sql: &str) {
    let mut admin = app.database.admin().await;
    sqlx::raw_sql(sql).execute(&mut admin).await.unwrap();
}

/// A program of the clients that `TEST_CLIENTS` has installed (`scripts/test`); `None`, and said so, when it is not there.
pub(crate) fn client_program(path: &str) -> Option<std::path::PathBuf> {
    let program =
        std::env::var_os("TEST_CLIENTS").map(|root| std::path::Path::new(&root).join(path));
    let there = program.filter(|program| program.exists());
    if there.is_none() {
        eprintln!("skipped: TEST_CLIENTS has no {path}");
    }
    there
}
