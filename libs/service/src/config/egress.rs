//! Where requests to addresses that tenants give may go, for the services that make such requests.

use bz_http::egress::EgressPolicy;

use super::Env;

/// Reads `EGRESS_ALLOW` and `EGRESS_PROXY`.
pub fn egress(env: &mut Env) -> Option<EgressPolicy> {
    let policy = env
        .list(
            "EGRESS_ALLOW",
            "Hosts and networks beyond the public internet that tenants' addresses (webhooks) may lead to, also without \
             TLS: `hooks.internal,10.1.0.0/16`, separated by commas. For closed networks and tests.",
        )
        .map(|items| EgressPolicy::default().allow(items))
        .or("");
    let proxy = env
        .url(
            "EGRESS_PROXY",
            "HTTP proxy for requests to tenants' addresses. It resolves the names, and has to refuse internal addresses.",
        )
        .secret()
        .optional();
    Some(policy?.through(proxy?))
}
