//! The one secret of an installation and the keys derived from it.

use aws_lc_rs::{hkdf, hmac};
use secrecy::{ExposeSecret, SecretString};

/// The fewest bytes that a platform secret must have.
pub const MIN_SECRET_BYTES: usize = 32;

/// The secret that all services of an installation share. Keys for each purpose are derived from it by HKDF-SHA256
/// (RFC 5869), so that no two purposes share a key and no further secret has to be handed out.
#[derive(Clone)]
pub struct PlatformSecret(SecretString);

/// The secret is too short to be one.
#[derive(Debug, thiserror::Error)]
#[error("must have at least {MIN_SECRET_BYTES} bytes")]
pub struct SecretTooShort;

impl PlatformSecret {
    /// Accepts a secret that is long enough.
    ///
    /// # Errors
    /// [`SecretTooShort`] under [`MIN_SECRET_BYTES`].
    pub fn new(secret: SecretString) -> Result<Self, SecretTooShort> {
        if secret.expose_secret().len() < MIN_SECRET_BYTES {
            Err(SecretTooShort)
        } else {
            Ok(Self(secret))
        }
    }

    /// The 256-bit key for one purpose, for example `"cursor"` or `"service-client/analytics"`.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut key = [0; 32];
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"bizosaas/v1");
        let info = [purpose.as_bytes()];
        let filled = salt
            .extract(self.0.expose_secret().as_bytes())
            .expand(&info, hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut key));
        debug_assert!(
            filled.is_ok(),
            "32 bytes are below the limit of HKDF-SHA256 (255 * 32)"
        );
        key
    }

    /// HMAC-SHA256 of `message` with the key of one purpose.
    #[must_use]
    pub fn hmac(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        let tag = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, &self.derive(purpose)),
            message,
        );
        let mut out = [0; 32];
        out.copy_from_slice(tag.as_ref());
        out
    }
}

impl std::fmt::Debug for PlatformSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlatformSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_has_its_own_key_and_short_secrets_are_refused() {
        let secret = PlatformSecret::new("x".repeat(32).into()).unwrap();
        assert_eq!(secret.derive("a"), secret.derive("a"));
        assert_ne!(secret.derive("a"), secret.derive("b"));
        assert_ne!(secret.derive("a"), [0; 32]);
        assert!(PlatformSecret::new("x".repeat(31).into()).is_err());
    }
}
