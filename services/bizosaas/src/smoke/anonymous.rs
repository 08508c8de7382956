//! What anybody can see: five services that are healthy, keys to verify tokens with, and closed doors.

use anyhow::ensure;
use bz_kernel::ServiceInfo;
use bz_kernel::platform::{AI_ORCHESTRATOR, ANALYTICS, CHATBOT, CRM, IDENTITY, SERVICES};

use super::Api;
use crate::report::Finding;

/// One resource of each service that nobody sees without a token.
const CLOSED: [(&ServiceInfo, &str); 5] = [
    (&IDENTITY, "/auth/me"),
    (&AI_ORCHESTRATOR, "/api/agents"),
    (&CHATBOT, "/api/conversations"),
    (&CRM, "/api/leads"),
    (&ANALYTICS, "/api/dashboards/overview"),
];

pub(super) async fn checks(api: &Api) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in SERVICES {
        findings.push(health(api, service).await);
    }
    findings.push(Finding::of("keys of identity", keys(api).await));
    for (service, path) in CLOSED {
        let check = format!("closed without a token: {}", service.name);
        findings.push(Finding::of(check, closed(api, service, path).await));
    }
    findings
}

async fn health(api: &Api, service: &'static ServiceInfo) -> Finding {
    let check = format!("health of {}", service.name);
    let answer = api.get(service, "/health").await;
    let body = match answer.and_then(|answer| answer.with_status(200)) {
        Ok(body) => body,
        Err(error) => return Finding::of(check, Err(error)),
    };
    let state = body["status"].as_str().unwrap_or_default();
    match (state, body["service"] == service.health_name) {
        ("healthy", true) => Finding::ok(check, state),
        ("degraded", true) => {
            Finding::degraded(check, format!("degraded: {}", body["dependencies"]))
        }
        (_, true) => Finding::of(check, Err(format!("it says {state:?}"))),
        (_, false) => {
            let message = format!("{} answers there", body["service"]);
            Finding::of(check, Err(message))
        }
    }
}

async fn keys(api: &Api) -> anyhow::Result<String> {
    let body = api.get(&IDENTITY, "/.well-known/jwks.json").await?;
    let body = body.with_status(200)?;
    let keys = body["keys"].as_array().map_or(0, Vec::len);
    ensure!(keys > 0, "there is none, so no token can be verified");
    Ok(format!("{keys} published"))
}

async fn closed(api: &Api, service: &'static ServiceInfo, path: &str) -> anyhow::Result<String> {
    api.get(service, path).await?.with_status(401)?;
    Ok(format!("{path} answers 401"))
}
