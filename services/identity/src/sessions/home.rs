//! Which tenant a login is for.

use bz_http::Problem;
use bz_kernel::TenantId;
use bz_tenant::{Db, DbError};
use http::{HeaderMap, StatusCode, header};
use uuid::Uuid;

use crate::{app::AppState, tenants, users, users::Email};

/// The tenant by the host that was called, else by the slug or id that was sent, else the address's default home.
/// `None` when there is no such tenant, which the caller must not show.
///
/// # Errors
/// 400 when host and body name different tenants.
pub(crate) async fn resolve(
    app: &AppState,
    headers: &HeaderMap,
    wanted: Option<&str>,
    email: &Email,
) -> Result<Option<TenantId>, Problem> {
    match named(app, headers, wanted).await? {
        Some(tenant) => Ok(tenant),
        None => Ok(users::store::home_of(&app.core.db, email).await?),
    }
}

/// The tenant by the host that was called, else by the slug or id that was sent. `None` when neither names one, and
/// `Some(None)` for a name that no tenant has.
///
/// # Errors
/// 400 when host and body name different tenants.
pub(super) async fn named(
    app: &AppState,
    headers: &HeaderMap,
    wanted: Option<&str>,
) -> Result<Option<Option<TenantId>>, Problem> {
    let db = &app.core.db;
    let by_host = match host_slug(app, headers) {
        Some(slug) => Some(tenants::store::find_by_slug(db, slug).await?),
        None => None,
    };
    let by_name = match wanted {
        Some(wanted) => Some(by_slug_or_id(db, wanted).await?),
        None => None,
    };
    match (by_host, by_name) {
        (Some(host), Some(name)) if host != name => Err(mismatch()),
        (by_host, by_name) => Ok(by_host.or(by_name)),
    }
}

/// The slug that the operator gave to the host, if any. Unknown hosts mean nothing: the header is the client's.
pub(super) fn host_slug<'a>(app: &'a AppState, headers: &HeaderMap) -> Option<&'a str> {
    let host = headers
        .get(header::HOST)?
        .to_str()
        .ok()?
        .to_ascii_lowercase();
    let name = host
        .rsplit_once(':')
        .map_or(host.as_str(), |(name, _)| name);
    app.config.tenant_hosts.get(name).map(String::as_str)
}

/// The tenant that a slug or an id names. An id names one whether or not it is there.
#[expect(
    clippy::disallowed_methods,
    reason = "chooses where to look; nobody is let in by it"
)]
pub(crate) async fn by_slug_or_id(db: &Db, named: &str) -> Result<Option<TenantId>, DbError> {
    match named.parse::<Uuid>() {
        Ok(id) => Ok(Some(TenantId::trusted(id))),
        Err(_) => tenants::store::find_by_slug(db, &named.trim().to_lowercase()).await,
    }
}

fn mismatch() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "tenant_mismatch",
        "The host belongs to another tenant",
    )
    .detail("Leave `tenant` out, or call the host of that tenant.")
}
