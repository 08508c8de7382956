//! Permissions, and which role has which.

/// A permission as a type, so that a handler's signature names what it needs: `caller: Can<LeadsWrite>`.
///
/// Its name is `<resource>:<action>`; the action is `read` or `write` (which includes deleting), anything else is for
/// owners and admins.
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

/// What a user may do in the tenant of their token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    read: bool,
    write: bool,
    everything: bool,
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

    /// Whether `permission`, for example `leads:write`, is among them.
    #[must_use]
    pub fn allow(self, permission: &str) -> bool {
        match permission.rsplit_once(':') {
            Some((_, "read")) => self.read,
            Some((_, "write")) => self.write,
            _ => self.everything,
        }
    }

    /// Whether `P` is among them.
    #[must_use]
    pub fn has<P: Permission>(self) -> bool {
        self.allow(P::NAME)
    }
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
}
