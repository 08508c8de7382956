//! A new customer: registers, records a lead, asks the chatbot about it and sees it counted. It ends with the lead
//! deleted and the session closed; the tenant stays, with an address that nobody can have.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bz_kernel::Rng;
use bz_kernel::platform::{AI_ORCHESTRATOR, ANALYTICS, CHATBOT, CRM, IDENTITY};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Api, brief};
use crate::report::Finding;

const REGISTRATION: &str = "registration";
/// Longest time from a change to the dashboard, and the pause between two looks.
const COUNTED_WITHIN: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);

/// The journey, as far as it goes: after a failure the steps that build on it are not made.
pub(super) async fn checks(anonymous: &Api, policy: Option<&str>) -> Vec<Finding> {
    if let Some(policy) = policy.filter(|policy| *policy != "auto_login") {
        return vec![skipped(&format!("REGISTRATION_POLICY is {policy}"))];
    }
    let (email, password) = account();
    let mut findings = Vec::new();
    let api = match register(anonymous, &email, &password).await {
        Ok(Registered::In(api)) => {
            findings.push(Finding::ok(REGISTRATION, format!("{email} has a tenant")));
            api
        }
        Ok(Registered::Not(why)) => return vec![skipped(&why)],
        Err(error) => return vec![Finding::of(REGISTRATION, Err(error))],
    };
    findings.push(Finding::of("token", who_am_i(&api, &email).await));
    match create_lead(&api).await {
        Ok(lead) => {
            findings.push(Finding::ok("lead", "recorded"));
            findings.push(Finding::of("lead score", score(&api, &lead).await));
            findings.push(Finding::of("chat", chat(&api).await));
            findings.push(Finding::of("dashboard", counted(&api).await));
            findings.push(Finding::of("lead deleted", delete(&api, &lead).await));
        }
        Err(error) => findings.push(Finding::of("lead", Err(error))),
    }
    findings.push(Finding::of("agents", agents(&api).await));
    findings.push(Finding::of("logout", log_out(&api).await));
    findings
}

fn skipped(why: &str) -> Finding {
    Finding::ok(REGISTRATION, format!("no journey was made: {why}"))
}

/// An address below a domain that is never given to anybody (RFC 2606), and a password that is forgotten.
fn account() -> (String, String) {
    let rng = Rng::system();
    let (name, password): ([u8; 8], [u8; 24]) = (rng.bytes(), rng.bytes());
    let email = format!("smoke-{}@smoke.invalid", hex::encode(name));
    (email, hex::encode(password))
}

enum Registered {
    In(Box<Api>),
    Not(String),
}

async fn register(api: &Api, email: &str, password: &str) -> anyhow::Result<Registered> {
    let body = json!({ "email": email, "password": password, "name": "Smoke Test", "tenant_name": "Smoke Test" });
    let answer = api.post(&IDENTITY, "/auth/register", body).await?;
    match (answer.status, answer.body["access_token"].as_str()) {
        (201, Some(token)) => Ok(Registered::In(Box::new(api.with_token(token)))),
        (202, _) => Ok(Registered::Not("addresses are verified first".to_owned())),
        (403, _) if answer.body["code"] == "registration_disabled" => {
            Ok(Registered::Not("registration is closed".to_owned()))
        }
        (status, _) => bail!("{status} was answered: {}", brief(&answer.body)),
    }
}

async fn who_am_i(api: &Api, email: &str) -> anyhow::Result<String> {
    let me = api.get(&IDENTITY, "/auth/me").await?.with_status(200)?;
    ensure!(me["email"] == email, "it is somebody else's");
    Ok("it is the new owner's".to_owned())
}

/// Answers the path of the lead.
async fn create_lead(api: &Api) -> anyhow::Result<String> {
    let body = json!({ "first_name": "Smoke", "email": "lead@smoke.invalid", "title": "CEO", "source": "referral" });
    let lead = api.post(&CRM, "/api/leads", body).await?.with_status(201)?;
    let id = lead["id"].as_str().context("the lead has no id")?;
    let path = format!("/api/leads/{id}");
    let read = api.get(&CRM, &path).await?.with_status(200)?;
    ensure!(read["first_name"] == "Smoke", "another lead was read back");
    Ok(path)
}

async fn score(api: &Api, lead: &str) -> anyhow::Result<String> {
    let score = api.get(&CRM, &format!("{lead}/score")).await?;
    let score = score.with_status(200)?["score"].clone();
    ensure!(score.is_number(), "there is none");
    Ok(score.to_string())
}

async fn chat(api: &Api) -> anyhow::Result<String> {
    let body = json!({ "message": "how many leads do I have?" });
    let answer = api
        .post(&CHATBOT, "/api/chat", body)
        .await?
        .with_status(200)?;
    let missing = answer["degraded"].as_array().map_or(0, Vec::len);
    ensure!(missing == 0, "it answers without {}", answer["degraded"]);
    let reply = answer["reply"].as_str().unwrap_or_default();
    ensure!(reply.contains('1'), "it counts one lead as {reply:?}");
    Ok(reply.to_owned())
}

/// The events of the CRM reach analytics.
async fn counted(api: &Api) -> anyhow::Result<String> {
    let deadline = tokio::time::Instant::now() + COUNTED_WITHIN;
    loop {
        let overview = api
            .get(&ANALYTICS, "/api/dashboards/overview?days=1")
            .await?;
        let overview = overview.with_status(200)?;
        if leads_created(&overview) == Some(1) {
            return Ok("the lead is counted".to_owned());
        }
        let late = tokio::time::Instant::now() > deadline;
        ensure!(!late, "the lead is not counted after {COUNTED_WITHIN:?}");
        tokio::time::sleep(PAUSE).await;
    }
}

fn leads_created(overview: &Value) -> Option<i64> {
    let mut metrics = overview["metrics"].as_array()?.iter();
    let metric = metrics.find(|metric| metric["key"] == "leads_created")?;
    let days = metric["per_day"].as_array()?.iter();
    Some(days.filter_map(|day| day["count"].as_i64()).sum())
}

async fn delete(api: &Api, lead: &str) -> anyhow::Result<String> {
    let answer = api.call(Method::DELETE, &CRM, lead, None).await?;
    answer.with_status(204)?;
    api.get(&CRM, lead).await?.with_status(404)?;
    Ok("it is gone".to_owned())
}

async fn agents(api: &Api) -> anyhow::Result<String> {
    let agents = api.get(&AI_ORCHESTRATOR, "/api/agents").await?;
    let agents = agents.with_status(200)?;
    let count = agents["items"].as_array().map_or(0, Vec::len);
    Ok(format!("{count} listed"))
}

async fn log_out(api: &Api) -> anyhow::Result<String> {
    let answer = api
        .call(Method::POST, &IDENTITY, "/auth/logout", None)
        .await?;
    answer.with_status(204)?;
    Ok("the session is closed".to_owned())
}
