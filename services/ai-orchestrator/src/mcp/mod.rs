//! The Model Context Protocol (<https://modelcontextprotocol.io>), both ways: other people's programs use the tenant's tools, and
//! agents use tools of servers that the tenant names.

pub(crate) mod client;
mod message;
pub(crate) mod server;

bz_kernel::typed_id!(
    /// A server whose tools agents use.
    McpServerId
);
