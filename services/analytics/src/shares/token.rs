//! The secret part of a link: tenant, link and end, sealed. What nobody here sealed opens nothing and costs no look into the
//! database.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_kernel::{Sealer, TenantId};
use bz_service::Core;
use bz_tenant::TenantScope;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Share, ShareId};

/// What the sealed bytes are bound to: a token of another kind does not open.
const BOUND_TO: &[u8] = b"analytics/shared/1";

fn sealer(core: &Core) -> Sealer {
    Sealer::new(
        &core.secret,
        "analytics/shared-dashboards",
        core.sources.rng.clone(),
    )
}

/// The link with its addresses.
pub(super) fn addressed(core: &Core, tenant: TenantId, share: Share) -> Share {
    let end = share.expires_at.timestamp().to_be_bytes();
    let plain = [
        &tenant.as_uuid().as_bytes()[..],
        &share.id.as_uuid().as_bytes()[..],
        &end[..],
    ]
    .concat();
    let token = URL_SAFE_NO_PAD.encode(sealer(core).seal(BOUND_TO, &plain));
    Share {
        path: format!("/shared/{token}"),
        api_path: format!("/api/shared/{token}"),
        ..share
    }
}

/// Whose link it is, which, and when it ends.
pub(super) struct Opened {
    pub(super) scope: TenantScope,
    pub(super) id: ShareId,
    pub(super) expires_at: DateTime<Utc>,
}

/// Opens a token; nothing for what was not sealed here.
#[expect(
    clippy::disallowed_methods,
    reason = "the tenant of a token that this service sealed"
)]
pub(super) fn open(core: &Core, token: &str) -> Option<Opened> {
    let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
    let plain = sealer(core).open(BOUND_TO, &sealed).ok()?;
    let (tenant, rest) = plain.split_at_checked(16)?;
    let (id, end) = rest.split_at_checked(16)?;
    let end = i64::from_be_bytes(end.try_into().ok()?);
    Some(Opened {
        scope: TenantScope::new(TenantId::trusted(Uuid::from_slice(tenant).ok()?), None),
        id: Uuid::from_slice(id).ok()?.into(),
        expires_at: DateTime::from_timestamp(end, 0)?,
    })
}
