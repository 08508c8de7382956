//! Parameters of the protocols, from a query or a form.

use axum::extract::Request;
use bz_http::{
    Problem,
    extract::{is_form, read_body},
};
use http::{Method, StatusCode};
use url::form_urlencoded;

/// Parameters in the order in which they were sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

/// A parameter was sent more than once, which RFC 6749 section 3.1 forbids.
#[derive(Clone, Copy, Debug)]
pub(super) struct Duplicate;

impl Params {
    /// Reads the query of a `GET` or the form of a `POST`.
    ///
    /// # Errors
    /// 4xx when there is no form, or it cannot be read; U+0000 is refused because nothing that is kept can hold it.
    pub(super) async fn read(request: Request) -> Result<Self, Problem> {
        let params = if request.method() == Method::POST {
            if !is_form(request.headers()) {
                return Err(Problem::unsupported_media_type()
                    .detail("Send an application/x-www-form-urlencoded body."));
            }
            Self::parse(&read_body(request, &()).await?)
        } else {
            Self::parse(request.uri().query().unwrap_or_default().as_bytes())
        };
        let has_nul =
            |(name, value): &(String, String)| name.contains('\0') || value.contains('\0');
        if params.0.iter().any(has_nul) {
            let title = "The request makes no sense";
            return Err(
                Problem::new(StatusCode::BAD_REQUEST, "malformed_request", title)
                    .detail("Parameters must not contain the character U+0000."),
            );
        }
        Ok(params)
    }

    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// A parameter; one without a value is one that was not sent (RFC 6749 section 3.1).
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, Duplicate> {
        let mut values = self
            .0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str());
        let value = values.next().filter(|value| !value.is_empty());
        if values.next().is_some() {
            return Err(Duplicate);
        }
        Ok(value)
    }

    /// A parameter of a form of our own; of several the first.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Those with these names, to be sent again.
    pub(super) fn only(&self, names: &[&str]) -> Self {
        let kept = |(name, _): &&(String, String)| names.contains(&name.as_str());
        Self(self.0.iter().filter(kept).cloned().collect())
    }

    /// Name and value of each.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Changes a value; a parameter whose value becomes empty is left out.
    pub(super) fn with(&self, name: &str, change: impl Fn(&str) -> String) -> Self {
        let changed = self.0.iter().map(|(key, value)| {
            let value = if key == name {
                change(value)
            } else {
                value.clone()
            };
            (key.clone(), value)
        });
        Self(changed.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// As a query.
    pub(super) fn to_query(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.iter())
            .finish()
    }
}

/// Adds parameters to an address without changing anything that it has.
pub(crate) fn with_query(uri: &str, params: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(params)
        .finish();
    match uri.split_once('?') {
        None => format!("{uri}?{query}"),
        Some((_, "")) => format!("{uri}{query}"),
        Some(_) => format!("{uri}&{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_there_once_and_empty_ones_are_not_there() {
        let params = Params::parse(b"a=1&b=&c=2&c=3&d=x%20y&e=%FF");
        assert_eq!(params.get("a").unwrap(), Some("1"));
        assert_eq!(params.get("b").unwrap(), None);
        assert!(params.get("c").is_err());
        assert_eq!(params.only(&["a", "d"]).to_query(), "a=1&d=x+y");
        let without = params.only(&["a", "d"]).with("a", |_| String::new());
        assert_eq!(without.to_query(), "d=x+y");
    }

    #[test]
    fn what_an_address_has_stays_as_it_is() {
        let code = [("code", "a b"), ("iss", "https://i")];
        let table = [
            ("https://a/cb", "https://a/cb?code=a+b&iss=https%3A%2F%2Fi"),
            ("https://a/cb?", "https://a/cb?code=a+b&iss=https%3A%2F%2Fi"),
            (
                "https://a/cb?x=%2F",
                "https://a/cb?x=%2F&code=a+b&iss=https%3A%2F%2Fi",
            ),
            ("app.a:/cb", "app.a:/cb?code=a+b&iss=https%3A%2F%2Fi"),
        ];
        for (uri, expected) in table {
            assert_eq!(with_query(uri, &code), expected);
        }
    }
}
