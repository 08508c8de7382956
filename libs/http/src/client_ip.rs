//! Where a request comes from.

use std::net::IpAddr;

/// The address of the client, among a request's extensions: the peer's, or what the trusted proxies in front say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);
