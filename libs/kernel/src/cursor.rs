//! Sealed cursors: opaque to the client, bound to the tenant and the list they came from.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use crate::{PlatformSecret, Rng, Sealer, TenantId};

/// The cursor was not made by this list for this tenant.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the cursor does not belong to this list")]
pub struct InvalidCursor;

/// Seals and opens cursors. The tenant and the list's name (with its filters) are what they are bound to: a cursor of
/// another tenant or another list does not open.
#[derive(Clone)]
pub struct CursorSealer(Sealer);

impl CursorSealer {
    /// A sealer for all lists of an installation.
    #[must_use]
    pub fn new(secret: &PlatformSecret, rng: Rng) -> Self {
        Self(Sealer::new(secret, "cursor", rng))
    }

    /// Seals the position behind which the next page starts.
    ///
    /// # Panics
    /// Never: positions are plain structs of ids and instants.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "positions are plain structs of ids and instants"
    )]
    pub fn seal<T: Serialize>(&self, tenant: TenantId, list: &str, position: &T) -> String {
        let plain = serde_json::to_vec(position).expect("a position serialises");
        URL_SAFE_NO_PAD.encode(self.0.seal(&bound_to(tenant, list), &plain))
    }

    /// Opens a cursor that this list gave to this tenant.
    ///
    /// # Errors
    /// [`InvalidCursor`] for anything else.
    pub fn open<T: DeserializeOwned>(
        &self,
        tenant: TenantId,
        list: &str,
        cursor: &str,
    ) -> Result<T, InvalidCursor> {
        let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
        let plain = self
            .0
            .open(&bound_to(tenant, list), &sealed)
            .map_err(|_| InvalidCursor)?;
        serde_json::from_slice(&plain).map_err(|_| InvalidCursor)
    }
}

fn bound_to(tenant: TenantId, list: &str) -> Vec<u8> {
    [tenant.as_uuid().as_bytes(), list.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> CursorSealer {
        CursorSealer::new(
            &PlatformSecret::new("s".repeat(32).into()).unwrap(),
            Rng::seeded(1),
        )
    }

    #[expect(clippy::disallowed_methods, reason = "a test names its tenants")]
    fn tenant(n: u128) -> TenantId {
        TenantId::trusted(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn a_cursor_opens_only_for_its_tenant_and_its_list() {
        let sealer = sealer();
        let cursor = sealer.seal(tenant(1), "leads", &(17, "x"));
        assert_eq!(
            sealer.open(tenant(1), "leads", &cursor),
            Ok((17, "x".to_owned()))
        );
        assert_eq!(
            sealer.open::<(i32, String)>(tenant(2), "leads", &cursor),
            Err(InvalidCursor)
        );
        assert_eq!(
            sealer.open::<(i32, String)>(tenant(1), "todos", &cursor),
            Err(InvalidCursor)
        );
    }

    #[test]
    fn garbage_is_an_invalid_cursor() {
        for garbage in ["", "x", "%%%", "AAAA", &"A".repeat(4000)] {
            assert_eq!(
                sealer().open::<i32>(tenant(1), "leads", garbage),
                Err(InvalidCursor)
            );
        }
    }
}
