//! Permissions, which role has which, and those that a tenant's own roles add.

use std::sync::Arc;

/// A permission as a type, so that a handler's signature names what it needs: `caller: Can<LeadsWrite>`.
///
/// Its name is `<resource>:<action>`; the action is `read` or `write` (which includes deleting), anything else is for
/// owners, admins, and those to whom a role of the tenant's own gives it. The operation's documentation names it too:
/// `security(("bearer" = ["leads:write"]))`, which the check of access compares with what the handler asks for.
pub trait Permission: Send + Sync + 'static {
    /// The name that documents and answers show: `leads:write`.
    const NAME: &'static str;
}

/// Declares permissions.
///
/// ```
/// bz_auth::permissions! {
///     /// See leads.
///     LeadsRead = "leads:read",
///     /// Create, change and delete leads.
///     LeadsWrite = "leads:write",
/// }
/// # use bz_auth::Permission as _;
/// # fn main() { assert_eq!(LeadsRead::NAME, "leads:read"); }
/// ```
#[macro_export]
macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl $crate::Permission for $name {
                const NAME: &'static str = $text;
            }
        )+
    };
}

/// What a user may do in the tenant of their token. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    read: bool,
    write: bool,
    everything: bool,
    named: Option<Arc<[String]>>,
}

impl Permissions {
    /// The permissions of somebody who has all of `roles`: `owner` and `admin` may do everything, `member` may read
    /// and write, `viewer` may read. A role that is not known gives nothing.
    #[must_use]
    pub fn of_roles<S: AsRef<str>>(roles: &[S]) -> Self {
        roles
            .iter()
            .fold(Self::default(), |sum, role| match role.as_ref() {
                "owner" | "admin" => Self {
                    read: true,
                    write: true,
                    everything: true,
                    ..sum
                },
                "member" => Self {
                    read: true,
                    write: true,
                    ..sum
                },
                "viewer" => Self { read: true, ..sum },
                _ => sum,
            })
    }

    /// These and the named ones, which the tenant's own roles give: `leads:write`, `leads:*`, `*:read`.
    #[must_use]
    pub fn with(self, names: &[String]) -> Self {
        if names.is_empty() {
            return self;
        }
        let before = self.named.iter().flat_map(|named| named.iter());
        let named = before.chain(names).cloned().collect();
        Self {
            named: Some(named),
            ..self
        }
    }

    /// Whether `permission` is among them, for example `leads:write`. A pattern is among them only if everything that it
    /// stands for is, by one name: `leads:*` is not, when there are `leads:read` and `leads:write`.
    #[must_use]
    pub fn allow(&self, permission: &str) -> bool {
        let by_role = match permission.rsplit_once(':') {
            Some((_, "read")) => self.read,
            Some((_, "write")) => self.write,
            _ => self.everything,
        };
        let mut named = self.named.iter().flat_map(|named| named.iter());
        by_role || named.any(|name| covers(name, permission))
    }

    /// Whether `P` is among them.
    #[must_use]
    pub fn has<P: Permission>(&self) -> bool {
        self.allow(P::NAME)
    }
}

/// Whether the permission `name`, which may be a pattern (`leads:*`, `*:read`), includes `permission`.
#[must_use]
pub fn covers(name: &str, permission: &str) -> bool {
    let (Some((resource, action)), Some((wanted_resource, wanted_action))) =
        (name.rsplit_once(':'), permission.rsplit_once(':'))
    else {
        return false;
    };
    let fits = |pattern: &str, wanted: &str| pattern == "*" || pattern == wanted;
    fits(resource, wanted_resource) && fits(action, wanted_action)
}

/// Whether a permission is one to administer people, security or the tenant itself, as opposed to working in it.
#[must_use]
pub fn is_administration(permission: &str) -> bool {
    !matches!(permission.rsplit_once(':'), Some((_, "read" | "write")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_its_permissions_and_no_more() {
        let table = [
            (&["owner"][..], [true, true, true]),
            (&["admin"], [true, true, true]),
            (&["member"], [true, true, false]),
            (&["viewer"], [true, false, false]),
            (&["viewer", "member"], [true, true, false]),
            (&["admin", "viewer"], [true, true, true]),
            (&["Owner", "root", ""], [false, false, false]),
            (&[], [false, false, false]),
        ];
        for (roles, expected) in table {
            let permissions = Permissions::of_roles(roles);
            let allowed =
                ["leads:read", "leads:write", "members:manage"].map(|name| permissions.allow(name));
            assert_eq!(allowed, expected, "{roles:?}");
        }
    }

    #[test]
    fn named_permissions_add_to_those_of_the_roles_and_patterns_cover_what_they_stand_for() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let table = [
            (&["leads:read"][..], "leads:read", true),
            (&["leads:read"], "leads:write", false),
            (&["leads:read"], "deals:read", false),
            (&["leads:*"], "leads:manage", true),
            (&["leads:*"], "leads:*", true),
            (&["leads:*"], "*:read", false),
            (&["leads:read", "leads:write"], "leads:*", false),
            (&["*:read"], "deals:read", true),
            (&["*:read"], "deals:write", false),
            (&["*:*"], "users:impersonate", true),
            (&["leads", ""], "leads:read", false),
            (&["leads", ""], "leads", false),
        ];
        for (given, asked, expected) in table {
            let permissions = Permissions::default().with(&names(given));
            assert_eq!(permissions.allow(asked), expected, "{given:?} {asked}");
        }
        let both = Permissions::of_roles(&["viewer"]).with(&names(&["leads:write"]));
        assert!(both.allow("deals:read") && both.allow("leads:write"));
        assert!(!both.allow("deals:write") && !both.allow("members:manage"));
    }

    #[test]
    fn whatever_is_not_work_is_administration() {
        for name in ["members:manage", "users:impersonate", "leads:*", "leads"] {
            assert!(is_administration(name), "{name}");
        }
        for name in ["leads:read", "leads:write"] {
            assert!(!is_administration(name), "{name}");
        }
    }
}
