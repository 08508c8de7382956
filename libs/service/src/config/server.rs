//! Where a service listens, and its limits in time and size.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bz_http::{ForwardedHeader, TrustedProxies};
use bz_kernel::ServiceInfo;

use super::Env;

/// Where and how a service listens, and how it stops.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Addresses of the API.
    pub listen: Vec<SocketAddr>,
    /// Address of `/metrics`.
    pub admin: SocketAddr,
    /// Connections served at once; further ones wait in the backlog.
    pub max_connections: usize,
    /// Longest time in which a request's head must arrive.
    pub header_read_timeout: Duration,
    /// Longest time that a connection may idle between two requests.
    pub keep_alive_timeout: Duration,
    /// Longest time a request may take.
    pub request_timeout: Duration,
    /// Largest request body, in bytes.
    pub body_limit: usize,
    /// Origins that browsers may call from; empty for none.
    pub cors_allowed_origins: Vec<String>,
    /// Whose word about the client's address counts.
    pub trusted_proxies: TrustedProxies,
    /// How long readiness is 503 before the listener closes.
    pub drain_delay: Duration,
    /// Longest wait for requests in flight.
    pub grace_period: Duration,
    /// Threads that run requests; 0 chooses by the machine's cores.
    pub worker_threads: usize,
}

impl ServerConfig {
    pub(super) fn read(env: &mut Env, info: &'static ServiceInfo) -> Option<Self> {
        let addresses = addresses(env, info);
        let max_connections = env
            .number(
                "MAX_CONNECTIONS",
                "Connections served at once; further ones wait.",
            )
            .within(1, 1_000_000)
            .or("2048");
        let header_read_timeout = env
            .duration(
                "HEADER_READ_TIMEOUT",
                "Longest time in which a request's head must arrive.",
            )
            .or("10s");
        let keep_alive_timeout = env
            .duration("KEEP_ALIVE_TIMEOUT", "Longest time that a connection may idle between two requests; longer than that of proxies before it.")
            .or("75s");
        let request_timeout = env
            .duration("REQUEST_TIMEOUT", "Longest time a request may take.")
            .or("10s");
        let body_limit = env
            .number("BODY_LIMIT", "Largest request body, in bytes.")
            .or("1048576");
        let cors_allowed_origins = env
            .list(
                "CORS_ALLOWED_ORIGINS",
                "Origins that browsers may call from; `*` for any. None when empty.",
            )
            .or("");
        let trusted_proxies = trusted_proxies(env);
        let stop = stop_times(env);
        let worker_threads = env
            .number(
                "WORKER_THREADS",
                "Threads that run requests; 0 is one per core, at most 4.",
            )
            .within(0, 256)
            .or("0");
        let ((listen, admin), (drain_delay, grace_period)) = (addresses?, stop?);
        Some(Self {
            listen,
            admin,
            max_connections: max_connections?,
            header_read_timeout: header_read_timeout?,
            keep_alive_timeout: keep_alive_timeout?,
            request_timeout: request_timeout?,
            body_limit: body_limit?,
            cors_allowed_origins: cors_allowed_origins?,
            trusted_proxies: trusted_proxies?,
            drain_delay,
            grace_period,
            worker_threads: worker_threads?,
        })
    }
}

/// Addresses of the API, and of the admin listener.
fn addresses(env: &mut Env, info: &'static ServiceInfo) -> Option<(Vec<SocketAddr>, SocketAddr)> {
    let host: Option<IpAddr> = env
        .parsed("HOST", "IP address", "Address to listen on.")
        .or("0.0.0.0");
    let port: Option<u16> = env
        .number("PORT", "Port of the API.")
        .shown_default("8001 to 8005")
        .or(info.port.to_string());
    let further = env
        .list("EXTRA_PORTS", "Further ports of the API.")
        .map(ports)
        .or("");
    let admin_port: Option<u16> = env
        .number("ADMIN_PORT", "Port of /metrics and /log-filter.")
        .shown_default("9001 to 9005")
        .or(info.admin_port.to_string());
    let host = host?;
    let all = std::iter::once(port?).chain(further?);
    let listen = all.map(|port| SocketAddr::new(host, port)).collect();
    Some((listen, SocketAddr::new(host, admin_port?)))
}

/// Whom to believe where a request comes from.
fn trusted_proxies(env: &mut Env) -> Option<TrustedProxies> {
    let proxies = env
        .list(
            "TRUSTED_PROXIES",
            "Addresses and networks of the proxies in front, such as `10.0.0.0/8`, or how many of them there are. The \
             client's address is then what they write, read from right to left; nobody is believed when empty.",
        )
        .map(|items| TrustedProxies::parse(&items))
        .or("");
    let header: Option<ForwardedHeader> = env
        .parsed(
            "FORWARDED_HEADER",
            "name of a header",
            "The header that the trusted proxies write: `x-forwarded-for` or `forwarded`. The other is ignored.",
        )
        .or("x-forwarded-for");
    Some(proxies?.writing(header?))
}

/// How long a stop waits before it closes the listener, and after.
fn stop_times(env: &mut Env) -> Option<(Duration, Duration)> {
    let before = "How long /health/ready answers 503 before the listener closes.";
    let drain_delay = env.duration("DRAIN_DELAY", before).or("5s");
    let after = "Longest wait for requests in flight at a stop.";
    let grace_period = env.duration("GRACE_PERIOD", after).or("20s");
    Some((drain_delay?, grace_period?))
}

fn ports(items: Vec<String>) -> Result<Vec<u16>, String> {
    let parse = |item: String| item.parse().map_err(|_| format!("{item:?} is not a port"));
    items.into_iter().map(parse).collect()
}
