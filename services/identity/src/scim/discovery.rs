//! What this service provider can do, and which resources it has (RFC 7644 section 4).

use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Path, Problem, Query};
use http::StatusCode;
use serde_json::{Value, json};

use super::{ScimManage, answer, error::forbid_filter, query::ScimQuery};
use crate::app::AppState;

/// The schema of users.
pub(super) const USER_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of groups.
pub(super) const GROUP_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const SCHEMA_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
const RESOURCE_TYPE_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const CONFIG_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

/// The schemas as they are answered, but for where they are.
const SCHEMAS: &str = include_str!("schemas.json");

/// What works.
pub(super) async fn get_config(State(app): State<AppState>, _: Can<ScimManage>) -> Response {
    let unsupported = json!({ "supported": false });
    let config = json!({
        "schemas": [CONFIG_SCHEMA],
        "patch": { "supported": true },
        "bulk": {
            "supported": true, "maxOperations": super::bulk::MOST_OPERATIONS, "maxPayloadSize": super::BODY_LIMIT,
        },
        "filter": { "supported": true, "maxResults": super::query::MOST_ITEMS },
        "changePassword": unsupported,
        "sort": { "supported": true },
        "etag": { "supported": true },
        "authenticationSchemes": [{
            "type": "oauthbearertoken", "name": "Bearer token",
            "description": "An access token or an API key with the permission scim:manage.", "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": answer::location(&app, "ServiceProviderConfig"),
        },
    });
    answer::document(StatusCode::OK, &config)
}

/// The kinds of resources.
pub(super) async fn list_resource_types(
    State(app): State<AppState>,
    _: Can<ScimManage>,
    Query(query): Query<ScimQuery>,
) -> Result<Response, Problem> {
    forbid_filter(&query)?;
    Ok(all(resource_types(&app)))
}

/// One kind of resource.
pub(super) async fn get_resource_type(
    State(app): State<AppState>,
    _: Can<ScimManage>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    one(resource_types(&app), &id)
}

/// The schemas of the resources.
pub(super) async fn list_schemas(
    State(app): State<AppState>,
    _: Can<ScimManage>,
    Query(query): Query<ScimQuery>,
) -> Result<Response, Problem> {
    forbid_filter(&query)?;
    Ok(all(schemas(&app)?))
}

/// The schema of one kind of resource.
pub(super) async fn get_schema(
    State(app): State<AppState>,
    _: Can<ScimManage>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    one(schemas(&app)?, &id)
}

fn all(items: Vec<Value>) -> Response {
    let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
    answer::list(total, 1, items, &ScimQuery::default())
}

fn one(items: Vec<Value>, id: &str) -> Result<Response, Problem> {
    let found = items.into_iter().find(|item| item["id"] == id);
    found
        .map(|item| answer::document(StatusCode::OK, &item))
        .ok_or_else(Problem::not_found)
}

fn resource_types(app: &AppState) -> Vec<Value> {
    let kinds = [
        (
            "User",
            "/Users",
            "People whose home the tenant is",
            USER_SCHEMA,
        ),
        (
            "Group",
            "/Groups",
            "Roles of the tenant's own",
            GROUP_SCHEMA,
        ),
    ];
    let kind = |(name, endpoint, description, schema)| {
        json!({
            "schemas": [RESOURCE_TYPE_SCHEMA], "id": name, "name": name, "endpoint": endpoint,
            "description": description, "schema": schema,
            "meta": {
                "resourceType": "ResourceType",
                "location": answer::location(app, &format!("ResourceTypes/{name}")),
            },
        })
    };
    kinds.into_iter().map(kind).collect()
}

fn schemas(app: &AppState) -> Result<Vec<Value>, Problem> {
    let mut schemas: Vec<Value> = serde_json::from_str(SCHEMAS).map_err(Problem::internal)?;
    for schema in &mut schemas {
        let id = schema["id"].as_str().unwrap_or_default().to_owned();
        schema["schemas"] = json!([SCHEMA_SCHEMA]);
        schema["meta"] = json!({
            "resourceType": "Schema", "location": answer::location(app, &format!("Schemas/{id}")),
        });
    }
    Ok(schemas)
}
