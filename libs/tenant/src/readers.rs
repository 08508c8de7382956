//! Logins for tenants' own tools for reports, as Superset: each reads the rows of one tenant in the schema `analytics`,
//! whatever it sets. Made and dropped by the operator, as an administrator of the database. The policies that hold them are
//! in that schema's migrations.

use bz_kernel::{ExposeSecret, SecretString};
use sqlx::{Connection as _, Executor as _, PgConnection, query};
use uuid::Uuid;

/// The name of a tenant's login.
#[must_use]
pub fn role_of(tenant: Uuid) -> String {
    format!("analytics_reader_{}", tenant.simple())
}

/// Makes the login, or gives it another password: it may read the tables of numbers, ten connections at once, each
/// statement a minute at most. The name has only letters and digits of a UUID, so it can stand in a statement.
const MAKE: &str = "DO $$
DECLARE
  name text := current_setting('bizosaas.reader');
  tenant text := current_setting('bizosaas.tenant');
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
    EXECUTE format('CREATE ROLE %I LOGIN', name);
  END IF;
  EXECUTE format('ALTER ROLE %I LOGIN INHERIT NOCREATEDB NOCREATEROLE CONNECTION LIMIT 10 PASSWORD %L',
                 name, current_setting('bizosaas.password'));
  EXECUTE format('ALTER ROLE %I SET app.tenant_id = %L', name, tenant);
  EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', name);
  EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', name, '60s');
  EXECUTE format('ALTER ROLE %I SET search_path = analytics', name);
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), name);
  EXECUTE format('GRANT USAGE ON SCHEMA analytics TO %I', name);
  EXECUTE format('GRANT analytics_readers TO %I', name);
END $$";

const DROP: &str = "DO $$
DECLARE
  name text := current_setting('bizosaas.reader');
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
    EXECUTE format('DROP OWNED BY %I', name);
    EXECUTE format('DROP ROLE %I', name);
  END IF;
END $$";

/// Makes a tenant's login with this password, or gives it that password. Answers its name.
///
/// # Errors
/// Any [`sqlx::Error`]; nothing was changed then.
pub async fn make(
    admin: &mut PgConnection,
    tenant: Uuid,
    password: &SecretString,
) -> sqlx::Result<String> {
    let role = role_of(tenant);
    #[expect(
        clippy::disallowed_methods,
        reason = "an administrator's transaction; it sets the tenant itself"
    )]
    let mut tx = admin.begin().await?;
    settings(&mut tx, tenant, password.expose_secret()).await?;
    tx.execute(MAKE).await?;
    query(
        "INSERT INTO analytics.reader_roles (tenant_id, role_name, created_at) VALUES ($1, $2, now()) ON CONFLICT DO NOTHING",
    )
    .bind(tenant)
    .bind(&role)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(role)
}

/// Drops a tenant's login; does nothing when there is none. Whoever is connected with it stays until they leave.
///
/// # Errors
/// Any [`sqlx::Error`]; nothing was changed then.
pub async fn drop(admin: &mut PgConnection, tenant: Uuid) -> sqlx::Result<()> {
    #[expect(
        clippy::disallowed_methods,
        reason = "an administrator's transaction; it sets the tenant itself"
    )]
    let mut tx = admin.begin().await?;
    settings(&mut tx, tenant, "").await?;
    query("DELETE FROM analytics.reader_roles WHERE tenant_id = $1")
        .bind(tenant)
        .execute(&mut *tx)
        .await?;
    tx.execute(DROP).await?;
    tx.commit().await
}

/// What the statements are about. The password is a parameter here: it gets into no log of statements.
async fn settings(conn: &mut PgConnection, tenant: Uuid, password: &str) -> sqlx::Result<()> {
    query(
        "SELECT set_config('bizosaas.reader', $1, true), set_config('bizosaas.tenant', $2, true), \
                set_config('app.tenant_id', $2, true), set_config('bizosaas.password', $3, true)",
    )
    .bind(role_of(tenant))
    .bind(tenant.to_string())
    .bind(password)
    .execute(conn)
    .await?;
    Ok(())
}
