//! A service that has nothing but an outbox and its feed.

use std::time::Duration;

use axum::{Router, body::Body, extract::FromRef};
use bz_auth::Verifier;
use bz_events::{NewEvent, append, feed_routes};
use bz_kernel::{Clock, EventId, ExposeSecret, Rng, SecretString, Sources};
use bz_tenant::{Db, TenantTx};
use bz_testkit::{ISSUER, NOW, Tenant, TestDb, Tokens, wait_until};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

#[derive(Clone)]
pub(crate) struct Producer {
    pub(crate) db: Db,
    pub(crate) sources: Sources,
    pub(crate) tokens: Tokens,
    verifier: Verifier,
}

impl FromRef<Producer> for Db {
    fn from_ref(producer: &Producer) -> Self {
        producer.db.clone()
    }
}

impl FromRef<Producer> for Verifier {
    fn from_ref(producer: &Producer) -> Self {
        producer.verifier.clone()
    }
}

impl Producer {
    pub(crate) fn new(database: &TestDb) -> Self {
        let sources = Sources {
            clock: Clock::fixed(NOW).0,
            rng: Rng::system(),
        };
        let tokens = Tokens::new(sources.clone());
        let verifier = Verifier::local(ISSUER.into(), sources.clock.clone());
        verifier.install(&tokens.jwks());
        Self {
            db: database.db("crm"),
            sources,
            tokens,
            verifier,
        }
    }

    pub(crate) fn router(&self) -> Router {
        feed_routes().with_state(self.clone())
    }

    pub(crate) fn service_token(&self) -> SecretString {
        self.tokens.service("analytics", "events:read")
    }

    /// Appends an event and leaves the transaction open.
    pub(crate) async fn open(&self, tenant: Tenant, n: usize) -> (TenantTx, EventId) {
        let mut tx = self.db.tenant(&tenant.scope()).await.unwrap();
        let event = NewEvent {
            kind: "lead.created",
            actor: tenant.scope().user(),
            data: json!({"n": n}),
        };
        let id = append(&mut tx, &self.sources, event).await.unwrap();
        (tx, id)
    }

    /// Appends an event and commits.
    pub(crate) async fn write(&self, tenant: Tenant, n: usize) -> EventId {
        let (tx, id) = self.open(tenant, n).await;
        tx.commit().await.unwrap();
        id
    }

    pub(crate) async fn get(
        &self,
        query: &str,
        token: Option<&SecretString>,
    ) -> (StatusCode, Value) {
        let mut request = Request::get(format!("/internal/events{query}"));
        if let Some(token) = token {
            request = request.header(
                header::AUTHORIZATION,
                format!("Bearer {}", token.expose_secret()),
            );
        }
        let response = self
            .router()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// The first event of the feed, as soon as it may be told: transactions of other databases of the server, which
    /// are other tests', hold it back while they run.
    pub(crate) async fn first_event(&self) -> Value {
        let mut event = Value::Null;
        wait_until(
            async || {
                let (_, body) = self.get("", Some(&self.service_token())).await;
                event = body["items"][0].clone();
                !event.is_null()
            },
            Duration::from_secs(20),
        )
        .await;
        event
    }

    /// A page of the feed: the numbers of its events, and where to go on.
    pub(crate) async fn page(&self, after: &str, limit: usize) -> (Vec<u64>, String) {
        let query = format!("?after={after}&limit={limit}");
        let (status, body) = self.get(&query, Some(&self.service_token())).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let numbers = body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["data"]["n"].as_u64().unwrap());
        (
            numbers.collect(),
            body["next_cursor"].as_str().unwrap().to_owned(),
        )
    }
}
