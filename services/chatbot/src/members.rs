//! The people of the tenant, whom to-dos are given to: identity's list, read with the user's own token.

use bz_http::client::Sibling;
use bz_kernel::{SecretString, UserId};
use bz_service::Core;
use serde::Deserialize;

use crate::actions::Member;
use crate::failure::{Failure, Part};
use crate::pages;
use crate::understand::target::{Resolution, resolve};

/// Identity. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Members(Sibling);

#[derive(Deserialize)]
struct Item {
    user_id: UserId,
    email: String,
    name: Option<String>,
}

/// Why it is not clear who is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unclear {
    /// Nobody is called that.
    Nobody(String),
    /// More than one is.
    Several(Vec<String>),
}

impl Members {
    /// The identity service that is configured.
    pub(crate) fn new(core: &Core) -> anyhow::Result<Self> {
        let base = &core.siblings.identity;
        Ok(Self(Sibling::new("identity", base, &core.sources)?))
    }

    /// The person who is called that, when it is exactly one.
    pub(crate) async fn find(
        &self,
        said: &str,
        token: &SecretString,
    ) -> Result<Result<Member, Unclear>, Failure> {
        let people = self.all(token).await?;
        let names: Vec<&str> = people.iter().map(|member| member.name.as_str()).collect();
        Ok(match resolve(said, &names) {
            Resolution::One(at) => Ok(people[at].clone()),
            Resolution::Nothing => Err(Unclear::Nobody(said.to_owned())),
            Resolution::Ambiguous(some) => {
                let close = some.iter().map(|at| names[*at].to_owned());
                Err(Unclear::Several(close.collect()))
            }
        })
    }

    async fn all(&self, token: &SecretString) -> Result<Vec<Member>, Failure> {
        let call = |path: &str| self.0.get(path).bearer(token);
        let people = pages::all::<Item>("/api/members?status=active&limit=100", call).await;
        let people = people.map_err(Failure::of(Part::Identity))?;
        Ok(people.into_iter().map(Member::from).collect())
    }
}

impl From<Item> for Member {
    /// Somebody without a name is called by the first part of the address.
    fn from(item: Item) -> Self {
        let address = item.email.split('@').next().unwrap_or_default();
        Self {
            id: item.user_id,
            name: item
                .name
                .unwrap_or_else(|| address.replace(['.', '_', '-'], " ")),
        }
    }
}
