use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Problem, Query};
use bz_tenant::TenantTx;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{ScimUser, WriteUser, store};
use crate::{
    app::AppState,
    changes::{self, By},
    members,
    origin::Origin,
    roles::rights::BuiltIn,
    scim::{
        ScimManage, answer,
        body::{ScimBody, member},
        error::bad_request,
        query::ScimQuery,
    },
    users::{Email, admin},
};

/// Make a user, who is a member and sets a password by mail (RFC 7644 section 3.3).
pub(in crate::scim) async fn create_user(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Query(query): Query<ScimQuery>,
    origin: Origin,
    ScimBody(resource): ScimBody,
) -> Result<Response, Problem> {
    let mut user = WriteUser::read(&resource)?;
    if user.display_name.is_none() {
        user.display_name = full_name(&resource, &user);
    }
    let by = By::new(&caller, &origin);
    let create = async |tx: &mut TenantTx| create(tx, &app, by, &user).await;
    let run = app
        .core
        .db
        .run("identity.scim.create_user", &caller.scope, create);
    let created = run.await?;
    app.wake();
    let (version, json) = (created.version, created.to_json(&app));
    Ok(answer::resource(StatusCode::CREATED, version, json, &query))
}

async fn create(
    tx: &mut TenantTx,
    app: &AppState,
    by: By<'_>,
    user: &WriteUser,
) -> Result<ScimUser, Problem> {
    let email = Email::parse(&user.email)
        .map_err(|_| bad_request("invalidValue", "emails must have an e-mail address."))?;
    let id = admin::create::insert(tx, app, &email, user.display_name.as_deref()).await?;
    let now = app.core.sources.now();
    members::store::set_roles(tx, id, Some(BuiltIn::Member), &[], now).await?;
    store::write(tx, id, user, now).await?;
    if user.active {
        admin::create::invite(tx, app, id).await?;
    } else {
        admin::store::set_status(tx, id, "disabled", now).await?;
    }
    let changes = json!({ "by": "scim" });
    changes::tell(tx, app, by, "user.created", ("user", id.as_uuid()), changes).await?;
    store::find(tx, id).await?.ok_or_else(Problem::not_found)
}

/// What the user is called, when the directory gives no name to show.
fn full_name(resource: &Map<String, Value>, user: &WriteUser) -> Option<String> {
    let name = member(resource, "name").and_then(Value::as_object);
    let formatted = name
        .and_then(|name| member(name, "formatted"))
        .and_then(Value::as_str);
    let parts: Vec<&str> = [&user.given_name, &user.family_name]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let joined = parts.join(" ");
    let name = formatted.unwrap_or(&joined).trim();
    let is_good = !name.is_empty() && !name.chars().any(char::is_control);
    is_good.then(|| name.chars().take(120).collect())
}
