//! What a client may be registered with.

use bz_auth::client_assertion::ClientKeys;
use bz_http::Errors;
use serde_json::Value;
use url::Url;

use super::{AuthMethod, GrantType, RoleClaimMapping};
use crate::oauth::scopes;

const MOST_URIS: usize = 20;
pub(super) const LONGEST_URI: usize = 2000;
const MOST_SCOPES: usize = 50;
const MOST_ROLES: usize = 50;
/// Claims that the token itself needs (RFC 7519, OpenID Connect Core 1.0): none of them can carry roles.
const RESERVED_CLAIMS: [&str; 18] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "azp",
    "nonce",
    "auth_time",
    "acr",
    "amr",
    "at_hash",
    "c_hash",
    "sid",
    "tid",
    "email",
    "email_verified",
];

pub(super) fn name(errors: &mut Errors, name: &str) {
    let length = name.chars().count();
    if !(1..=120).contains(&length) || name.chars().any(char::is_control) {
        errors.add(
            "/name",
            "invalid_value",
            "must have 1 to 120 characters in one line",
        );
    }
}

pub(super) fn redirect_uris(
    errors: &mut Errors,
    pointer: &'static str,
    uris: &[String],
    least: usize,
) {
    if !(least..=MOST_URIS).contains(&uris.len()) {
        errors.add(
            pointer,
            "out_of_range",
            format!("must have {least} to {MOST_URIS} addresses"),
        );
    }
    for (n, uri) in uris.iter().enumerate().take(MOST_URIS) {
        if let Err(message) = redirect_uri(uri) {
            errors.add(format!("{pointer}/{n}"), "invalid_redirect_uri", message);
        }
    }
}

/// An address that a browser may be sent to with a code in it (RFC 9700 section 2.1, RFC 8252 section 7). It is later
/// compared character by character, so it must be written as it will be sent.
pub(crate) fn redirect_uri(uri: &str) -> Result<(), &'static str> {
    if uri.len() > LONGEST_URI {
        return Err("must have at most 2000 characters");
    }
    let plain = |b: u8| b.is_ascii_graphic() && !b"\\*\"<>^`{|}".contains(&b);
    if !uri.bytes().all(plain) {
        return Err("must be plain ASCII without spaces, backslashes and wildcards");
    }
    let parsed = Url::parse(uri).map_err(|_| "must be an absolute address")?;
    if parsed.fragment().is_some() {
        return Err("must not have a fragment");
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("must not name a user");
    }
    // `https:0x//app.example.com` leads to 0.0.0.0, and browsers read it like that.
    let host = parsed.host_str().unwrap_or_default();
    let is_shown = uri.starts_with(&format!("{}://{host}", parsed.scheme()));
    if matches!(parsed.scheme(), "http" | "https") && !is_shown {
        return Err("must begin with the scheme, two slashes, and the host in lower case");
    }
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) => Ok(()),
        "http" => Err("must be https; http is for the own machine only"),
        // An application's own scheme is its domain, reversed, which no browser knows by itself.
        scheme if scheme.contains('.') => Ok(()),
        _ => Err("must be https, or a scheme made of a domain such as com.example.app"),
    }
}

pub(super) fn grant_types(errors: &mut Errors, grants: &[GrantType]) {
    if !grants.contains(&GrantType::AuthorizationCode) {
        errors.add(
            "/grant_types",
            "required",
            "must have authorization_code: there is no other way to a first token",
        );
    }
    if grants.len() > 2 {
        errors.add("/grant_types", "duplicate", "must have each grant once");
    }
}

/// Keys are for those who sign, and for nobody else.
pub(super) fn keys(errors: &mut Errors, method: AuthMethod, keys: Option<&Value>) {
    match (method == AuthMethod::PrivateKeyJwt, keys) {
        (true, Some(keys)) => key_set(errors, keys),
        (true, None) => errors.add("/jwks", "required", "must be the client's public keys"),
        (false, Some(_)) => {
            let message = "is for clients with the method private_key_jwt";
            errors.add("/jwks", "invalid_value", message);
        }
        (false, None) => {}
    }
}

/// A JSON Web Key Set.
pub(crate) fn key_set(errors: &mut Errors, keys: &Value) {
    if let Err(message) = ClientKeys::read(keys) {
        errors.add("/jwks", "invalid_jwks", message);
    }
}

pub(super) fn scopes(errors: &mut Errors, names: &[String]) {
    if !(1..=MOST_SCOPES).contains(&names.len()) {
        errors.add(
            "/allowed_scopes",
            "out_of_range",
            format!("must have 1 to {MOST_SCOPES} scopes"),
        );
    }
    for (n, name) in names.iter().enumerate().take(MOST_SCOPES) {
        if !scopes::is_known(name) {
            errors.add(
                format!("/allowed_scopes/{n}"),
                "unknown_scope",
                "must be openid, profile, email, offline_access, or a permission such as leads:read",
            );
        }
    }
}

pub(super) fn role_claim_mapping(errors: &mut Errors, mapping: &RoleClaimMapping) {
    let claim = &mapping.claim;
    let is_name = (1..=64).contains(&claim.len())
        && claim
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b));
    if !is_name || RESERVED_CLAIMS.contains(&claim.as_str()) {
        errors.add(
            "/role_claim_mapping/claim",
            "invalid_value",
            "must be the name of a claim that has no other meaning",
        );
    }
    let short = |text: &String| (1..=120).contains(&text.chars().count());
    let fits = mapping.roles.len() <= MOST_ROLES
        && mapping
            .roles
            .iter()
            .all(|(ours, theirs)| short(ours) && short(theirs));
    if !fits {
        errors.add(
            "/role_claim_mapping/roles",
            "invalid_value",
            "must have at most 50 roles of 1 to 120 characters",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_could_lead_elsewhere_is_not_registered() {
        for good in [
            "https://app.example.com/cb",
            "https://app.example.com:8443/cb?tenant=1",
            "https://app.example.com/@ada/cb",
            "http://localhost:3000/cb",
            "http://127.0.0.1/cb",
            "http://[::1]:5000/",
            "com.example.app:/cb",
        ] {
            assert_eq!(redirect_uri(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "/cb",
            "app.example.com/cb",
            "https://",
            "https://app.example.com/cb#x",
            "https://app.example.com/cb#",
            "https://user@app.example.com/cb",
            "https://user:pw@app.example.com/cb",
            "https://*.example.com/cb",
            "https://app.example.com/ cb",
            "https://app.example.com\\@evil.example/cb",
            "https:0x//user@app.example.com/cb",
            "https:app.example.com/cb",
            "https:///app.example.com/cb",
            "https://0x7f.1/cb",
            "https://äpp.example.com/cb",
            "http://app.example.com/cb",
            "http://localhost.evil.example/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "app:/cb",
            "file:///etc/passwd",
        ] {
            assert!(redirect_uri(bad).is_err(), "{bad}");
        }
        let long = format!("https://a.example/{}", "a".repeat(2000));
        assert!(redirect_uri(&long).is_err());
    }
}
