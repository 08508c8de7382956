//! SCIM 2.0 (RFC 7643, RFC 7644): a directory makes, changes and deactivates the tenant's users, and says who is in which
//! group. A group is a role of the tenant's own: a directory names its members, people here say what it allows.
//!
//! The operations are described by the RFCs and by `/Schemas`, not by the OpenAPI document; errors have the form of RFC
//! 7644 section 3.12.

mod answer;
mod body;
mod bulk;
mod discovery;
mod error;
mod filter;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod groups;
mod patch;
mod query;
mod resource;
mod sql;
mod users;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{MethodRouter, any, get, post},
};
use bz_auth::Caller;
use bz_http::Problem;
use http::{HeaderValue, StatusCode, header};

use self::{groups::ScimGroup, resource::Resource, users::ScimUser};
use crate::{app::AppState, roles::guard::Granter};

bz_auth::permissions! {
    /// Provision users and groups from a directory.
    ScimManage = "scim:manage",
}

/// The most that a directory has reason to send, in bytes: a group with some thousand members.
const BODY_LIMIT: usize = 256 * 1024;

/// The routes of SCIM.
pub(crate) fn routes() -> Router<AppState> {
    const READ: &str = "GET, HEAD";
    const COLLECTION: &str = "GET, HEAD, POST";
    const RESOURCE: &str = "GET, HEAD, PUT, PATCH, DELETE";
    let routes = [
        ("ServiceProviderConfig", READ, get(discovery::get_config)),
        ("ResourceTypes", READ, get(discovery::list_resource_types)),
        (
            "ResourceTypes/{id}",
            READ,
            get(discovery::get_resource_type),
        ),
        ("Schemas", READ, get(discovery::list_schemas)),
        ("Schemas/{id}", READ, get(discovery::get_schema)),
        ("Users", COLLECTION, collection::<ScimUser>()),
        ("Users/{id}", RESOURCE, single::<ScimUser>()),
        ("Groups", COLLECTION, collection::<ScimGroup>()),
        ("Groups/{id}", RESOURCE, single::<ScimGroup>()),
        ("Bulk", "POST", post(bulk::bulk)),
    ];
    let add =
        |router: Router<AppState>,
         (path, allowed, methods): (&str, &'static str, MethodRouter<AppState>)| {
            // A fallback of its own, so that the error has the form of SCIM too.
            let methods = methods.fallback(move || refuse_method(allowed));
            router.route(&format!("/scim/v2/{path}"), methods)
        };
    routes
        .into_iter()
        .fold(Router::new(), add)
        .route("/scim/v2/.search", any(not_implemented))
        .route("/scim/v2/Me", any(not_implemented))
        .route("/scim/v2/{*path}", any(nothing))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::map_response(error::in_scim_form))
}

fn collection<R: Resource>() -> MethodRouter<AppState> {
    get(resource::list::<R>).post(resource::create::<R>)
}

fn single<R: Resource>() -> MethodRouter<AppState> {
    get(resource::get::<R>)
        .put(resource::replace::<R>)
        .patch(resource::patch::<R>)
        .delete(resource::delete::<R>)
}

async fn refuse_method(allowed: &'static str) -> Problem {
    let allowed = HeaderValue::from_static(allowed);
    Problem::method_not_allowed().header(header::ALLOW, allowed)
}

async fn not_implemented() -> Problem {
    Problem::new(
        StatusCode::NOT_IMPLEMENTED,
        "not_implemented",
        "Not implemented",
    )
    .detail("/ServiceProviderConfig says what is.")
}

async fn nothing() -> Problem {
    Problem::not_found()
}

/// What a directory may grant: what the caller has, and in any case the permissions to work in the tenant, which every
/// member that it makes has. It administers nothing by itself: who may, people decide.
fn granter(caller: &Caller) -> Granter {
    let work = ["*:read", "*:write"].map(ToOwned::to_owned);
    let mut granter = Granter::from(caller);
    granter.permissions = granter.permissions.with(&work);
    granter
}
