//! The Model Context Protocol (<https://modelcontextprotocol.io>): other people's programs use the tenant's tools.

pub(crate) mod server;
