//! Opaque credentials: `<prefix><base64url(tenant ‖ id)>.<base64url(secret)>`.
//!
//! The tenant stands in the credential, so that the tenant's context is set before the first query. The secret has 256
//! random bits, so that the database keeps a plain SHA-256 of it (OWASP ASVS 6.5.2).

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_kernel::{Rng, SecretString, TenantId};
use uuid::Uuid;

const HEAD_BYTES: usize = 16 + 16;
const SECRET_BYTES: usize = 32;

/// A credential in its parts.
#[derive(Clone)]
pub(crate) struct Credential {
    /// The tenant of its row. Nobody has vouched for it until the secret was compared.
    pub(crate) tenant: TenantId,
    /// The id of its row.
    pub(crate) id: Uuid,
    secret: [u8; SECRET_BYTES],
}

impl Credential {
    /// A new one.
    pub(crate) fn new(tenant: TenantId, id: Uuid, rng: &Rng) -> Self {
        Self {
            tenant,
            id,
            secret: rng.bytes(),
        }
    }

    /// Reads what [`Credential::expose`] wrote with the same prefix; `None` for what cannot be one.
    #[expect(
        clippy::disallowed_methods,
        reason = "chooses the tenant whose row is read; nothing of it is used before the secret was compared"
    )]
    pub(crate) fn parse(prefix: &str, text: &str) -> Option<Self> {
        let (head, secret) = text.strip_prefix(prefix)?.split_once('.')?;
        let head: [u8; HEAD_BYTES] = URL_SAFE_NO_PAD.decode(head).ok()?.try_into().ok()?;
        let (tenant, id) = head.split_first_chunk::<16>()?;
        Some(Self {
            tenant: TenantId::trusted(Uuid::from_bytes(*tenant)),
            id: Uuid::from_slice(id).ok()?,
            secret: URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?,
        })
    }

    /// The credential as its holder keeps it.
    pub(crate) fn expose(&self, prefix: &str) -> SecretString {
        let head = [self.tenant.as_uuid().into_bytes(), self.id.into_bytes()].concat();
        format!(
            "{prefix}{}.{}",
            URL_SAFE_NO_PAD.encode(head),
            URL_SAFE_NO_PAD.encode(self.secret)
        )
        .into()
    }

    /// What the database keeps.
    pub(crate) fn secret_hash(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, &self.secret)
            .as_ref()
            .to_vec()
    }

    /// Whether this is the credential that the hash was kept of.
    pub(crate) fn matches(&self, secret_hash: &[u8]) -> bool {
        verify_slices_are_equal(&self.secret_hash(), secret_hash).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use bz_kernel::ExposeSecret;

    use super::*;

    fn credential() -> Credential {
        #[expect(clippy::disallowed_methods, reason = "a test names its tenant")]
        let tenant = TenantId::trusted(Uuid::from_u128(7));
        Credential::new(tenant, Uuid::from_u128(9), &Rng::seeded(1))
    }

    #[test]
    fn a_credential_is_read_as_it_was_written() {
        let text = credential().expose("x1.");
        let read = Credential::parse("x1.", text.expose_secret()).unwrap();
        assert_eq!(
            (read.tenant, read.id),
            (credential().tenant, credential().id)
        );
        assert!(read.matches(&credential().secret_hash()));
        assert!(!read.matches(&[0; 32]) && !read.matches(&[]));
    }

    #[test]
    fn what_is_not_a_credential_is_refused_without_a_question_to_the_database() {
        let good = credential().expose("x1.").expose_secret().to_owned();
        let table = [
            "",
            "x1.",
            "x1..",
            &good[1..],
            &good[..good.len() - 1],
            &format!("{good}="),
            &format!("{good}A"),
        ];
        for text in table {
            assert!(Credential::parse("x1.", text).is_none(), "{text}");
        }
        assert!(Credential::parse("x2.", &good).is_none());
    }
}
