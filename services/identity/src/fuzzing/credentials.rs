//! Opaque credentials and cursors. Of each there is one spelling: what is read is written the same again, so that nobody has
//! two keys where the audit log sees one.

use bz_kernel::{CursorSealer, ExposeSecret, Rng};
use serde_json::Value;

use super::{platform_secret, tenant};
use crate::{api_keys::text, credential::Credential, sessions::token::RefreshToken};

const PREFIX: &str = "x1.";
const ENVIRONMENT: &str = "live";

/// Credentials of one row: one-time tokens, codes, challenges, secrets of service accounts.
pub fn credential(data: &[u8]) {
    let read = |text: &str| Credential::parse(PREFIX, text);
    let write = |credential: &Credential| credential.expose(PREFIX).expose_secret().to_owned();
    one_spelling(data, read, write);
    if let Some(bytes) = data.first_chunk::<64>() {
        let (head, secret) = bytes.split_at(32);
        let made = made_of(head, secret);
        one_spelling(made.as_bytes(), read, write);
        assert!(read(&made).is_some(), "{made}");
    }
}

/// Refresh tokens.
pub fn refresh_token(data: &[u8]) {
    let write = |token: &RefreshToken| token.expose().expose_secret().to_owned();
    one_spelling(data, RefreshToken::parse, write);
    let read = std::str::from_utf8(data).ok().and_then(RefreshToken::parse);
    if let Some(token) = read {
        let next = token.successor(&platform_secret());
        assert!(next.generation > token.generation || token.generation == i32::MAX);
        assert!(token.matches(&token.secret_hash()) && !token.matches(&next.secret_hash()));
    }
}

/// API keys.
pub fn api_key(data: &[u8]) {
    let read = |key: &str| text::parse(key, ENVIRONMENT);
    let write = |key: &Credential| text::expose(key, ENVIRONMENT).expose_secret().to_owned();
    one_spelling(data, read, write);
    if let Some(bytes) = data.first_chunk::<64>() {
        let (head, secret) = bytes.split_at(32);
        let Some(made) = Credential::parse(PREFIX, &made_of(head, secret)) else {
            panic!("64 bytes are a credential");
        };
        let made = write(&made);
        assert!(read(&made).is_some(), "{made}");
        assert!(text::parse(&made, "dev").is_none(), "{made}");
    }
}

/// Cursors: a stranger makes none, and ours open for the list and the tenant that they were made for.
pub fn cursor(data: &[u8]) {
    let sealer = CursorSealer::new(&platform_secret(), Rng::seeded(1));
    let text = String::from_utf8_lossy(data);
    let opened = sealer.open::<Value>(tenant(1), "leads", &text);
    assert!(opened.is_err(), "a stranger made {text:?}");
    let position = (data.len(), text.as_ref());
    let made = sealer.seal(tenant(1), "leads", &position);
    let open = |of, list: &str, cursor: &str| sealer.open::<(usize, String)>(of, list, cursor);
    let opened = open(tenant(1), "leads", &made);
    assert_eq!(
        opened.as_ref().map(|(n, text)| (*n, text.as_str())),
        Ok(position)
    );
    assert!(open(tenant(2), "leads", &made).is_err());
    assert!(open(tenant(1), &format!("leads{text}."), &made).is_err());
    let at = data
        .first()
        .map_or(0, |byte| usize::from(*byte) % made.len());
    let mut changed = made.into_bytes();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8_lossy(&changed);
    assert!(open(tenant(1), "leads", &changed).is_err(), "{changed}");
}

fn one_spelling<T>(data: &[u8], read: impl Fn(&str) -> Option<T>, write: impl Fn(&T) -> String) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(credential) = read(text)
    {
        assert_eq!(write(&credential), text, "two spellings");
    }
}

fn made_of(head: &[u8], secret: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let (head, secret) = (URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(secret));
    format!("{PREFIX}{head}.{secret}")
}
