//! Refresh tokens: `rt1.<base64url(tenant ‖ session ‖ generation)>.<base64url(secret)>`.
//!
//! The tenant stands in the token, so that the tenant's context is set before the first query. The next secret is
//! derived from the one presented and a key that is not in the database: the same question always has the same answer,
//! which makes a repeated refresh harmless, and a copy of the database answers nothing.

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_kernel::{PlatformSecret, Rng, SecretString, SessionId, TenantId};
use uuid::Uuid;

const PREFIX: &str = "rt1.";
const HEAD_BYTES: usize = 16 + 16 + 4;
const SECRET_BYTES: usize = 32;
/// Length of every refresh token: 4 + 48 + 1 + 43.
const TOKEN_BYTES: usize = 96;

/// A refresh token in its parts.
#[derive(Clone)]
pub(crate) struct RefreshToken {
    /// The tenant of the session. Nobody has vouched for it until the secret was compared.
    pub(crate) tenant: TenantId,
    /// The session.
    pub(crate) session: SessionId,
    /// How many times the session's token was rotated, from 1.
    pub(crate) generation: i32,
    secret: [u8; SECRET_BYTES],
}

impl RefreshToken {
    /// The first token of a session.
    pub(crate) fn first(tenant: TenantId, session: SessionId, rng: &Rng) -> Self {
        Self {
            tenant,
            session,
            generation: 1,
            secret: rng.bytes(),
        }
    }

    /// Reads a token; `None` for what cannot be one.
    #[expect(
        clippy::disallowed_methods,
        reason = "chooses the tenant whose session is read; nothing of it is used before the secret was compared"
    )]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() != TOKEN_BYTES {
            return None;
        }
        let (head, secret) = text.strip_prefix(PREFIX)?.split_once('.')?;
        let head: [u8; HEAD_BYTES] = URL_SAFE_NO_PAD.decode(head).ok()?.try_into().ok()?;
        let (tenant, rest) = head.split_first_chunk::<16>()?;
        let (session, generation) = rest.split_first_chunk::<16>()?;
        let generation = i32::from_be_bytes(generation.try_into().ok()?);
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        (generation >= 1).then_some(Self {
            tenant: TenantId::trusted(Uuid::from_bytes(*tenant)),
            session: SessionId::from_uuid(Uuid::from_bytes(*session)),
            generation,
            secret,
        })
    }

    /// The token as the client keeps it.
    pub(crate) fn expose(&self) -> SecretString {
        let mut head = [0; HEAD_BYTES];
        head[..16].copy_from_slice(self.tenant.as_uuid().as_bytes());
        head[16..32].copy_from_slice(self.session.as_uuid().as_bytes());
        head[32..].copy_from_slice(&self.generation.to_be_bytes());
        format!(
            "{PREFIX}{}.{}",
            URL_SAFE_NO_PAD.encode(head),
            URL_SAFE_NO_PAD.encode(self.secret)
        )
        .into()
    }

    /// What the database keeps. The secret has 256 random bits, so that a plain hash is enough (OWASP ASVS 6.5.2).
    pub(crate) fn secret_hash(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, &self.secret)
            .as_ref()
            .to_vec()
    }

    /// Whether this is the token that the hash was kept of.
    pub(crate) fn matches(&self, secret_hash: &[u8]) -> bool {
        verify_slices_are_equal(&self.secret_hash(), secret_hash).is_ok()
    }

    /// The one successor of this token.
    pub(crate) fn successor(&self, platform: &PlatformSecret) -> Self {
        let generation = self.generation.saturating_add(1);
        let message = [
            &self.secret[..],
            self.session.as_uuid().as_bytes(),
            &generation.to_be_bytes(),
        ]
        .concat();
        Self {
            generation,
            secret: platform.hmac("refresh-token-successor", &message),
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use bz_kernel::ExposeSecret;

    use super::*;

    fn token() -> RefreshToken {
        #[expect(clippy::disallowed_methods, reason = "a test names its tenant")]
        let tenant = TenantId::trusted(Uuid::from_u128(7));
        RefreshToken::first(
            tenant,
            SessionId::from_uuid(Uuid::from_u128(9)),
            &Rng::seeded(1),
        )
    }

    fn platform(c: &str) -> PlatformSecret {
        PlatformSecret::new(c.repeat(32).into()).unwrap()
    }

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let text = token().expose();
        assert_eq!(text.expose_secret().len(), TOKEN_BYTES);
        let read = RefreshToken::parse(text.expose_secret()).unwrap();
        assert_eq!(
            (read.tenant, read.session, read.generation),
            (token().tenant, token().session, 1)
        );
        assert!(read.matches(&token().secret_hash()));
        assert!(!read.matches(&[0; 32]));
        assert!(!read.matches(&[]));
    }

    #[test]
    fn the_successor_is_always_the_same_and_needs_the_platform_secret() {
        let (mine, other) = (platform("a"), platform("b"));
        let successor = token().successor(&mine);
        assert_eq!(successor.generation, 2);
        assert!(successor.matches(&token().successor(&mine).secret_hash()));
        assert!(!successor.matches(&token().successor(&other).secret_hash()));
        assert!(!successor.matches(&token().secret_hash()));
    }

    #[test]
    fn what_is_not_a_token_is_refused_without_a_question_to_the_database() {
        let good = token().expose().expose_secret().to_owned();
        let zero = format!(
            "rt1.{}.{}",
            URL_SAFE_NO_PAD.encode([0; HEAD_BYTES]),
            URL_SAFE_NO_PAD.encode([0; 32])
        );
        let table = [
            "",
            "rt1..",
            &good[1..],
            &good[..95],
            &format!("{good}="),
            &good.replacen("rt1", "rt2", 1),
            &good.replacen("rt1.", "rt1!", 1),
            &"x".repeat(96),
            &zero,
        ];
        for text in table {
            assert!(RefreshToken::parse(text).is_none(), "{text}");
        }
    }
}
