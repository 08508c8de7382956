//! Small rules that several resources share.

use std::borrow::Cow;

use bz_http::Errors;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::{normal, records::Money};

/// The most bytes of a free object.
const MAX_OBJECT: usize = 16_384;

/// Gives an enum its text as it stands in the database and in JSON, and the way back.
macro_rules! text_enum {
    ($name:ident { $($variant:ident => $text:literal),+ $(,)? }) => {
        impl $name {
            /// All values as text.
            pub(crate) const TEXTS: &'static [&'static str] = &[$($text),+];

            /// The value as text, as in JSON and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                match text.as_str() {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(format!(
                        concat!(stringify!($name), " knows {} and no {}"),
                        Self::TEXTS.join(", "),
                        text
                    )),
                }
            }
        }
    };
}
pub(crate) use text_enum;

/// Lets a store read such an enum from a text column.
macro_rules! read_from_text {
    ($name:ty) => {
        impl sqlx::Type<sqlx::Postgres> for $name {
            fn type_info() -> sqlx::postgres::PgTypeInfo {
                <String as sqlx::Type<sqlx::Postgres>>::type_info()
            }
        }

        impl<'r> sqlx::Decode<'r, sqlx::Postgres> for $name {
            fn decode(
                value: sqlx::postgres::PgValueRef<'r>,
            ) -> Result<Self, sqlx::error::BoxDynError> {
                Ok(<String as sqlx::Decode<sqlx::Postgres>>::decode(value)?.try_into()?)
            }
        }
    };
}
pub(crate) use read_from_text;

/// A text that was given must say something and fit.
pub(crate) fn text(
    errors: &mut Errors,
    pointer: impl Into<Cow<'static, str>>,
    text: &str,
    longest: usize,
) {
    optional_text(errors, pointer, Some(text), longest);
}

/// The same for a text that may be missing.
pub(crate) fn optional_text(
    errors: &mut Errors,
    pointer: impl Into<Cow<'static, str>>,
    text: Option<&str>,
    longest: usize,
) {
    let Some(text) = text else { return };
    if text.trim().is_empty() {
        errors.add(
            pointer,
            "blank",
            "must not be blank; leave it out or send null",
        );
    } else if text.chars().count() > longest {
        errors.add(
            pointer,
            "too_long",
            format!("must have at most {longest} characters"),
        );
    }
}

/// Whether a text looks like an address: one `@`, something before it, a domain behind it, no blanks. Whether mail
/// arrives there is for a message to find out.
pub(crate) fn is_email(text: &str) -> bool {
    let shaped = text.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !local.contains('@')
            && !domain.is_empty()
            && !domain.starts_with('.')
            && !domain.ends_with('.')
    });
    shaped && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// An address that was given must look like one.
pub(crate) fn optional_email(
    errors: &mut Errors,
    pointer: impl Into<Cow<'static, str>>,
    email: Option<&str>,
) {
    let Some(email) = email else { return };
    if email.chars().count() > 254 {
        errors.add(pointer, "too_long", "must have at most 254 characters");
    } else if !is_email(email) {
        errors.add(
            pointer,
            "invalid_email",
            "must be an e-mail address such as ada@example.com",
        );
    }
}

/// A count that was given must not be negative.
pub(crate) fn optional_count(errors: &mut Errors, pointer: &'static str, count: Option<i32>) {
    if count.is_some_and(|count| count < 0) {
        errors.add(pointer, "too_small", "must be 0 or more");
    }
}

/// An amount that was given must fit the column and name a currency.
pub(crate) fn optional_money(errors: &mut Errors, pointer: &str, money: Option<&Money>) {
    let Some(money) = money else { return };
    let amount = money.amount.normalize();
    if amount.scale() > 2 || amount.abs() >= Decimal::from(1_000_000_000_000_000_000_i64) {
        errors.add(
            format!("{pointer}/amount"),
            "out_of_range",
            "must have at most 18 digits before and 2 after the point",
        );
    }
    let code = &money.currency;
    if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
        errors.add(
            format!("{pointer}/currency"),
            "invalid_currency",
            "must be three capital letters (ISO 4217), such as EUR",
        );
    }
}

/// An object that was given must not be larger than this many bytes of JSON.
pub(crate) fn small_object(
    errors: &mut Errors,
    pointer: &'static str,
    object: &Map<String, Value>,
) {
    let bytes = serde_json::to_vec(object).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_OBJECT {
        errors.add(pointer, "too_large", "must have at most 16 KiB as JSON");
    }
}

/// An internet domain that was given must look like one.
pub(crate) fn optional_domain(
    errors: &mut Errors,
    pointer: impl Into<Cow<'static, str>>,
    domain: Option<&str>,
) {
    let Some(domain) = domain else { return };
    if domain.len() > 253 || normal::domain(domain).is_none() {
        errors.add(
            pointer,
            "invalid_domain",
            "must be an internet domain such as engines.example",
        );
    }
}
