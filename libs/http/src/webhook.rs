//! Webhooks in the form of <https://www.standardwebhooks.com>: secrets, signatures, and when a delivery is tried again.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use bz_kernel::{Rng, SecretString};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Header with the message's id, the same for every attempt: the receiver knows by it what it has seen.
pub const ID_HEADER: HeaderName = HeaderName::from_static("webhook-id");
/// Header with the moment of the attempt, in seconds since 1970.
pub const TIMESTAMP_HEADER: HeaderName = HeaderName::from_static("webhook-timestamp");
/// Header with the signatures.
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("webhook-signature");

/// How far the clocks of sender and receiver may differ, and how old a message may be, in seconds.
const TOLERANCE: i64 = 5 * 60;
const PREFIX: &str = "whsec_";
/// The specification asks for 24 to 64 bytes.
const SECRET_BYTES: usize = 32;

/// Pauses before the second attempt and each one after it. The last attempt is some 76 hours after the first.
const PAUSES: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 60 * 60),
    Duration::from_secs(5 * 60 * 60),
    Duration::from_secs(10 * 60 * 60),
    Duration::from_secs(14 * 60 * 60),
    Duration::from_secs(20 * 60 * 60),
    Duration::from_secs(24 * 60 * 60),
];

/// How long to wait after so many attempts (from 1), up to a tenth longer so that receivers are not called by all at
/// once; `None` when it is enough.
#[must_use]
pub fn pause_after(attempts: u32, rng: &Rng) -> Option<Duration> {
    let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let pause = PAUSES.get(index)?;
    Some(pause.mul_f64(1.0 + 0.1 * rng.unit()))
}

/// What sender and receiver share.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

impl WebhookSecret {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &Rng) -> Self {
        Self(rng.bytes::<SECRET_BYTES>().to_vec())
    }

    /// The secret of its bare bytes.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bare bytes, to be sealed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The secret as people hand it on: `whsec_<base64>`.
    #[must_use]
    pub fn expose(&self) -> SecretString {
        format!("{PREFIX}{}", STANDARD.encode(&self.0)).into()
    }

    /// Reads `whsec_<base64>`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (24..=64).contains(&bytes.len()).then_some(Self(bytes))
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

/// The headers of a message, signed with each secret.
#[must_use]
pub fn headers(secrets: &[WebhookSecret], id: &str, timestamp: i64, body: &[u8]) -> HeaderMap {
    let message = message(id, timestamp, body);
    let signature = |secret: &WebhookSecret| {
        let signature = hmac::sign(&secret.key(), &message);
        format!("v1,{}", STANDARD.encode(signature))
    };
    let signatures: Vec<String> = secrets.iter().map(signature).collect();
    let texts = [
        (ID_HEADER, id.to_owned()),
        (TIMESTAMP_HEADER, timestamp.to_string()),
        (SIGNATURE_HEADER, signatures.join(" ")),
    ];
    // Ids, digits and base64 can stand in a header.
    let header =
        |(name, text): (HeaderName, String)| Some((name, HeaderValue::from_str(&text).ok()?));
    texts.into_iter().filter_map(header).collect()
}

/// A message that its headers do not vouch for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature of the webhook does not fit, or is too old")]
pub struct Unsigned;

/// Whether one of the signatures was made with the secret, within five minutes of `now`.
///
/// # Errors
/// [`Unsigned`] for anything else.
pub fn verify(
    secret: &WebhookSecret,
    headers: &HeaderMap,
    body: &[u8],
    now: i64,
) -> Result<(), Unsigned> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let id = text(&ID_HEADER).ok_or(Unsigned)?;
    let timestamp: i64 = text(&TIMESTAMP_HEADER)
        .and_then(|text| text.parse().ok())
        .ok_or(Unsigned)?;
    if now.abs_diff(timestamp) > TOLERANCE.unsigned_abs() {
        return Err(Unsigned);
    }
    let (key, message) = (secret.key(), message(id, timestamp, body));
    let fits = |signature: &str| {
        let signature = signature
            .strip_prefix("v1,")
            .and_then(|text| STANDARD.decode(text).ok());
        signature.is_some_and(|signature| hmac::verify(&key, &message, &signature).is_ok())
    };
    let signatures = text(&SIGNATURE_HEADER).ok_or(Unsigned)?;
    if signatures.split(' ').any(fits) {
        Ok(())
    } else {
        Err(Unsigned)
    }
}

fn message(id: &str, timestamp: i64, body: &[u8]) -> Vec<u8> {
    [format!("{id}.{timestamp}.").as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use bz_kernel::ExposeSecret;

    use super::*;

    #[test]
    fn the_example_of_the_specification_is_signed_as_it_says() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let made = headers(
            &[secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            body,
        );
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(made[SIGNATURE_HEADER], expected);
    }

    /// Pitfall 57: forged, altered, replayed later, signed with another secret.
    #[test]
    fn only_an_unchanged_and_fresh_message_of_a_live_secret_is_accepted() {
        let rng = Rng::seeded(1);
        let (old, new, other) = (
            WebhookSecret::generate(&rng),
            WebhookSecret::generate(&rng),
            WebhookSecret::generate(&rng),
        );
        let signed = headers(&[new.clone(), old.clone()], "e1", 1000, b"{}");
        let ok = |secret: &WebhookSecret, headers: &HeaderMap, body: &[u8], now| {
            verify(secret, headers, body, now).is_ok()
        };
        assert!(ok(&old, &signed, b"{}", 1000) && ok(&new, &signed, b"{}", 1300));
        assert!(!ok(&other, &signed, b"{}", 1000));
        assert!(!ok(&new, &signed, b"{ }", 1000));
        assert!(!ok(&new, &signed, b"{}", 1301) && !ok(&new, &signed, b"{}", 699));
        for (name, value) in [
            (ID_HEADER, "e2"),
            (TIMESTAMP_HEADER, "1001"),
            (SIGNATURE_HEADER, "v1,AAAA"),
        ] {
            let mut forged = signed.clone();
            forged.insert(&name, HeaderValue::from_static(value));
            assert!(!ok(&new, &forged, b"{}", 1000), "{name}");
            forged.remove(&name);
            assert!(!ok(&new, &forged, b"{}", 1000), "{name}");
        }
    }

    #[test]
    fn a_secret_is_read_as_it_is_shown_and_short_ones_are_none() {
        let secret = WebhookSecret::generate(&Rng::seeded(1));
        let shown = secret.expose();
        let read = WebhookSecret::parse(shown.expose_secret()).unwrap();
        assert_eq!(read.as_bytes(), secret.as_bytes());
        for wrong in [
            "",
            "whsec_",
            "whsec_AAAA",
            "sec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_!",
        ] {
            assert!(WebhookSecret::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn attempts_go_on_for_three_days_with_growing_pauses() {
        let rng = Rng::seeded(1);
        let pauses: Vec<Duration> = (1..).map_while(|n| pause_after(n, &rng)).collect();
        assert_eq!(pauses.len(), 9);
        assert!(pauses.is_sorted());
        assert!((5.0..5.5).contains(&pauses[0].as_secs_f64()));
        assert!(pauses.iter().sum::<Duration>() > Duration::from_secs(72 * 60 * 60));
        assert_eq!(pause_after(0, &rng), None);
    }
}
