//! The stored form of a password (RFC 5803), computed here so that the server never sees the password itself.

use std::num::NonZeroU32;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::{hmac, pbkdf2, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// PostgreSQL's own number of rounds (`scram_iterations`).
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("not zero");

/// `SCRAM-SHA-256$<rounds>:<salt>$<stored key>:<server key>` with a fresh salt. Passwords outside printable ASCII would
/// need SASLprep (RFC 4013) and are refused.
pub(super) fn verifier(password: &str) -> Result<String, sqlx::Error> {
    if password.is_empty() || !password.chars().all(|c| matches!(c, ' '..='~')) {
        return Err(sqlx::Error::Configuration(
            "a database role's password must be printable ASCII".into(),
        ));
    }
    let mut salt = [0; 16];
    rand::fill(&mut salt)
        .map_err(|_| sqlx::Error::Configuration("no randomness for a salt".into()))?;
    Ok(with_salt(password, &salt))
}

/// Whether `stored` is a verifier of `password`.
pub(super) fn is_of(stored: &str, password: &str) -> bool {
    let salt = stored
        .split(['$', ':'])
        .nth(2)
        .and_then(|salt| STANDARD.decode(salt).ok());
    salt.is_some_and(|salt| with_salt(password, &salt) == stored)
}

fn with_salt(password: &str, salt: &[u8]) -> String {
    let mut salted = [0; 32];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        ITERATIONS,
        salt,
        password.as_bytes(),
        &mut salted,
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let stored_key = digest(&SHA256, hmac::sign(&key, b"Client Key").as_ref());
    let server_key = hmac::sign(&key, b"Server Key");
    format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored_key),
        STANDARD.encode(server_key)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_is_of_its_password_only_and_has_a_fresh_salt() {
        let stored = verifier("correct horse").unwrap();
        assert!(is_of(&stored, "correct horse"));
        assert!(!is_of(&stored, "correct hors"));
        assert!(!is_of("md5abc", "correct horse"));
        assert_ne!(stored, verifier("correct horse").unwrap());
        verifier("").unwrap_err();
        verifier("caf\u{e9}").unwrap_err();
    }

    #[test]
    fn the_verifier_is_the_one_that_postgres_makes() {
        // SELECT rolpassword after ALTER ROLE .. PASSWORD 'pencil' on PostgreSQL 18.
        let stored = "SCRAM-SHA-256$4096:h/2Wjxb24LF47wwcE8iktw==$cmefzZSlD0tDvSO4M2JwNh1pX3GXl6HoeWiuA/+7Fig=:YSZtdPo88KNlbH72jQr10NONanm+WVc32MTB4F/QiWo=";
        assert!(is_of(stored, "pencil"));
    }
}
