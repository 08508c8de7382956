//! API keys as text: `ak_<environment>_<base64url(tenant ‖ id)>_<base64url(secret)><crc>`.
//!
//! The prefix is what scanners for leaked secrets look for; the checksum tells a key from what only looks like one, and
//! a mistyped one from a wrong one, without a question to the database.

use bz_kernel::{ExposeSecret, SecretString};

use crate::credential::Credential;

/// base64url of 32 bytes.
const PART: usize = 43;
/// CRC-32 in hexadecimal.
const CHECKSUM: usize = 8;

/// Writes a key.
pub(crate) fn expose(credential: &Credential, environment: &str) -> SecretString {
    let text = credential.expose(&prefix(environment));
    // The two parts may have underscores of their own, so that they are told apart by their length.
    let text = text.expose_secret().replacen('.', "_", 1);
    let checksum = crc32fast::hash(text.as_bytes());
    format!("{text}{checksum:08x}").into()
}

/// Reads a key; `None` for what cannot be one, or is one of another environment.
pub(crate) fn parse(text: &str, environment: &str) -> Option<Credential> {
    let prefix = prefix(environment);
    if !text.is_ascii() || text.len() != prefix.len() + PART + 1 + PART + CHECKSUM {
        return None;
    }
    let (body, checksum) = text.split_at(text.len() - CHECKSUM);
    let expected = format!("{:08x}", crc32fast::hash(body.as_bytes()));
    if checksum != expected {
        return None;
    }
    let (head, secret) = body.split_at(prefix.len() + PART);
    let secret = secret.strip_prefix('_')?;
    Credential::parse(&prefix, &format!("{head}.{secret}"))
}

fn prefix(environment: &str) -> String {
    format!("ak_{environment}_")
}

#[cfg(test)]
mod tests {
    use bz_kernel::{Rng, TenantId};
    use uuid::Uuid;

    use super::*;

    fn credential(seed: u64) -> Credential {
        #[expect(clippy::disallowed_methods, reason = "a test names its tenant")]
        let tenant = TenantId::trusted(Uuid::from_u128(7));
        Credential::new(tenant, Uuid::from_u128(9), &Rng::seeded(seed))
    }

    #[test]
    fn a_key_is_read_as_it_was_written() {
        for seed in 0..200 {
            let text = expose(&credential(seed), "live");
            let text = text.expose_secret();
            assert!(text.starts_with("ak_live_") && text.len() == 103, "{text}");
            let read = parse(text, "live").unwrap();
            assert_eq!(
                (read.tenant, read.id),
                (credential(seed).tenant, credential(seed).id)
            );
            assert!(read.matches(&credential(seed).secret_hash()));
            assert!(parse(text, "dev").is_none());
        }
    }

    #[test]
    fn a_mistyped_key_is_known_without_the_database() {
        let good = expose(&credential(1), "live").expose_secret().to_owned();
        for at in 0..good.len() {
            let mut wrong = good.clone().into_bytes();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert!(parse(&wrong, "live").is_none(), "{wrong}");
        }
        for wrong in ["", "ak_live_", &good[1..], &good[..102], "ak_live_é"] {
            assert!(parse(wrong, "live").is_none(), "{wrong}");
        }
    }
}
