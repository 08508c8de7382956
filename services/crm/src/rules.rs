//! Small rules that several resources share.

use bz_http::Errors;

/// Gives an enum its text as it stands in the database and in JSON, and the way back.
macro_rules! text_enum {
    ($name:ident { $($variant:ident => $text:literal),+ $(,)? }) => {
        impl $name {
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
                    _ => Err(format!(concat!(stringify!($name), " knows no {}"), text)),
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
pub(crate) fn optional_text(
    errors: &mut Errors,
    pointer: &'static str,
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

/// An address that was given must look like one: one `@`, something before it, a domain behind it, no blanks.
/// Whether mail arrives there is for a message to find out.
pub(crate) fn optional_email(errors: &mut Errors, pointer: &'static str, email: Option<&str>) {
    let Some(email) = email else { return };
    let shaped = email.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !local.contains('@')
            && !domain.is_empty()
            && !domain.starts_with('.')
            && !domain.ends_with('.')
    });
    if email.chars().count() > 254 {
        errors.add(pointer, "too_long", "must have at most 254 characters");
    } else if !shaped || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        errors.add(
            pointer,
            "invalid_email",
            "must be an e-mail address such as ada@example.com",
        );
    }
}
