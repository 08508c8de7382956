//! Groups as a directory sees them (RFC 7643 section 4.2): roles of the tenant's own and who has them.

pub(super) mod apply;
pub(super) mod create;
pub(super) mod delete;
pub(super) mod get;
pub(super) mod list;
pub(super) mod patch;
pub(super) mod replace;
pub(super) mod store;

use std::collections::BTreeSet;

use bz_http::{Errors, Problem};
use bz_kernel::RoleId;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    answer,
    body::{member, text},
    discovery::GROUP_SCHEMA,
    error::bad_request,
    patch::Shape,
};
use crate::{
    app::AppState,
    roles::{check_role_name, rights::Rights},
};

/// What a directory writes of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WriteGroup {
    pub(super) display_name: String,
    pub(super) external_id: Option<String>,
    pub(super) members: BTreeSet<Uuid>,
}

/// A group.
#[derive(Debug, Clone)]
pub(super) struct ScimGroup {
    pub(super) id: RoleId,
    pub(super) written: WriteGroup,
    /// What its members may do, which people decide.
    pub(super) rights: Rights,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) version: i64,
}

/// What a change may name.
pub(super) const SHAPE: Shape = Shape {
    single: &["displayName", "externalId"],
    multiple: &["members"],
    read_only: &["id", "meta", "schemas"],
};

impl WriteGroup {
    /// Reads a resource. What is not known here is left out (RFC 7644 section 3.3).
    ///
    /// # Errors
    /// 400 `invalidValue`.
    pub(super) fn read(resource: &Map<String, Value>) -> Result<Self, Problem> {
        let display_name = text(resource, "displayName", 254)?
            .ok_or_else(|| bad_request("invalidValue", "displayName is required."))?;
        let mut errors = Errors::default();
        check_role_name("/displayName", &display_name, &mut errors);
        if !errors.is_empty() {
            return Err(Problem::validation(errors));
        }
        Ok(Self {
            display_name,
            external_id: text(resource, "externalId", 254)?,
            members: members(resource)?,
        })
    }

    /// The resource without what only we write.
    pub(super) fn to_resource(&self, app: &AppState) -> Map<String, Value> {
        let mut resource = Map::new();
        resource.insert("displayName".to_owned(), json!(self.display_name));
        if let Some(id) = &self.external_id {
            resource.insert("externalId".to_owned(), json!(id));
        }
        if !self.members.is_empty() {
            let member = |id: &Uuid| {
                let location = answer::location(app, &format!("Users/{id}"));
                json!({ "value": id, "$ref": location, "type": "User" })
            };
            let members = self.members.iter().map(member).collect();
            resource.insert("members".to_owned(), Value::Array(members));
        }
        resource
    }
}

impl ScimGroup {
    /// The resource.
    pub(super) fn to_json(&self, app: &AppState) -> Value {
        let mut resource = self.written.to_resource(app);
        resource.insert("schemas".to_owned(), json!([GROUP_SCHEMA]));
        resource.insert("id".to_owned(), json!(self.id));
        let path = format!("Groups/{}", self.id);
        let meta = answer::meta(
            app,
            ("Group", &path),
            self.created_at,
            self.updated_at,
            self.version,
        );
        resource.insert("meta".to_owned(), meta);
        Value::Object(resource)
    }
}

fn members(resource: &Map<String, Value>) -> Result<BTreeSet<Uuid>, Problem> {
    let all = match member(resource, "members") {
        None => &[],
        Some(Value::Array(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let id = |member: &Value| {
        let id = member["value"].as_str().or_else(|| member.as_str());
        id.and_then(|id| id.parse().ok()).ok_or_else(no_member)
    };
    all.iter().map(id).collect()
}

pub(super) fn no_member() -> Problem {
    bad_request(
        "invalidValue",
        "members must have the ids of users of the tenant.",
    )
}
