//! Tools that a tenant makes.

use std::collections::BTreeMap;

use bz_http::{Errors, Validate, egress::EgressPolicy};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Effect, ToolSpec, Toolbox, spec::OwnTarget};
use crate::{
    agents::{check_name, check_text},
    crews::check_schema,
};

/// A tool as a tenant describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnTool {
    /// Name for people, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub title: String,
    /// For the model: what it does, 1 to 1,000 characters.
    #[schema(min_length = 1, max_length = 1000)]
    pub description: String,
    /// What a call does to the world. A destructive one is asked for each time.
    pub effect: Effect,
    /// Whether the other side honours `Idempotency-Key`, or the call may be repeated without a second effect.
    #[serde(default)]
    pub idempotent: bool,
    /// How long a call may take, 1 to 120 seconds; 10 when not given.
    #[serde(default = "ten")]
    #[schema(minimum = 1, maximum = 120)]
    pub timeout_seconds: u32,
    /// JSON schema of the arguments, an object.
    #[schema(value_type = Object)]
    pub parameters: Value,
    /// Where a call goes: `http`, `n8n` or `crewai`.
    pub call: OwnTarget,
}

const fn ten() -> u32 {
    10
}

/// Headers with secrets.
pub(crate) type Headers = BTreeMap<String, String>;

/// A tool to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTool {
    /// Its name: 1 to 60 small letters, digits and hyphens.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// What it is.
    pub tool: OwnTool,
    /// Headers that go with every call, as `authorization`; at most 10. They are sealed and never shown again.
    #[serde(default)]
    pub headers: Headers,
}

/// What a tool is from now on.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutTool {
    /// What it is.
    pub tool: OwnTool,
    /// Headers that go with every call; those of before stay when not given.
    pub headers: Option<Headers>,
}

impl Validate for CreateTool {
    fn validate(&self, errors: &mut Errors) {
        check_name(errors, &self.name);
        self.tool.check(errors);
        check_headers(errors, &self.headers);
    }
}

impl Validate for PutTool {
    fn validate(&self, errors: &mut Errors) {
        self.tool.check(errors);
        if let Some(headers) = &self.headers {
            check_headers(errors, headers);
        }
    }
}

pub(crate) fn check_headers(errors: &mut Errors, headers: &Headers) {
    if headers.len() > 10 {
        errors.add("/headers", "too_many", "must be at most 10");
    }
    for (name, value) in headers {
        let taken = [
            "host",
            "content-length",
            "content-type",
            "connection",
            "idempotency-key",
        ];
        let name_fits = name
            .parse::<http::HeaderName>()
            .is_ok_and(|name| !taken.contains(&name.as_str()));
        let value_fits = value.len() <= 4096 && http::HeaderValue::from_str(value).is_ok();
        if !name_fits || !value_fits {
            let message = "must be headers of the request's own with visible ASCII values of at most 4096 bytes";
            errors.add("/headers", "invalid_header", message);
        }
    }
}

impl OwnTool {
    fn check(&self, errors: &mut Errors) {
        check_text(errors, "/tool/title", &self.title, 1, 100);
        check_text(errors, "/tool/description", &self.description, 1, 1000);
        if !(1..=120).contains(&self.timeout_seconds) {
            errors.add("/tool/timeout_seconds", "out_of_range", "must be 1 to 120");
        }
        check_schema(errors, "/tool/parameters", Some(&self.parameters));
        match &self.call {
            OwnTarget::Http { allowed_hosts, .. } => {
                let fits = |host: &String| (1..=253).contains(&host.len());
                if !(1..=20).contains(&allowed_hosts.len()) || !allowed_hosts.iter().all(fits) {
                    let message = "must be 1 to 20 hosts such as api.example.com";
                    errors.add("/tool/call/allowed_hosts", "invalid_value", message);
                }
            }
            OwnTarget::N8n { path } => {
                let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.".contains(&b);
                if !path.starts_with('/')
                    || path.len() > 200
                    || !path.bytes().all(plain)
                    || path.contains("..")
                {
                    let message = "must be a path such as /webhook/new-lead";
                    errors.add("/tool/call/path", "invalid_value", message);
                }
            }
            OwnTarget::Crewai {} => {}
        }
    }

    /// Adds what this installation does not allow.
    pub(crate) fn check_here(&self, errors: &mut Errors, toolbox: &Toolbox) {
        if let OwnTarget::Http {
            url, allowed_hosts, ..
        } = &self.call
        {
            check_url(errors, url, allowed_hosts, toolbox.policy());
        }
        if !toolbox.has(&self.call.clone().into()) {
            let message = "this installation has no such server (N8N_URL, CREWAI_URL)";
            errors.add("/tool/call/kind", "not_configured", message);
        }
    }

    /// The tool as runs use it.
    pub(crate) fn into_spec(self, name: String) -> ToolSpec {
        ToolSpec {
            name,
            title: self.title,
            description: self.description,
            effect: self.effect,
            idempotent: self.idempotent || self.effect == Effect::Read,
            timeout_seconds: self.timeout_seconds,
            permission: None,
            parameters: self.parameters,
            call: self.call.into(),
        }
    }
}

/// The host cannot come from an argument, and is one of the list.
fn check_url(errors: &mut Errors, template: &str, allowed: &[String], policy: &EgressPolicy) {
    let plain = template.replace(['{', '}'], "");
    let url = match policy.check(&plain) {
        Ok(url) => url,
        Err(refused) => return errors.add("/tool/call/url", refused.code, refused.message),
    };
    let authority = template.split('/').nth(2).unwrap_or_default();
    let authority = authority.split('?').next().unwrap_or_default();
    let listed = url
        .host_str()
        .is_some_and(|host| allowed.iter().any(|one| one == host));
    if authority.contains(['{', '}']) || !listed {
        let message = "must have a host of allowed_hosts, not one that an argument names";
        errors.add("/tool/call/url", "host_not_allowed", message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_tool_comes_from_its_list_and_never_from_an_argument() {
        let faults = |url: &str, hosts: &[&str]| {
            let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
            let mut errors = Errors::default();
            check_url(&mut errors, url, &hosts, &EgressPolicy::default());
            !errors.is_empty()
        };
        assert!(!faults(
            "https://api.example.com/a/{id}?q={q}",
            &["api.example.com"]
        ));
        for bad in [
            "https://{host}/a",
            "https://api.{zone}.example.com/",
            "https://other.example.com/",
            "http://api.example.com/",
            "https://169.254.169.254/",
            "https://api.example.com@evil.example/",
        ] {
            assert!(
                faults(bad, &["api.example.com", "169.254.169.254"]),
                "{bad}"
            );
        }
    }
}
