//! Private keys at rest: sealed, bound to the key's id.

use bz_auth::{IdTokenKey, SigningKey};
use bz_kernel::{PlatformSecret, Rng};

use super::{Algorithm, PrivateKey};

/// The sealed key does not open: another platform secret, or another key's row.
#[derive(Debug, thiserror::Error)]
#[error("the sealed signing key {0} does not open with this platform secret")]
pub(super) struct Unsealable(String);

/// Seals and opens private keys.
pub(super) struct Sealer(bz_kernel::Sealer);

impl Sealer {
    pub(super) fn new(secret: &PlatformSecret, rng: &Rng) -> Self {
        Self(bz_kernel::Sealer::new(secret, "signing-keys", rng.clone()))
    }

    pub(super) fn seal(&self, key: &PrivateKey) -> Vec<u8> {
        self.0.seal(key.kid().as_bytes(), key.pkcs8())
    }

    /// The key that was sealed under this id.
    pub(super) fn open(
        &self,
        algorithm: Algorithm,
        kid: &str,
        sealed: &[u8],
    ) -> Result<PrivateKey, Unsealable> {
        let read = |pkcs8: Vec<u8>| match algorithm {
            Algorithm::EdDsa => SigningKey::from_pkcs8(&pkcs8)
                .map(Box::new)
                .map(PrivateKey::Access),
            Algorithm::Rs256 => IdTokenKey::from_pkcs8(&pkcs8).map(PrivateKey::Id),
        };
        let pkcs8 = self.0.open(kid.as_bytes(), sealed).ok();
        pkcs8
            .and_then(|pkcs8| read(pkcs8).ok())
            .filter(|key| key.kid() == kid)
            .ok_or_else(|| Unsealable(kid.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_under_its_own_id_and_secret_only() {
        let sealer = |c: &str| {
            Sealer::new(
                &PlatformSecret::new(c.repeat(32).into()).unwrap(),
                &Rng::seeded(1),
            )
        };
        let key = PrivateKey::Access(Box::new(SigningKey::generate(&Rng::seeded(2)).unwrap()));
        let ed = Algorithm::EdDsa;
        let sealed = sealer("a").seal(&key);
        assert!(
            !sealed
                .windows(32)
                .any(|window| key.pkcs8().windows(32).any(|plain| plain == window))
        );
        assert_eq!(
            sealer("a").open(ed, key.kid(), &sealed).unwrap().pkcs8(),
            key.pkcs8()
        );
        assert!(sealer("a").open(ed, "another", &sealed).is_err());
        assert!(sealer("b").open(ed, key.kid(), &sealed).is_err());
        assert!(sealer("a").open(ed, key.kid(), &sealed[1..]).is_err());
        assert!(sealer("a").open(ed, key.kid(), &[]).is_err());
        assert!(
            sealer("a")
                .open(Algorithm::Rs256, key.kid(), &sealed)
                .is_err()
        );
    }
}
