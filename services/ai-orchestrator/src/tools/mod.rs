//! Tools: what agents may do. Those that everybody has are data; a tenant adds calls of its own.

mod create;
mod delete;
mod get;
mod here;
mod invoke;
mod list;
mod own;
mod prepare;
mod put;
mod spec;
pub(crate) mod store;
mod test;

use std::collections::HashMap;

use bz_http::{Errors, Problem, Routes, routes};
use bz_kernel::{Sealer, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{app::AppState, mcp_servers};

pub(crate) use create::sealed;
pub(crate) use here::{citations, happened, invoke};
use invoke::headers_of;
pub(crate) use invoke::{Invocation, ToolError, Toolbox, by_status};
pub(crate) use own::{CreateTool, Headers, OwnTool, PutTool, check_headers};
pub use spec::{Effect, Method, Target};
pub(crate) use spec::{ToolSpec, builtin};

bz_kernel::typed_id!(
    /// A tool that a tenant made.
    ToolId
);

bz_auth::permissions! {
    /// See the tools, and try what a call would send.
    ToolsRead = "tools:read",
    /// Make, change and delete tools: what may be called outside of the platform.
    ToolsManage = "tools:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_tools, create::create_tool))
        .routes(routes!(get::get_tool, put::put_tool, delete::delete_tool))
        .routes(routes!(test::test_tool))
}

/// A tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Tool {
    /// Its id; none for a tool that everybody has, which is known by its name.
    pub id: Option<ToolId>,
    /// Its name.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// For the model: what it does.
    pub description: String,
    /// What a call does to the world.
    pub effect: Effect,
    /// Whether the same call with the same `Idempotency-Key` may be sent twice without a second effect.
    pub idempotent: bool,
    /// How long a call may take.
    pub timeout_seconds: u32,
    /// The permission that the user needs for it.
    pub permission: Option<String>,
    /// JSON schema of the arguments.
    #[schema(value_type = Object)]
    pub parameters: Value,
    /// Where a call goes.
    pub call: Target,
    /// Names of the headers that go with a call; their values are not shown.
    pub header_names: Vec<String>,
    /// Whether everybody has it and nobody changes it.
    pub built_in: bool,
    /// Whether the server that it calls is configured here.
    pub available: bool,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Tool {
    pub(crate) fn built_in(spec: &ToolSpec) -> Self {
        Self {
            id: None,
            name: spec.name.clone(),
            title: spec.title.clone(),
            description: spec.description.clone(),
            effect: spec.effect,
            idempotent: spec.idempotent,
            timeout_seconds: spec.timeout_seconds,
            permission: spec.permission.clone(),
            parameters: spec.parameters.clone(),
            call: spec.call.clone(),
            header_names: Vec::new(),
            built_in: true,
            available: true,
            version: 1,
            created_by: None,
            created_at: None,
            updated_at: None,
        }
    }
}

/// A built-in tool.
pub(crate) fn built_in(name: &str) -> Option<&'static ToolSpec> {
    builtin().iter().find(|tool| tool.name == name)
}

/// A tool that a run may use, with what a call of it needs besides.
#[derive(Debug, Clone)]
pub(crate) struct Usable {
    /// What it is.
    pub spec: ToolSpec,
    /// The headers of a tenant's own tool or server, sealed, and what they are bound to.
    pub sealed: Option<(Uuid, Vec<u8>)>,
}

impl Usable {
    /// The headers of a tenant's own tool or server, opened.
    pub(crate) fn headers(&self, secrets: &Sealer) -> HeaderMap {
        let sealed = self.sealed.as_ref();
        sealed.map_or_else(HeaderMap::new, |(id, sealed)| {
            opened(secrets, (*id, sealed), &self.spec.name)
        })
    }
}

/// Sealed headers, opened.
pub(crate) fn opened(secrets: &Sealer, (id, sealed): (Uuid, &[u8]), of: &str) -> HeaderMap {
    match secrets.open(id.as_bytes(), sealed) {
        Ok(plain) => headers_of(&serde_json::from_slice(&plain).unwrap_or_default()),
        Err(error) => {
            tracing::warn!(%error, tool = of, "the headers of a tool do not open");
            HeaderMap::new()
        }
    }
}

/// The tenant's own tools behind a name, by name.
pub(crate) async fn own_behind(tx: &mut TenantTx, after: &str) -> Result<Vec<ToolSpec>, DbError> {
    let rows = store::list(tx, after, create::MOST).await?;
    Ok(rows.into_iter().map(|row| row.into_usable().spec).collect())
}

/// The tenant's own tool of a name.
pub(crate) async fn own_named(tx: &mut TenantTx, name: &str) -> Result<Option<Usable>, DbError> {
    let rows = store::named(tx, &[name.to_owned()]).await?;
    Ok(rows.into_iter().next().map(store::ToolRow::into_usable))
}

/// The tools of these names that are there.
pub(crate) async fn named<'a>(
    tx: &mut TenantTx,
    names: impl IntoIterator<Item = &'a String>,
) -> Result<HashMap<String, Usable>, DbError> {
    let (mut found, mut own) = (HashMap::new(), Vec::new());
    for name in names {
        match built_in(name) {
            Some(spec) => {
                let usable = Usable {
                    spec: spec.clone(),
                    sealed: None,
                };
                found.insert(name.clone(), usable);
            }
            None => own.push(name.clone()),
        }
    }
    if !own.is_empty() {
        for row in store::named(tx, &own).await? {
            found.insert(row.name.clone(), row.into_usable());
        }
        for usable in mcp_servers::usable(tx, &own).await? {
            found.insert(usable.spec.name.clone(), usable);
        }
    }
    Ok(found)
}

/// Goes on if there are tools of all these names.
///
/// # Errors
/// 422 with each that is not there.
pub(crate) async fn must_exist(
    tx: &mut TenantTx,
    names: &[String],
    pointer: &str,
) -> Result<(), Problem> {
    let known = named(tx, names).await?;
    let mut errors = Errors::default();
    for (n, name) in names.iter().enumerate() {
        if !known.contains_key(name) {
            let message = if name.starts_with(mcp_servers::PREFIX) {
                format!("there is no approved tool {name:.200} of a server that is enabled")
            } else {
                format!("there is no tool {name:.64}")
            };
            errors.add(format!("{pointer}/{n}"), "unknown_tool", message);
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::validation(errors))
    }
}
