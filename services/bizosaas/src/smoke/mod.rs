//! `bizosaas smoke`: does the platform do what it is for? Asked through the five services' addresses, as a client would.

mod anonymous;
mod journey;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use bz_kernel::{ExposeSecret, SecretString, ServiceInfo};
use bz_service::config::{Env, SiblingUrls};
use reqwest::{Client, Method};
use serde_json::Value;

use crate::report::report;

/// Longest wait for one answer: a login hashes, and a cold service connects.
const PATIENCE: Duration = Duration::from_secs(10);

/// How to say it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Options {
    /// One JSON document instead of lines.
    #[arg(long)]
    json: bool,
}

/// Checks what anybody can see, then the journey of a new customer where registration is open.
pub(crate) async fn smoke(options: Options) -> anyhow::Result<ExitCode> {
    let mut env = Env::from_process();
    let urls = SiblingUrls::read(&mut env);
    let policy = env
        .text(
            "REGISTRATION_POLICY",
            "Who may register; nobody is registered unless it is `auto_login` or unset.",
        )
        .optional();
    env.finish()?;
    let (Some(urls), Some(policy)) = (urls, policy) else {
        bail!("the configuration is incomplete");
    };
    let api = Api {
        http: crate::http::client(PATIENCE)?,
        urls,
        token: None,
    };
    let mut findings = anonymous::checks(&api).await;
    findings.extend(journey::checks(&api, policy.as_deref()).await);
    report(&findings, options.json)
}

/// A client of the five services.
struct Api {
    http: Client,
    urls: SiblingUrls,
    token: Option<SecretString>,
}

/// What came back.
struct Answer {
    status: u16,
    body: Value,
}

impl Api {
    /// The same, as somebody who has logged in.
    fn with_token(&self, token: &str) -> Self {
        Self {
            http: self.http.clone(),
            urls: self.urls.clone(),
            token: Some(token.to_owned().into()),
        }
    }

    async fn call(
        &self,
        method: Method,
        service: &'static ServiceInfo,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Answer> {
        let url = self.urls.of(service).join(path)?;
        let mut request = self.http.request(method.clone(), url.clone());
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await;
        let answer = answer.with_context(|| format!("{method} {url} is not answered"))?;
        Ok(Answer {
            status: answer.status().as_u16(),
            body: answer.json().await.unwrap_or_default(),
        })
    }

    async fn get(&self, service: &'static ServiceInfo, path: &str) -> anyhow::Result<Answer> {
        self.call(Method::GET, service, path, None).await
    }

    async fn post(
        &self,
        service: &'static ServiceInfo,
        path: &str,
        body: Value,
    ) -> anyhow::Result<Answer> {
        self.call(Method::POST, service, path, Some(body)).await
    }
}

impl Answer {
    /// The body of an answer with this status.
    fn with_status(self, wanted: u16) -> anyhow::Result<Value> {
        let Self { status, body } = self;
        if status == wanted {
            Ok(body)
        } else {
            bail!(
                "{wanted} was expected, {status} was answered: {}",
                brief(&body)
            )
        }
    }
}

/// What a problem says; never a body that may hold a token.
fn brief(body: &Value) -> String {
    let word = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let words = [word("code"), word("detail"), word("status")];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(", ")
}
