use std::time::Duration;

use bz_kernel::platform::{ANALYTICS, CHATBOT, CRM, IDENTITY, SERVICES};
use bz_kernel::{Rng, ServiceInfo};
use bz_testkit::wait_until;
use reqwest::{Client, Method, RequestBuilder, header};
use serde_json::{Value, json};

pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// What happens anywhere is on the dashboard within this time, however busy the machine is; how soon it is on an idle
/// one is measured by the tests of analytics.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of the five services.
#[derive(Clone)]
pub(crate) struct Api {
    http: Client,
    offset: u16,
    token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn with_status(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

impl Api {
    pub(crate) fn new(offset: u16) -> Self {
        let http = Client::builder()
            .timeout(Duration::from_secs(10))
            .no_proxy()
            .build()
            .unwrap();
        Self {
            http,
            offset,
            token: None,
        }
    }

    /// The same caller on connections of its own: a new one for every request, or kept alive.
    pub(crate) fn on_own_connections(&self, kept_alive: bool) -> Self {
        let idle = if kept_alive { 1 } else { 0 };
        let http = Client::builder()
            .timeout(Duration::from_secs(10))
            .pool_max_idle_per_host(idle)
            .no_proxy()
            .build()
            .unwrap();
        Self {
            http,
            ..self.clone()
        }
    }

    pub(crate) fn request(
        &self,
        method: Method,
        service: &ServiceInfo,
        path: &str,
    ) -> RequestBuilder {
        self.at_port(method, service.port + self.offset, path)
    }

    pub(crate) fn at_port(&self, method: Method, port: u16, path: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("http://127.0.0.1:{port}{path}"));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, service: &ServiceInfo, path: &str) -> Answer {
        send(self.request(Method::GET, service, path)).await
    }

    pub(crate) async fn post(&self, service: &ServiceInfo, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, service, path).json(&body)).await
    }

    pub(crate) async fn patch(&self, service: &ServiceInfo, path: &str, body: Value) -> Answer {
        send(self.request(Method::PATCH, service, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, service: &ServiceInfo, path: &str) -> Answer {
        send(self.request(Method::DELETE, service, path)).await
    }

    /// The OAuth2 form of the login.
    pub(crate) async fn login_by_form(&self, email: &str) -> Answer {
        let form = format!(
            "grant_type=password&username={}&password={}",
            email.replace('@', "%40"),
            PASSWORD.replace(' ', "+")
        );
        let request = self
            .request(Method::POST, &IDENTITY, "/auth/login")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        send(request).await
    }

    /// Waits until `/health` of all five services says `word`.
    pub(crate) async fn wait_for_health(&self, word: &str) {
        for service in SERVICES {
            wait_until(
                async || self.get(service, "/health").await.body["status"] == word,
                Duration::from_secs(10),
            )
            .await;
        }
    }
}

/// Sends a request that must be answered.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let body = match text.as_str() {
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap(),
    };
    Answer { status, body }
}

/// The owner of a tenant.
pub(crate) struct User {
    pub(crate) api: Api,
    pub(crate) email: String,
    pub(crate) tenant_id: String,
}

impl User {
    /// Registers somebody with a tenant and logs in.
    pub(crate) async fn register(anonymous: &Api, name: &str) -> Self {
        let unique = u64::from_le_bytes(Rng::system().bytes());
        let email = format!("{}-{unique:x}@example.com", name.to_lowercase());
        let body = json!({ "email": email, "password": PASSWORD, "name": name, "tenant_name": format!("{name} Ltd") });
        let registered = anonymous.post(&IDENTITY, "/auth/register", body).await;
        let tenant_id = registered.with_status(201)["tenant"]["id"].clone();
        let body = json!({ "email": email, "password": PASSWORD });
        let tokens = anonymous
            .post(&IDENTITY, "/auth/login", body)
            .await
            .with_status(200);
        let api = Api {
            token: Some(tokens["access_token"].as_str().unwrap().to_owned()),
            ..anonymous.clone()
        };
        let tenant_id = tenant_id.as_str().unwrap().to_owned();
        Self {
            api,
            email,
            tenant_id,
        }
    }

    /// Creates a lead and answers its path.
    pub(crate) async fn lead(&self, body: Value) -> String {
        let lead = self.api.post(&CRM, "/api/leads", body).await;
        let id = lead.with_status(201)["id"].clone();
        format!("/api/leads/{}", id.as_str().unwrap())
    }

    /// The to-dos, as the old platform's clients ask for them.
    pub(crate) async fn todos(&self) -> Vec<Value> {
        let list = self.api.get(&CRM, "/api/todos/").await.with_status(200);
        list["items"].as_array().unwrap().clone()
    }

    /// Says something in a conversation, a new one when it is null.
    pub(crate) async fn say(&self, conversation: &Value, message: &str) -> Value {
        let body = json!({
            "message": message, "conversation_id": conversation, "time_zone": "Europe/Berlin"
        });
        self.api
            .post(&CHATBOT, "/api/chat", body)
            .await
            .with_status(200)
    }

    /// Today's count of a number on the dashboard.
    pub(crate) async fn today(&self, metric: &str) -> i64 {
        let overview = self
            .api
            .get(&ANALYTICS, "/api/dashboards/overview?days=1")
            .await
            .with_status(200);
        let metrics = overview["metrics"].as_array().unwrap();
        let found = metrics.iter().find(|found| found["key"] == metric).unwrap();
        found["per_day"][0]["count"].as_i64().unwrap()
    }

    /// Waits until today's counts are these, as long as it may take.
    pub(crate) async fn wait_for_today(&self, counts: &[(&str, i64)]) {
        for (metric, count) in counts {
            wait_until(async || self.today(metric).await == *count, PATIENCE).await;
        }
    }
}
