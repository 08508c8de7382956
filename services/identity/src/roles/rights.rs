//! What somebody has in a tenant: at most one built-in role and what the tenant's own roles give.

use bz_auth::{Permissions, permission::covers};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A role that every tenant has and none can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BuiltIn {
    /// May do everything; a tenant always has one.
    Owner,
    /// May do everything but make and unmake owners.
    Admin,
    /// May read and write.
    Member,
    /// May read.
    Viewer,
}

impl BuiltIn {
    /// All of them, the strongest first.
    pub(crate) const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer];

    /// As tables and tokens have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    /// The role with this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// What it allows, as patterns.
    pub(crate) const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Owner | Self::Admin => &["*:*"],
            Self::Member => &["*:read", "*:write"],
            Self::Viewer => &["*:read"],
        }
    }

    /// What it is for.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::Owner => "May do everything. A tenant always has an owner.",
            Self::Admin => "May do everything but make and unmake owners.",
            Self::Member => "May read and write.",
            Self::Viewer => "May read.",
        }
    }
}

/// What somebody has in a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rights {
    /// The built-in role.
    pub(crate) built_in: Option<BuiltIn>,
    /// What the tenant's own roles give, as patterns.
    pub(crate) named: Vec<String>,
}

impl Rights {
    /// As the statements with [`own_roles`] read them.
    pub(crate) fn read(role: Option<&str>, own_permissions: Option<&str>) -> Self {
        Self {
            built_in: role.and_then(BuiltIn::parse),
            named: words(own_permissions.unwrap_or_default()),
        }
    }

    /// What a role of the tenant's own gives.
    pub(crate) const fn of_permissions(named: Vec<String>) -> Self {
        Self {
            built_in: None,
            named,
        }
    }

    /// Whether they are an owner's.
    pub(crate) fn is_owner(&self) -> bool {
        self.built_in == Some(BuiltIn::Owner)
    }

    /// Everything that they allow, as patterns.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &str> {
        let built_in = self.built_in.map_or(&[][..], BuiltIn::permissions);
        let named = self.named.iter().map(String::as_str);
        built_in.iter().copied().chain(named)
    }
}

/// Joins the tenant's own roles of the membership `m`: their ids and names in the order of the names, and all their
/// permissions, separated by spaces.
macro_rules! own_roles {
    () => {
        " LEFT JOIN LATERAL ( \
           SELECT array_agg(r.id ORDER BY r.name) AS ids, array_agg(r.name ORDER BY r.name) AS names, \
                  string_agg(array_to_string(r.permissions, ' '), ' ') AS permissions \
           FROM identity.membership_roles mr \
           JOIN identity.roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id \
           WHERE mr.tenant_id = m.tenant_id AND mr.user_id = m.user_id) own ON true"
    };
}
pub(crate) use own_roles;

/// The permissions that a token has to name: those of the tenant's own roles that neither the built-in role nor another
/// one of them includes.
pub(crate) fn entitlements(role: Option<&str>, own_permissions: &str) -> Vec<String> {
    let by_role = Permissions::of_roles(role.as_slice());
    let names = words(own_permissions);
    let is_needed = |name: &String| {
        let by_another = |other: &String| other != name && covers(other, name);
        !by_role.allow(name) && !names.iter().any(by_another)
    };
    names
        .iter()
        .filter(|name| is_needed(name))
        .cloned()
        .collect()
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text.split_whitespace().map(ToOwned::to_owned).collect();
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_only_what_nothing_else_includes() {
        let table = [
            (None, "", &[][..]),
            (
                None,
                "leads:write leads:read leads:read",
                &["leads:read", "leads:write"],
            ),
            (None, "leads:write leads:* leads:read", &["leads:*"]),
            (
                None,
                "*:read leads:read deals:write",
                &["*:read", "deals:write"],
            ),
            (Some("viewer"), "leads:read leads:write", &["leads:write"]),
            (
                Some("member"),
                "leads:write members:manage",
                &["members:manage"],
            ),
            (Some("admin"), "members:manage leads:*", &[]),
        ];
        for (role, own, expected) in table {
            assert_eq!(entitlements(role, own), expected, "{role:?} {own}");
        }
    }
}
