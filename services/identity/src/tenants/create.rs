use axum::{extract::State, response::Response};
use bz_auth::Caller;
use bz_http::{Created, Errors, IdempotencyKey, Json, Problem, Validate};
use bz_kernel::TenantId;
use bz_tenant::{OnConstraint, TenantScope, TenantTx};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Tenant, store};
use crate::{
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    guests::{self, home_of},
    origin::Origin,
    problems::{email_not_verified, registration_disabled},
    registration::{RegistrationPolicy, check_name},
    users::store::{self as users, Account},
};

/// The most tenants that one person works in, so that nobody fills the installation with them.
const MOST_TENANTS: i32 = 100;
const OWNER: &str = "owner";

/// A tenant to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTenant {
    /// Its name for people; its slug is made from it.
    #[schema(example = "Analytical Engines", max_length = 120)]
    name: String,
}

impl Validate for CreateTenant {
    fn validate(&self, errors: &mut Errors) {
        check_name("/name", &self.name, errors);
    }
}

/// Make another tenant. The caller becomes its owner, as a guest: the password stays where it is.
///
/// With an `Idempotency-Key` the same request may be sent again. `POST /auth/switch-tenant` gives tokens for the tenant.
#[utoipa::path(
    post, path = "/api/tenants", tag = "tenants",
    params(IdempotencyKey),
    request_body = CreateTenant,
    responses(
        (status = 201, description = "The tenant", body = Tenant, headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "The caller has too many", body = bz_http::ProblemDocument,
            content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(crate) async fn create_tenant(
    State(app): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    origin: Origin,
    Json(request): Json<CreateTenant>,
) -> Result<Response, Problem> {
    caller.refuse_impersonation()?;
    may_create(&app, &caller).await?;
    let scope = TenantScope::new(tenant_id(&app, &caller, &key), Some(caller.user));
    let name = request.name.trim();
    let mut tx = app.core.db.tenant(&scope).await?;
    let before = store::find_own(&mut tx).await?;
    let replayed = before.is_some();
    let value = match before {
        Some(made) if made.name == name => made,
        Some(_) => return Err(Problem::idempotency_key_reused()),
        None => {
            let made = create(&mut tx, &app, &caller, name, &origin).await?;
            tx.commit().await?;
            app.wake();
            made
        }
    };
    Ok(Created { value, replayed }.into_response_with(|tenant| tenant.version))
}

/// Goes on if the caller is somebody at home and has room for another tenant.
async fn may_create(app: &AppState, caller: &Caller) -> Result<(), Problem> {
    let policy = app.config.registration;
    if policy == RegistrationPolicy::Disabled {
        return Err(registration_disabled());
    }
    let account = {
        let mut tx = app.core.db.read(&caller.scope).await?;
        users::find(&mut tx, caller.user).await?
    };
    let account = account
        .filter(Account::is_active)
        .ok_or_else(Problem::forbidden)?;
    if policy.needs_verified_email() && account.email_verified_at.is_none() {
        return Err(email_not_verified());
    }
    let mut tx = app.core.db.system().await?;
    let home = home_of(caller);
    let places =
        guests::store::tenants_of_person(&mut tx, home, caller.user, None, MOST_TENANTS).await?;
    if i32::try_from(places.len()).is_ok_and(|n| n < MOST_TENANTS) {
        Ok(())
    } else {
        let detail = format!("Nobody works in more than {MOST_TENANTS} tenants.");
        Err(Problem::conflict("too_many_tenants", detail))
    }
}

/// The id of the tenant to make. The same key of the same person means the same tenant, so that nothing else needs to be
/// remembered: what a key made before is found under the id.
#[expect(clippy::disallowed_methods, reason = "a tenant that is made here")]
fn tenant_id(app: &AppState, caller: &Caller, key: &IdempotencyKey) -> TenantId {
    let sources = &app.core.sources;
    let Some(key) = key.as_deref() else {
        return TenantId::trusted(sources.id::<Uuid>());
    };
    let message = [caller.user.as_uuid().as_bytes(), key.as_bytes()].concat();
    let digest: [u8; 32] = app.core.secret.hmac("tenant-of-idempotency-key", &message);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    TenantId::trusted(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

async fn create(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    name: &str,
    origin: &Origin,
) -> Result<Tenant, Problem> {
    let (sources, now) = (&app.core.sources, app.core.sources.now());
    let inserted = store::insert(tx, name, &sources.rng, now).await;
    // The same request is at work, or the tenant that the key made was deleted.
    inserted.on_constraint("tenants_pkey", Problem::idempotency_in_progress)?;
    if !guests::store::add_guest(tx, home_of(caller), caller.user, now).await? {
        return Err(Problem::forbidden());
    }
    users::join(tx, caller.user, OWNER, now).await?;
    let tenant = store::find_own(tx).await?.ok_or_else(Problem::not_found)?;
    let id = tenant.id.as_uuid();
    let created = Change {
        actor: Actor::of(caller),
        kind: "tenant.created",
        target: ("tenant", id),
        data: json!({ "tenant_id": id }),
        changes: json!({ "slug": tenant.slug, "name": tenant.name }),
        origin,
    };
    changes::record(tx, sources, created).await?;
    Ok(tenant)
}
