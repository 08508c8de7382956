//! Sealed cursors: opaque to the client, bound to the tenant and the list they came from.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use crate::{PlatformSecret, Rng, TenantId};

/// The cursor was not made by this list for this tenant.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the cursor does not belong to this list")]
pub struct InvalidCursor;

/// Seals and opens cursors with AES-256-GCM. The tenant and the list's name (with its filters) are the additional
/// data: a cursor of another tenant or another list does not open.
#[derive(Clone)]
pub struct CursorSealer {
    key: std::sync::Arc<LessSafeKey>,
    rng: Rng,
}

impl CursorSealer {
    /// A sealer for all lists of an installation.
    ///
    /// # Panics
    /// Never: the derived key has the length that AES-256 wants.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the key has 32 bytes by its type")]
    pub fn new(secret: &PlatformSecret, rng: Rng) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &secret.derive("cursor")).expect("32 bytes");
        Self {
            key: std::sync::Arc::new(LessSafeKey::new(key)),
            rng,
        }
    }

    /// Seals the position behind which the next page starts.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "positions are plain structs of ids and instants"
    )]
    pub fn seal<T: Serialize>(&self, tenant: TenantId, list: &str, position: &T) -> String {
        let mut sealed = serde_json::to_vec(position).expect("a position serialises");
        let nonce = self.rng.bytes::<NONCE_LEN>();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound_to(tenant, list)),
                &mut sealed,
            )
            .expect("a position is far below the limit of AES-GCM");
        URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())
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
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or(InvalidCursor)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| InvalidCursor)?;
        let mut sealed = sealed.to_vec();
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(bound_to(tenant, list)), &mut sealed)
            .map_err(|_| InvalidCursor)?;
        serde_json::from_slice(plain).map_err(|_| InvalidCursor)
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
