//! Addresses: of mail, and those that browsers are sent to.

use url::Url;

use crate::{
    oauth::params::{Params, with_query},
    oauth_clients::rules,
    users::Email,
};

/// E-mail addresses: the normal form is stable, and safe in a mail's header.
pub fn email(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(email) = Email::parse(text) else {
        return;
    };
    let normal = email.as_str();
    assert_eq!(
        Email::parse(normal).as_ref(),
        Ok(&email),
        "not stable: {normal:?}"
    );
    let upper = Email::parse(&normal.to_ascii_uppercase());
    assert_eq!(upper.as_ref(), Ok(&email), "case matters: {normal:?}");
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && !"<>,;:\"\\()[]".contains(c);
    assert!(
        normal.len() <= 254 && normal.chars().all(is_plain),
        "{normal:?}"
    );
    let (local, domain) = normal.rsplit_once('@').unwrap_or_default();
    assert!(
        !local.contains('@') && domain.is_ascii() && domain.contains('.'),
        "{normal:?}"
    );
}

/// Addresses that an application registers: what is registered is matched by itself alone, leads to the host that it
/// shows, and stays the same address when an answer is added to it. The first line is the address, the second a value.
pub fn redirect_uri(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (uri, state) = text.split_once('\n').unwrap_or((&text, ""));
    if rules::redirect_uri(uri).is_err() {
        return;
    }
    let Ok(before) = Url::parse(uri) else {
        panic!("accepted and no address: {uri:?}");
    };
    assert!(
        uri.is_ascii() && !uri.contains(['#', '\\', '*', ' ']) || !uri.contains("//"),
        "{uri:?}"
    );
    if let ("http" | "https", Some(host)) = (before.scheme(), before.host_str()) {
        let shown = format!("{}://{host}", before.scheme());
        assert!(uri.starts_with(&shown), "{uri:?} leads to {host}");
    }
    let location = with_query(uri, &[("code", "c"), ("state", state)]);
    assert!(
        location.starts_with(uri) && !location.contains(char::is_control),
        "{location:?}"
    );
    let Ok(after) = Url::parse(&location) else {
        panic!("no address any more: {location:?}");
    };
    assert_eq!(
        (
            before.scheme(),
            before.host_str(),
            before.port(),
            before.path(),
            after.fragment()
        ),
        (
            after.scheme(),
            after.host_str(),
            after.port(),
            after.path(),
            None
        ),
        "{location:?}"
    );
    let sent = Params::parse(after.query().unwrap_or_default().as_bytes());
    let last: Vec<_> = sent
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let expected = [
        ("code".to_owned(), "c".to_owned()),
        ("state".to_owned(), state.to_owned()),
    ];
    assert!(last.ends_with(&expected), "{location:?}");
}
