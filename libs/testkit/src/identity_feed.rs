//! Identity's feed for tests of other services: the real outbox and the real route, without identity.

use std::sync::Arc;

use axum::Router;
use bz_events::{NewEvent, TENANT_DELETED, append};
use bz_kernel::{ServiceInfo, UserId, platform::IDENTITY};
use bz_service::{App, Core, Service};
use bz_tenant::TenantScope;
use serde_json::{Value, json};
use url::Url;
use utoipa::openapi::{Info, OpenApi, Paths};

use crate::{Tenant, TestApp, TestDb};

/// A service that is nothing but identity's feed.
struct FeedOnly;

impl Service for FeedOnly {
    const INFO: &'static ServiceInfo = &IDENTITY;
    type Config = ();

    fn openapi() -> OpenApi {
        OpenApi::new(Info::new("identity's feed", "0"), Paths::new())
    }

    async fn build(core: Core, (): ()) -> anyhow::Result<App> {
        let routes: Router<Core> = bz_events::feed_routes();
        Ok(App::new(routes.with_state(core)))
    }
}

/// Identity's feed, on a real port.
pub struct IdentityFeed {
    app: TestApp<FeedOnly>,
    /// Where it is.
    pub url: Url,
}

impl IdentityFeed {
    /// The feed of a database.
    ///
    /// # Panics
    /// When it cannot be served.
    pub async fn of(database: &Arc<TestDb>) -> Self {
        let builder = TestApp::<FeedOnly>::builder().database(Arc::clone(database));
        let app = builder.start().await;
        let url = app.listen().await;
        Self { app, url }
    }

    /// Tells that a tenant is gone for good.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn tell_deleted(&self, tenant: Tenant) {
        let data = json!({ "tenant_id": tenant.id() });
        self.tell(tenant, TENANT_DELETED, data).await;
    }

    /// Tells that a user is gone.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn tell_user_deleted(&self, tenant: Tenant, user: UserId) {
        let data = json!({ "user_id": user });
        self.tell(tenant, "user.deleted", data).await;
    }

    async fn tell(&self, tenant: Tenant, kind: &'static str, data: Value) {
        let scope = TenantScope::new(tenant.id(), None);
        let mut tx = self.app.db().tenant(&scope).await.expect("a transaction");
        let event = NewEvent {
            kind,
            actor: None,
            data,
        };
        let told = append(&mut tx, &self.app.core.sources, event).await;
        told.expect("an event can be written");
        tx.commit().await.expect("the event is stored");
    }
}

/// How many rows a tenant has in the tables of a schema, but for its outbox; in the order of their names.
///
/// # Panics
/// When the database does not answer.
pub async fn rows_of(database: &TestDb, schema: &str, tenant: Tenant) -> Vec<(String, i64)> {
    let mut admin = database.admin().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped \
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND c.relname <> 'events' ORDER BY c.relname",
    )
    .bind(schema)
    .fetch_all(&mut admin)
    .await
    .expect("the catalog can be read");
    let mut rows = Vec::new();
    for table in tables {
        let sql = format!("SELECT count(*) FROM {schema}.{table} WHERE tenant_id = $1");
        let count = sqlx::query_scalar(&sql).bind(tenant.id().as_uuid());
        let count = count
            .fetch_one(&mut admin)
            .await
            .expect("the table can be read");
        rows.push((table, count));
    }
    rows
}
