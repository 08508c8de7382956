//! Query strings and forms.

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::fault::Fault;
use super::{has_escaped_nul, nul_in_body, read_body};
use crate::{Problem, Validate, validated};

/// Query parameters. A fault is 422 and names the parameter.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        if has_escaped_nul(query) {
            return Err(Problem::invalid_parameter(
                name_with_nul(query),
                "nul_character",
                "must not contain the character U+0000",
            ));
        }
        read(query).map(Self).map_err(|fault| {
            let (name, code, message) = fault.parameter();
            Problem::invalid_parameter(name, code, message)
        })
    }
}

/// The first parameter with U+0000 in its value.
fn name_with_nul(query: &[u8]) -> String {
    form_urlencoded::parse(query)
        .find(|(name, value)| value.contains('\0') && !name.contains('\0'))
        .map_or_else(|| "query".to_owned(), |(name, _)| name.into_owned())
}

/// A form body (`application/x-www-form-urlencoded`), read and validated.
#[derive(Debug, Clone, Copy)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned + Validate, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_form(request.headers()) {
            return Err(Problem::unsupported_media_type()
                .detail("Send an application/x-www-form-urlencoded body."));
        }
        let body = read_body(request, state).await?;
        if body.contains(&0) || has_escaped_nul(&body) {
            return Err(nul_in_body());
        }
        read(&body)
            .map_err(|fault| Problem::invalid(fault.pointer(), fault.code, fault.message))
            .and_then(validated)
            .map(Self)
    }
}

/// Whether the body is a form.
#[must_use]
pub fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| {
        essence
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Fault> {
    let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text));
    serde_path_to_error::deserialize(reader)
        .map_err(|error| Fault::new(error.path(), error.inner().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        limit: u8,
        #[serde(default)]
        search: String,
    }

    fn fault(query: &str) -> (String, &'static str) {
        let fault = read::<List>(query.as_bytes()).unwrap_err();
        let (name, code, _) = fault.parameter();
        (name, code)
    }

    #[test]
    fn a_fault_names_its_parameter() {
        assert_eq!(fault("limit=x"), ("limit".to_owned(), "invalid_value"));
        assert_eq!(fault("search=a"), ("limit".to_owned(), "required"));
        assert_eq!(
            fault("limit=1&page=2"),
            ("page".to_owned(), "unknown_field")
        );
        assert_eq!(name_with_nul(b"limit=1&search=a%00b"), "search");
        assert_eq!(name_with_nul(b"%00=1"), "query");
    }

    #[test]
    fn a_form_is_read_to_its_end_whatever_was_left_unescaped() {
        let form: List = read(b"limit=1&search=Secret#1+2?%26").unwrap();
        assert_eq!((form.limit, form.search.as_str()), (1, "Secret#1 2?&"));
    }
}
