//! E-mail addresses in their one normalised form.

use icu_normalizer::ComposingNormalizerBorrowed;

/// The longest address that mail can carry (RFC 5321 section 4.5.3.1.3, less the angle brackets).
const MOST_BYTES: usize = 254;
/// The longest part before the `@` (RFC 5321 section 4.5.3.1.1).
const MOST_LOCAL_BYTES: usize = 64;

/// An e-mail address: trimmed, lower case, the domain in its ASCII form (IDNA). Two spellings that reach the same
/// mailbox at any provider are one address; dots and `+tags` are kept, because not all providers ignore them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Email(String);

/// The text is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an e-mail address")]
pub struct InvalidEmail;

impl Email {
    /// Normalises what a person typed.
    ///
    /// # Errors
    /// [`InvalidEmail`], also for addresses with invisible or look-alike characters that normalisation would change.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        if text.len() > MOST_BYTES {
            return Err(InvalidEmail);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let local = local_part(local).ok_or(InvalidEmail)?;
        let domain = domain_part(domain).ok_or(InvalidEmail)?;
        let address = format!("{local}@{domain}");
        if address.len() > MOST_BYTES {
            Err(InvalidEmail)
        } else {
            Ok(Self(address))
        }
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

/// Unquoted local parts only (RFC 5322 `dot-atom`, RFC 6531 for letters outside ASCII).
fn local_part(text: &str) -> Option<String> {
    let local = text.to_lowercase();
    let is_dot_atom = !local.is_empty()
        && local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(is_atext));
    let is_stable = ComposingNormalizerBorrowed::new_nfkc().is_normalized(&local);
    (local.len() <= MOST_LOCAL_BYTES && is_dot_atom && is_stable).then_some(local)
}

fn is_atext(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
    } else {
        c.is_alphanumeric()
    }
}

/// A registrable name: at least two labels, and not an address literal.
fn domain_part(text: &str) -> Option<String> {
    let domain = idna::domain_to_ascii_strict(text).ok()?;
    let (_, top) = domain.rsplit_once('.')?;
    top.chars()
        .any(|c| c.is_ascii_alphabetic())
        .then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_one_address() {
        let table = [
            ("ada@example.com", "ada@example.com"),
            ("  Ada@Example.COM\t", "ada@example.com"),
            ("ada+crm@example.com", "ada+crm@example.com"),
            ("a.d.a@example.com", "a.d.a@example.com"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
            ("Zoë@example.com", "zoë@example.com"),
            ("o'brien@example.co.uk", "o'brien@example.co.uk"),
        ];
        for (typed, expected) in table {
            assert_eq!(
                Email::parse(typed).as_ref().map(Email::as_str),
                Ok(expected),
                "{typed}"
            );
        }
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}.com", "a.".repeat(130));
        let table = [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "ada@127.0.0.1",
            "ada@[127.0.0.1]",
            "a b@example.com",
            "ada@exam ple.com",
            "ada@example..com",
            ".ada@example.com",
            "a..a@example.com",
            "\"ada\"@example.com",
            "ada@ex_ample.com",
            "ada@-example.com",
            "ada\r\nBcc: eve@example.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "ad\u{200b}a@example.com",
            "ad\u{202e}a@example.com",
            "\u{ff41}da@example.com",
            "ada@example.com, eve@example.com",
            long_local.as_str(),
            long.as_str(),
        ];
        for text in table {
            assert_eq!(Email::parse(text), Err(InvalidEmail), "{text:?}");
        }
    }
}
