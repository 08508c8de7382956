//! Nobody grants what they lack, and nobody takes it away either.

use bz_auth::{Caller, Permissions};
use bz_http::Problem;
use http::StatusCode;

use super::rights::Rights;

/// Whoever changes somebody's rights.
#[derive(Debug, Clone)]
pub(crate) struct Granter {
    /// What they may do.
    pub(crate) permissions: Permissions,
    /// Whether they are an owner of the tenant.
    pub(crate) is_owner: bool,
}

impl From<&Caller> for Granter {
    fn from(caller: &Caller) -> Self {
        Self {
            permissions: caller.permissions.clone(),
            is_owner: caller.claims.roles.iter().any(|role| role == "owner"),
        }
    }
}

impl Granter {
    /// The rule: what `before` and `after` do not share is changed, and the granter must have all of it. Only owners
    /// make and unmake owners. Answers the first thing that is missing.
    pub(crate) fn lacks<'a>(&self, before: &'a Rights, after: &'a Rights) -> Option<&'a str> {
        if before.is_owner() != after.is_owner() && !self.is_owner {
            return Some("the role owner");
        }
        let added = after
            .patterns()
            .filter(|name| before.patterns().all(|other| other != *name));
        let removed = before
            .patterns()
            .filter(|name| after.patterns().all(|other| other != *name));
        added
            .chain(removed)
            .find(|name| !self.permissions.allow(name))
    }

    /// Goes on if the granter may turn the rights `before` into `after`.
    ///
    /// # Errors
    /// 403 `privilege_escalation`.
    pub(crate) fn require(&self, before: &Rights, after: &Rights) -> Result<(), Problem> {
        self.lacks(before, after)
            .map_or(Ok(()), |missing| Err(privilege_escalation(missing)))
    }
}

/// Goes on if the caller may turn the rights `before` into `after`, be it those of a member or those that a role gives.
///
/// # Errors
/// 403 `privilege_escalation`.
pub(crate) fn may_change(caller: &Caller, before: &Rights, after: &Rights) -> Result<(), Problem> {
    Granter::from(caller).require(before, after)
}

/// Goes on if the caller has all that somebody has: what one does to a person (disable, delete, act in their name) is
/// for those who could do it all themselves. Everybody may do it to themselves.
///
/// # Errors
/// 403 `privilege_escalation`.
pub(crate) fn may_act_on(caller: &Caller, rights: &Rights) -> Result<(), Problem> {
    may_change(caller, rights, &Rights::default())
}

fn privilege_escalation(missing: &str) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "privilege_escalation",
        "Nobody grants or takes what they do not have",
    )
    .detail(format!("You do not have {missing} yourself."))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bz_kernel::Rng;

    use super::*;
    use crate::roles::rights::BuiltIn;

    const PERMISSIONS: [&str; 9] = [
        "leads:read",
        "leads:write",
        "leads:*",
        "deals:write",
        "members:manage",
        "roles:manage",
        "users:impersonate",
        "*:read",
        "*:write",
    ];

    /// Members with a built-in role and numbers of roles, and what each role gives.
    #[derive(Clone, Default)]
    struct Tenant {
        members: BTreeMap<u8, (Option<BuiltIn>, Vec<u8>)>,
        roles: BTreeMap<u8, Vec<String>>,
    }

    struct Dice(Rng);

    impl Dice {
        fn below(&self, n: usize) -> usize {
            usize::from(self.0.bytes::<1>()[0]) % n
        }

        fn permissions(&self) -> Vec<String> {
            let any = |_| PERMISSIONS[self.below(PERMISSIONS.len())].to_owned();
            (0..self.below(4)).map(any).collect()
        }

        fn built_in(&self) -> Option<BuiltIn> {
            [None, Some(BuiltIn::Viewer), Some(BuiltIn::Member)][self.below(3)]
        }

        fn roles(&self) -> Vec<u8> {
            (0..self.below(3)).map(|_| self.role()).collect()
        }

        fn role(&self) -> u8 {
            u8::try_from(self.below(5)).unwrap()
        }
    }

    impl Tenant {
        fn random(dice: &Dice) -> Self {
            Self {
                members: (0..5)
                    .map(|member| (member, (dice.built_in(), dice.roles())))
                    .collect(),
                roles: (0..5).map(|role| (role, dice.permissions())).collect(),
            }
        }

        fn rights(&self, member: &(Option<BuiltIn>, Vec<u8>)) -> Rights {
            let named = member.1.iter().flat_map(|role| self.roles[role].clone());
            Rights {
                built_in: member.0,
                named: named.collect(),
            }
        }

        fn granter(&self, member: u8) -> Granter {
            let rights = self.rights(&self.members[&member]);
            let role = rights.built_in.map(BuiltIn::as_str);
            Granter {
                permissions: Permissions::of_roles(role.as_slice()).with(&rights.named),
                is_owner: rights.is_owner(),
            }
        }

        /// Somebody tries something; whether it was allowed.
        fn step(&mut self, dice: &Dice) -> bool {
            let actor = self.granter(u8::try_from(dice.below(5)).unwrap());
            if dice.below(2) == 0 {
                let (role, wanted) = (dice.role(), dice.permissions());
                let before = Rights::of_permissions(self.roles[&role].clone());
                let after = Rights::of_permissions(wanted.clone());
                let allowed = actor.lacks(&before, &after).is_none();
                if allowed {
                    self.roles.insert(role, wanted);
                }
                return allowed;
            }
            let member = u8::try_from(dice.below(5)).unwrap();
            let built_in = match dice.below(6) {
                0 => Some(BuiltIn::Owner),
                1 => Some(BuiltIn::Admin),
                _ => dice.built_in(),
            };
            let wanted = (built_in, dice.roles());
            let before = self.rights(&self.members[&member]);
            let after = self.rights(&wanted);
            let allowed = actor.lacks(&before, &after).is_none();
            if allowed {
                self.members.insert(member, wanted);
            }
            allowed
        }
    }

    /// Pitfall 54: over random role graphs, no sequence of allowed changes gives anybody what nobody had, nor makes an
    /// owner or an admin where there was none.
    #[test]
    fn no_sequence_of_allowed_changes_makes_a_permission_out_of_nothing() {
        let mut allowed = 0;
        for seed in 0..400 {
            let dice = Dice(Rng::seeded(seed));
            let mut tenant = Tenant::random(&dice);
            let nobodys: Vec<&str> = PERMISSIONS
                .into_iter()
                .chain(["*:*"])
                .filter(|name| (0..5).all(|member| !tenant.granter(member).permissions.allow(name)))
                .collect();
            for _ in 0..60 {
                allowed += usize::from(tenant.step(&dice));
                for member in 0..5 {
                    let granter = tenant.granter(member);
                    assert!(!granter.is_owner, "seed {seed}: an owner out of nothing");
                    for name in &nobodys {
                        assert!(
                            !granter.permissions.allow(name),
                            "seed {seed}: {name} out of nothing"
                        );
                    }
                }
            }
        }
        // Otherwise the property would hold for want of changes.
        assert!(allowed > 1000, "only {allowed} changes were allowed");
    }

    #[test]
    fn only_owners_make_and_unmake_owners() {
        let granter = |role: &str| Granter {
            permissions: Permissions::of_roles(&[role]),
            is_owner: role == "owner",
        };
        let rights = |built_in| Rights {
            built_in,
            named: Vec::new(),
        };
        let (owner, member) = (rights(Some(BuiltIn::Owner)), rights(Some(BuiltIn::Member)));
        for (role, expected) in [
            ("owner", None),
            ("admin", Some("the role owner")),
            ("member", Some("the role owner")),
        ] {
            assert_eq!(granter(role).lacks(&owner, &member), expected, "{role}");
            assert_eq!(granter(role).lacks(&member, &owner), expected, "{role}");
        }
        assert_eq!(granter("admin").lacks(&member, &Rights::default()), None);
        let admin = rights(Some(BuiltIn::Admin));
        assert_eq!(granter("member").lacks(&member, &admin), Some("*:*"));
        // Taking away is a change too.
        assert_eq!(granter("member").lacks(&admin, &member), Some("*:*"));
    }
}
