//! The languages that mails and pages are written in, and which of them a client prefers.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::{HeaderMap, header, request::Parts};
use serde::{Deserialize, Serialize};

/// A language that mails and pages are written in. As an extractor, the one that the client likes best of them
/// (`Accept-Language`, RFC 9110 section 12.5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Language {
    /// English, where nothing better is known.
    #[default]
    En,
    /// German.
    De,
}

impl Language {
    /// The language of a tag such as `de-AT`.
    pub(crate) fn of_tag(tag: &str) -> Self {
        Self::known(tag).unwrap_or_default()
    }

    /// Its tag.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// The one that the client likes best.
    pub(crate) fn of_headers(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT_LANGUAGE).iter();
        let ranges = accepted
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        // The first of those that are liked equally.
        let best = ranges.filter_map(weighed).reduce(
            |best, next| {
                if next.1 > best.1 { next } else { best }
            },
        );
        best.map(|(language, _)| language).unwrap_or_default()
    }

    /// The language of a tag, if it is one of ours.
    pub(crate) fn known(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default().trim();
        match primary.to_ascii_lowercase().as_str() {
            "en" => Some(Self::En),
            "de" => Some(Self::De),
            _ => None,
        }
    }
}

/// A range of the header with how much it is liked; none when it is not ours or not wanted at all.
fn weighed(range: &str) -> Option<(Language, f32)> {
    let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
    let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
    (weight > 0.0)
        .then(|| Language::known(tag.trim()))
        .flatten()
        .map(|language| (language, weight))
}

impl<S: Send + Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of_headers(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_language_is_the_best_liked_of_those_that_are_written_here() {
        let table = [
            ("", Language::En),
            ("de", Language::De),
            ("de-AT,en;q=0.8", Language::De),
            ("en-GB, de", Language::En),
            ("fr, de;q=0.5, en;q=0.4", Language::De),
            ("de;q=0, en;q=0.1", Language::En),
            ("fr", Language::En),
            ("de;q=x", Language::En),
        ];
        for (value, expected) in table {
            let headers =
                HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value))]);
            assert_eq!(Language::of_headers(&headers), expected, "{value}");
        }
        assert_eq!(Language::of_headers(&HeaderMap::new()), Language::En);
    }
}
