//! Which bytes of a file a client wants (RFC 9110, section 14): all, or one range.

use std::ops::Range;

use axum::http::{HeaderMap, header};

/// What a client wants of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<i64>),
    /// Bytes that it does not have.
    Outside,
}

/// What the headers ask for of a file of `size` bytes with this `ETag`. Several ranges at once, and what is no range, are
/// answered with the whole file, as a server may.
pub(super) fn wanted(headers: &HeaderMap, size: i64, etag: &str) -> Wanted {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(range) = text(header::RANGE).and_then(|range| range.strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    if text(header::IF_RANGE).is_some_and(|known| known != etag) || range.contains(',') {
        return Wanted::Whole;
    }
    let Some((first, last)) = range.trim().split_once('-') else {
        return Wanted::Whole;
    };
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0);
    match (first, last) {
        ("", last) => match number(last) {
            Some(0) => Wanted::Outside,
            Some(length) if size > 0 => Wanted::Part((size - length).max(0)..size),
            Some(_) => Wanted::Outside,
            None => Wanted::Whole,
        },
        (first, last) => {
            let end = if last.is_empty() {
                Some(size)
            } else {
                number(last).map(|last| (last + 1).min(size))
            };
            match (number(first), end) {
                (Some(first), Some(end)) if first < end => Wanted::Part(first..end),
                (Some(first), Some(_)) if first >= size => Wanted::Outside,
                _ => Wanted::Whole,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_range_is_what_the_standard_says() {
        let of = |range: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::from_static(range));
            wanted(&headers, 100, "\"a\"")
        };
        let table = [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=10-19", Wanted::Part(10..20)),
            ("bytes=90-", Wanted::Part(90..100)),
            ("bytes=90-500", Wanted::Part(90..100)),
            ("bytes=-10", Wanted::Part(90..100)),
            ("bytes=-500", Wanted::Part(0..100)),
            ("bytes=-0", Wanted::Outside),
            ("bytes=100-", Wanted::Outside),
            ("bytes=100-200", Wanted::Outside),
            ("bytes=9-2", Wanted::Whole),
            ("bytes=0-1,5-6", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("pages=1-2", Wanted::Whole),
        ];
        for (range, answer) in table {
            assert_eq!(of(range), answer, "{range}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-9"));
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"b\""));
        assert_eq!(wanted(&headers, 100, "\"a\""), Wanted::Whole);
    }
}
