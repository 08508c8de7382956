//! The demo tenant: seeded through the public APIs, so that what it shows is what a client could have made. Seeding
//! again changes nothing.

mod data;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use bz_kernel::{ExposeSecret, SecretString, ServiceInfo, platform};
use bz_service::config::Env;
use chrono::{DateTime, Utc};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

/// Where the services are.
struct Targets {
    identity: Url,
    crm: Url,
    analytics: Url,
}

/// The address of the demo's owner.
const DEMO_EMAIL: &str = "demo@bizosaas.example";

/// `bizosaas seed`.
pub(crate) async fn run() -> anyhow::Result<ExitCode> {
    let mut env = Env::from_process();
    let url = |env: &mut Env, service: &'static ServiceInfo| {
        let default = format!("http://127.0.0.1:{}", service.port);
        env.url(service.url_variable, "Where the service answers.")
            .or(default)
    };
    let identity = url(&mut env, &platform::IDENTITY);
    let crm = url(&mut env, &platform::CRM);
    let analytics = url(&mut env, &platform::ANALYTICS);
    let password = env
        .secret("DEMO_PASSWORD", "Password of the demo tenant's owner.")
        .required();
    env.finish()?;
    if let (Some(identity), Some(crm), Some(analytics), Some(password)) =
        (identity, crm, analytics, password)
    {
        seed(
            &Targets {
                identity,
                crm,
                analytics,
            },
            &password,
        )
        .await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Registers the demo tenant if it is not there, and fills it. Everything hangs on the moment of the registration, so
/// seeding again sends the same requests with the same keys and creates nothing twice.
async fn seed(targets: &Targets, password: &SecretString) -> anyhow::Result<()> {
    let http = crate::http::client(Duration::from_secs(10))?;
    let token = sign_in(&http, &targets.identity, password).await?;
    let api = Api { http, token };
    let me = api
        .call(Method::GET, &targets.identity, "/auth/me", None, None)
        .await?;
    let start: DateTime<Utc> =
        serde_json::from_value(me["created_at"].clone()).context("/auth/me has no created_at")?;
    // The to-dos are made last: when they are there, everything is.
    let todos = api
        .call(
            Method::GET,
            &targets.crm,
            "/api/todos?limit=100",
            None,
            None,
        )
        .await?;
    if todos["items"]
        .as_array()
        .is_some_and(|items| items.len() >= data::TODOS)
    {
        println!("demo tenant: there already");
        return Ok(());
    }
    let demo = data::Demo::new();
    for n in 0..data::LEADS {
        api.create(
            &targets.crm,
            // Demo people share names; each is one of their own.
            "/api/leads?on_duplicate=create",
            &format!("demo-lead-{n}"),
            demo.lead(),
        )
        .await?;
    }
    let events = demo.events(start);
    let sent = events.len();
    api.call(
        Method::POST,
        &targets.analytics,
        "/api/events",
        None,
        Some(json!({ "events": events })),
    )
    .await?;
    for n in 0..data::TODOS {
        api.create(
            &targets.crm,
            "/api/todos",
            &format!("demo-todo-{n}"),
            demo.todo(start),
        )
        .await?;
    }
    println!(
        "demo tenant: {} leads, {} to-dos, {sent} events of {} days",
        data::LEADS,
        data::TODOS,
        data::DAYS
    );
    Ok(())
}

/// A client with the demo owner's token.
struct Api {
    http: Client,
    token: SecretString,
}

impl Api {
    async fn create(
        &self,
        base: &Url,
        path: &str,
        key: &str,
        body: Value,
    ) -> anyhow::Result<Value> {
        self.call(Method::POST, base, path, Some(key), Some(body))
            .await
    }

    async fn call(
        &self,
        method: Method,
        base: &Url,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> anyhow::Result<Value> {
        let mut request = self
            .http
            .request(method.clone(), base.join(path)?)
            .bearer_auth(self.token.expose_secret());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request
            .send()
            .await
            .with_context(|| format!("{method} {path}: is `bizosaas up` running?"))?;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        if !status.is_success() {
            bail!("{method} {path} answered {status}: {body}");
        }
        Ok(body)
    }
}

/// The demo owner's access token; registers the demo tenant when the login is refused.
async fn sign_in(
    http: &Client,
    identity: &Url,
    password: &SecretString,
) -> anyhow::Result<SecretString> {
    let login = json!({ "email": DEMO_EMAIL, "password": password.expose_secret() });
    let answer = http
        .post(identity.join("/auth/login")?)
        .json(&login)
        .send()
        .await;
    let mut answer = answer.context("POST /auth/login: is `bizosaas up` running?")?;
    if answer.status() == StatusCode::UNAUTHORIZED {
        let mut account = login;
        account["name"] = json!("Demo Owner");
        account["tenant_name"] = json!("Demo Company");
        answer = http
            .post(identity.join("/auth/register")?)
            .json(&account)
            .send()
            .await?;
    }
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    match body["access_token"].as_str() {
        Some(token) => Ok(SecretString::from(token.to_owned())),
        None if status == StatusCode::CONFLICT => {
            bail!("the demo tenant exists with another password than DEMO_PASSWORD")
        }
        None => bail!("signing in as {DEMO_EMAIL} answered {status}: {body}"),
    }
}
