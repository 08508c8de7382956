use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, IfMatch, Json, Path, Problem, Validate, Versioned};
use bz_tenant::{DbError, TenantTx};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Tenant, TenantManage, own, slug, store};
use crate::{
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    origin::Origin,
    registration::check_name,
};

/// What to change. A missing field stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchTenant {
    /// Its name for people.
    #[schema(example = "Acme", max_length = 120)]
    name: Option<String>,
    /// Its name in addresses and at login: 2 to 48 lower-case letters, digits and hyphens.
    #[schema(example = "acme", max_length = 48)]
    slug: Option<String>,
}

impl Validate for PatchTenant {
    fn validate(&self, errors: &mut Errors) {
        if let Some(name) = &self.name {
            check_name("/name", name, errors);
        }
        if self
            .slug
            .as_ref()
            .is_some_and(|slug| !slug::is_allowed(slug))
        {
            let message = "must be 2 to 48 lower-case letters, digits and hyphens, and none of the platform's names";
            errors.add("/slug", "invalid_slug", message);
        }
    }
}

/// Change the tenant's name or its slug.
///
/// The slugs it had before still name it, at login and for nobody else: addresses that people keep go on working.
#[utoipa::path(
    patch, path = "/api/tenants/{id}", tag = "tenants",
    security(("bearer" = ["tenant:manage"])),
    params(("id" = Uuid, Path, description = "The tenant's id"), IfMatch),
    request_body = PatchTenant,
    responses(
        (status = 200, description = "The tenant as it is now", body = Tenant,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(crate) async fn patch_tenant(
    State(app): State<AppState>,
    caller: Can<TenantManage>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    origin: Origin,
    Json(patch): Json<PatchTenant>,
) -> Result<Versioned<Tenant>, Problem> {
    own(&caller, id)?;
    let sources = &app.core.sources;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    store::lock(&mut tx).await?;
    let before = store::find_own(&mut tx)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(before.version)?;
    let name = patch
        .name
        .map_or(before.name.clone(), |name| name.trim().to_owned());
    let slug = patch.slug.unwrap_or_else(|| before.slug.clone());
    if slug != before.slug {
        take_slug(&mut tx, &slug).await?;
    }
    store::rename(&mut tx, &name, &slug, sources.now()).await?;
    let after = store::find_own(&mut tx)
        .await?
        .ok_or_else(Problem::not_found)?;
    let change = Change {
        actor: Actor::of(&caller),
        kind: "tenant.updated",
        target: ("tenant", id),
        data: json!({ "tenant_id": id, "version": after.version }),
        changes: json!({ "name": [before.name, after.name], "slug": [before.slug, after.slug] }),
        origin: &origin,
    };
    changes::record(&mut tx, sources, change).await?;
    tx.commit().await?;
    app.wake();
    Ok(Versioned(after.version, after))
}

/// The most slugs that one tenant holds, with those it had before.
const MOST_SLUGS: i64 = 10;

/// Takes a slug that is free, or that the tenant had before.
async fn take_slug(tx: &mut TenantTx, slug: &str) -> Result<(), Problem> {
    if store::holds_slug(tx, slug).await? {
        return Ok(());
    }
    if store::slugs_held(tx).await? >= MOST_SLUGS {
        let detail = "The tenant has had too many slugs; choose one of them.";
        return Err(Problem::conflict("too_many_slugs", detail));
    }
    let claimed: Result<bool, DbError> = store::claim_slug(tx, slug).await;
    if claimed? {
        Ok(())
    } else {
        Err(Problem::conflict(
            "slug_taken",
            "Another tenant has this slug.",
        ))
    }
}
