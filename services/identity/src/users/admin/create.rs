use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Errors, IdempotencyKey, Json, Problem, Validate};
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{ManagedUser, UsersManage, store};
use crate::{
    account::links::{self, Recipient},
    app::AppState,
    changes::{self, By},
    limits,
    members::{self, change},
    origin::Origin,
    registration::check_name,
    roles::{guard, rights::Rights},
    tenants::policy,
    users::{self, Email},
};

/// A user to make. There is no password in it: the user sets one.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateUser {
    /// The address, which is the login name.
    #[schema(example = "ada@example.com", max_length = 254)]
    email: String,
    /// What the user wants to be called.
    #[schema(example = "Ada Lovelace", max_length = 120)]
    name: Option<String>,
    /// At most one name of a built-in role, and ids of the tenant's own roles; `member` when left out.
    #[schema(example = json!(["member"]), max_items = 20)]
    roles: Option<Vec<String>>,
}

impl Validate for CreateUser {
    fn validate(&self, errors: &mut Errors) {
        if Email::parse(&self.email).is_err() {
            errors.add("/email", "invalid_email", "is not an e-mail address");
        }
        if let Some(name) = &self.name {
            check_name("/name", name, errors);
        }
        if let Some(roles) = &self.roles {
            change::check_roles("/roles", roles, errors);
        }
    }
}

/// Make a user whose home this tenant is, and let them set a password by mail.
#[utoipa::path(
    post, path = "/api/users", tag = "users", security(("bearer" = ["users:manage"])),
    params(IdempotencyKey),
    request_body = CreateUser,
    responses(
        (status = 201, description = "The user", body = ManagedUser,
         headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "`email_taken`", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 429, description = "Too many mails to the address in an hour", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_user(
    State(app): State<AppState>,
    caller: Can<UsersManage>,
    key: IdempotencyKey,
    origin: Origin,
    Json(user): Json<CreateUser>,
) -> Result<Response, Problem> {
    limits::check_invitation(&app, caller.tenant(), &user.email).await?;
    let (core, by) = (&app.core, By::new(&caller, &origin));
    let at = (&core.db, &core.sources.clock);
    let create = async |tx: &mut TenantTx| create(tx, &app, by, &user).await;
    let created =
        bz_http::idempotent(at, &caller.scope, &key, "users.create", &user, create).await?;
    app.wake();
    Ok(created.into_response_with(|user: &ManagedUser| user.version))
}

async fn create(
    tx: &mut TenantTx,
    app: &AppState,
    by: By<'_>,
    user: &CreateUser,
) -> Result<ManagedUser, Problem> {
    let email = Email::parse(&user.email)
        .map_err(|_| Problem::invalid("/email", "invalid_email", "is not an e-mail address"))?;
    let by_default = [String::from("member")];
    let roles = user.roles.as_deref().unwrap_or(&by_default);
    let wanted = change::resolve(tx, "/roles", roles).await?;
    guard::may_change(by.caller, &Rights::default(), &wanted.rights)?;
    let id = insert(tx, app, &email, user.name.as_deref().map(str::trim)).await?;
    let now = app.core.sources.now();
    members::store::set_roles(tx, id, wanted.built_in, &wanted.own, now).await?;
    invite(tx, app, id).await?;
    let created = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
    let changes = json!({ "roles": roles });
    let target = ("user", id.as_uuid());
    changes::tell(tx, app, by, "user.created", target, changes).await?;
    Ok(created)
}

/// Lets a user who was made choose a password, by a mail that verifies the address too.
pub(crate) async fn invite(tx: &mut TenantTx, app: &AppState, user: UserId) -> Result<(), Problem> {
    let account = users::store::find(tx, user).await?;
    let account = account.ok_or_else(Problem::not_found)?;
    links::set_password(tx, app, Recipient::of(&account), &account.tenant_name).await?;
    Ok(())
}

/// Goes on if the tenant's policy lets somebody have this address, which an administrator or a directory gives them.
pub(crate) async fn admit(tx: &mut TenantTx, email: &Email) -> Result<(), Problem> {
    match policy::store::find(tx).await? {
        Some((policy, _)) => policy::admit_address(&policy, "/email", email),
        None => Ok(()),
    }
}

/// Stores a user without a password. Where addresses need not be verified, the tenant becomes the default home of an
/// address that has none; nothing shows whether it had one.
pub(crate) async fn insert(
    tx: &mut TenantTx,
    app: &AppState,
    email: &Email,
    name: Option<&str>,
) -> Result<UserId, Problem> {
    admit(tx, email).await?;
    let id: UserId = app.core.sources.id();
    store::insert(tx, id, email, name, app.core.sources.now()).await?;
    if !app.config.registration.needs_verified_email() {
        users::store::claim_home(tx, email, id).await?;
    }
    Ok(id)
}
