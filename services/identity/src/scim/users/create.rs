use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use serde_json::{Map, Value, json};

use super::{WriteUser, store};
use crate::{
    app::AppState,
    changes::{self, By},
    members,
    roles::rights::BuiltIn,
    scim::{body::member, error::bad_request},
    users::{Email, admin},
};

/// Makes a user, who is a member and sets a password by mail.
pub(super) async fn create(
    tx: &mut TenantTx,
    app: &AppState,
    by: By<'_>,
    user: &WriteUser,
) -> Result<UserId, Problem> {
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
    Ok(id)
}

/// What the user is called, when the directory gives no name to show.
pub(super) fn full_name(resource: &Map<String, Value>, user: &WriteUser) -> Option<String> {
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
