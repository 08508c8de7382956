//! A client's id and secret, as the client keeps them.

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_kernel::{PlatformSecret, TenantId};
use uuid::Uuid;

use super::OauthClientId;

/// What the ids of clients begin with, in tokens and in the table of sessions too.
pub(crate) const CLIENT_ID_PREFIX: &str = "oc_";
const SECRET_PREFIX: &str = "ocs_";
const PURPOSE: &str = "oauth-client-secret";

/// The id in OAuth: `oc_<base64url(tenant ‖ id)>`. The tenant stands in it, so that its context is set before the first
/// query.
pub(crate) fn client_id(tenant: TenantId, id: OauthClientId) -> String {
    let bytes = [tenant.as_uuid().into_bytes(), id.as_uuid().into_bytes()].concat();
    format!("{CLIENT_ID_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Reads what [`client_id`] wrote; `None` for what cannot be one.
#[expect(
    clippy::disallowed_methods,
    reason = "chooses the tenant whose client is read; a client's id is no secret and lets nobody in"
)]
pub(crate) fn parse_client_id(text: &str) -> Option<(TenantId, OauthClientId)> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text.strip_prefix(CLIENT_ID_PREFIX)?)
        .ok()?;
    let bytes: [u8; 32] = bytes.try_into().ok()?;
    let (tenant, id) = bytes.split_first_chunk::<16>()?;
    let tenant = TenantId::trusted(Uuid::from_bytes(*tenant));
    Some((tenant, Uuid::from_slice(id).ok()?.into()))
}

/// A secret of a client. It is derived and not drawn, so that an answer that was lost can be given again although only a
/// hash is kept; without the platform's secret it is as good as random.
pub(crate) struct ClientSecret([u8; 32]);

impl ClientSecret {
    /// The secret of one generation, counted from 1.
    pub(super) fn derive(platform: &PlatformSecret, id: OauthClientId, generation: i32) -> Self {
        let message = [&id.as_uuid().into_bytes()[..], &generation.to_be_bytes()].concat();
        Self(platform.hmac(PURPOSE, &message))
    }

    /// Reads a secret; `None` for what cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text.strip_prefix(SECRET_PREFIX)?)
            .ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The secret as the client keeps it.
    pub(super) fn expose(&self) -> String {
        format!("{SECRET_PREFIX}{}", URL_SAFE_NO_PAD.encode(self.0))
    }

    /// What the database keeps. The secret has 256 bits, so that a plain hash is enough (OWASP ASVS 6.5.2).
    pub(crate) fn hash(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, &self.0).as_ref().to_vec()
    }

    /// Whether this is the secret that the hash was kept of.
    pub(crate) fn matches(&self, hash: &[u8]) -> bool {
        verify_slices_are_equal(&self.hash(), hash).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_secrets_are_read_as_they_were_written() {
        #[expect(clippy::disallowed_methods, reason = "a test names its tenant")]
        let tenant = TenantId::trusted(Uuid::from_u128(7));
        let id = OauthClientId::from_uuid(Uuid::from_u128(9));
        let text = client_id(tenant, id);
        assert_eq!(parse_client_id(&text), Some((tenant, id)));
        for bad in ["", "oc_", "crm", &text[1..], &text[..text.len() - 1]] {
            assert_eq!(parse_client_id(bad), None, "{bad}");
        }
        let platform = PlatformSecret::new("x".repeat(32).into()).unwrap();
        let secret = ClientSecret::derive(&platform, id, 1);
        let read = ClientSecret::parse(&secret.expose()).unwrap();
        assert!(read.matches(&secret.hash()));
        assert!(!read.matches(&ClientSecret::derive(&platform, id, 2).hash()));
        assert!(ClientSecret::parse("ocs_short").is_none());
    }
}
