//! Codes: those of an authenticator app and those on paper.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bz_kernel::{PlatformSecret, Rng};
use chrono::{DateTime, Utc};
use totp_rs::{Builder, Totp, TotpError};

/// Bytes of an app's secret (RFC 4226 section 4 recommends 160 bits).
const SECRET_BYTES: usize = 20;
/// Recovery codes that a user gets at once.
pub(super) const RECOVERY_CODES: usize = 10;
/// Letters of a recovery code: Crockford's base 32 has no I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const RECOVERY_CODE_LETTERS: usize = 16;

/// A new app's secret.
pub(crate) fn new_secret(rng: &Rng) -> [u8; SECRET_BYTES] {
    rng.bytes()
}

/// The codes of an app with this secret: six digits of SHA-1 every 30 seconds, which is what every app can do. One step
/// before and after is accepted.
///
/// # Errors
/// When the secret is too short, or a name has a colon.
pub(super) fn totp(secret: &[u8], issuer: &str, account: &str) -> Result<Totp, TotpError> {
    Builder::new()
        .with_secret(secret.to_vec())
        .with_issuer(Some(issuer.replace(':', " ")))
        .with_account_name(account.replace(':', " "))
        .build()
}

/// The step that the code belongs to, if it is one of the three that are accepted now.
pub(super) fn matching_step(totp: &Totp, code: &str, now: DateTime<Utc>) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let seconds = u64::try_from(now.timestamp()).ok()?;
    let step = seconds / totp.step();
    // All three are compared, in constant time each.
    let found = [step.saturating_sub(1), step, step + 1].map(|step| {
        let expected = totp.generate(step * totp.step()).to_string();
        verify_slices_are_equal(expected.as_bytes(), code.as_bytes())
            .is_ok()
            .then_some(step)
    });
    found
        .into_iter()
        .flatten()
        .next_back()
        .and_then(|step| i64::try_from(step).ok())
}

/// A set of recovery codes as the user keeps them: `xxxx-xxxx-xxxx-xxxx`.
pub(super) fn new_recovery_codes(rng: &Rng) -> Vec<String> {
    (0..RECOVERY_CODES).map(|_| recovery_code(rng)).collect()
}

fn recovery_code(rng: &Rng) -> String {
    let letters = rng
        .bytes::<RECOVERY_CODE_LETTERS>()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    groups.join("-")
}

/// What the database keeps of a recovery code, however it was typed.
pub(super) fn recovery_mac(platform: &PlatformSecret, code: &str) -> Vec<u8> {
    let normal: String = code
        .chars()
        .filter(|c| c.is_alphanumeric())
        .map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        })
        .collect();
    platform.hmac("recovery-code", normal.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> Totp {
        totp(b"12345678901234567890", "BizOSaaS", "ada@example.com").unwrap()
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // RFC 6238 appendix B, the last six digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            assert_eq!(
                matching_step(&app(), code, now),
                Some(seconds / 30),
                "{seconds}"
            );
        }
    }

    #[test]
    fn one_step_of_drift_is_accepted_and_no_more() {
        let at = |seconds: i64| DateTime::from_timestamp(1_234_567_890 + seconds, 0).unwrap();
        let accepted = |seconds| matching_step(&app(), "005924", at(seconds)).is_some();
        assert!(accepted(-30) && accepted(0) && accepted(30) && accepted(59));
        assert!(!accepted(-31) && !accepted(60));
        for wrong in ["", "5924", "0059244", "00592x", "٠٠٥٩٢٤"] {
            assert_eq!(matching_step(&app(), wrong, at(0)), None, "{wrong}");
        }
        assert!(matching_step(&app(), "005 924", at(0)).is_some());
    }

    #[test]
    fn a_recovery_code_is_recognised_however_it_is_typed() {
        let platform = PlatformSecret::new("x".repeat(32).into()).unwrap();
        let codes = new_recovery_codes(&Rng::seeded(3));
        let distinct: std::collections::HashSet<_> = codes.iter().collect();
        assert_eq!(distinct.len(), RECOVERY_CODES);
        let code = &codes[0];
        assert_eq!(code.len(), 19);
        let typed = code
            .replace('-', " ")
            .to_uppercase()
            .replace('0', "O")
            .replace('1', "l");
        assert_eq!(
            recovery_mac(&platform, code),
            recovery_mac(&platform, &typed)
        );
        assert_ne!(
            recovery_mac(&platform, code),
            recovery_mac(&platform, &codes[1])
        );
    }

    #[test]
    fn the_address_for_apps_names_issuer_and_account() {
        let url = app().to_url().unwrap();
        assert!(
            url.starts_with("otpauth://totp/BizOSaaS:ada%40example.com?secret=GEZDGNBV"),
            "{url}"
        );
    }
}
