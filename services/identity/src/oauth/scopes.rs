//! Scopes: what an application asks a user for.
//!
//! `openid`, `profile`, `email` and `offline_access` are those of OpenID Connect and give nothing at the platform's APIs.
//! Every other scope is the name of a permission, such as `leads:read`: the application then has that permission for as
//! long as the user has it, and no role of the user's.

use bz_auth::Permissions;

use crate::users::store::Account;

pub(crate) const OPENID: &str = "openid";
pub(crate) const PROFILE: &str = "profile";
pub(crate) const EMAIL: &str = "email";
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";
/// The scopes of OpenID Connect.
pub(crate) const OF_OPENID_CONNECT: [&str; 4] = [OPENID, PROFILE, EMAIL, OFFLINE_ACCESS];

const LONGEST: usize = 64;

/// Whether a client may be registered for it.
pub(crate) fn is_known(name: &str) -> bool {
    OF_OPENID_CONNECT.contains(&name) || is_permission(name)
}

/// Whether it is the name of a permission.
pub(crate) fn is_permission(name: &str) -> bool {
    let word =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    name.len() <= LONGEST
        && name
            .split_once(':')
            .is_some_and(|(resource, action)| word(resource) && word(action))
}

/// The scopes of a request (RFC 6749 section 3.3), each once.
pub(crate) fn parse(text: &str) -> Vec<String> {
    let mut scopes: Vec<String> = Vec::new();
    for name in text.split(' ').filter(|name| !name.is_empty()) {
        if !scopes.iter().any(|known| known == name) {
            scopes.push(name.to_owned());
        }
    }
    scopes
}

/// Whether `name` is among the scopes.
pub(crate) fn has(scopes: &[String], name: &str) -> bool {
    scopes.iter().any(|scope| scope == name)
}

/// The permissions that the scopes name and the user has now.
pub(crate) fn entitlements(account: &Account, scopes: &[String]) -> Vec<String> {
    let permissions = Permissions::of_roles(&account.roles).with(&account.entitlements);
    scopes
        .iter()
        .filter(|name| is_permission(name) && permissions.allow(name))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_those_of_openid_connect_and_permissions() {
        for good in ["openid", "offline_access", "leads:read", "api-keys:manage"] {
            assert!(is_known(good), "{good}");
        }
        for bad in [
            "",
            "OpenID",
            "address",
            ":",
            "leads:",
            ":read",
            "*:*",
            "leads:read:x",
            "leads read",
        ] {
            assert!(!is_known(bad), "{bad}");
        }
        assert_eq!(parse(" openid  email openid "), ["openid", "email"]);
        assert!(parse("").is_empty());
    }
}
