//! Access tokens that are refused although they have not expired.
//!
//! Identity tells every service whose tokens are refused (`GET /internal/revocations`); a service keeps the last hour of
//! it in memory. Nothing is asked while a request waits.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Claims;

/// How long a revocation matters: no access token lives longer (an impersonation's has an hour), with the leeway of the
/// clocks.
pub const REVOCATIONS_MATTER_FOR: TimeDelta = TimeDelta::seconds(3600 + 60);
/// The most revocations that one answer has, and half of what a service keeps: about 6 MiB.
pub const MOST_REVOCATIONS: usize = 50_000;

/// Whose access tokens are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedKind {
    /// A session's. It has ended for good, so that its tokens are refused whatever their time.
    Session,
    /// Those of a user, or of a service account, in one tenant that were signed at or before the instant.
    User,
    /// Those of everybody in the tenant that were signed at or before the instant.
    Tenant,
    /// What an API key was exchanged for at or before the instant.
    ApiKey,
}

/// A revocation as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// What `subject` is.
    pub kind: RevokedKind,
    /// The tenant that it happened in.
    pub tenant_id: Uuid,
    /// The session, the user or the tenant.
    pub subject: Uuid,
    /// When, in milliseconds since 1970: what tokens carry (in `jti`) has no more.
    pub at: i64,
}

/// The answer of `GET /internal/revocations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationPage {
    /// What was not seen yet, newest first.
    pub items: Vec<Revocation>,
    /// Set when there were more than fit: every user's token that was signed at or before this instant is refused.
    pub floor: Option<i64>,
    /// What to send as `after` next time.
    pub next: String,
}

/// The revocations that a service knows. Cheap to clone, cheap to ask.
#[derive(Clone, Default)]
pub struct Revocations(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Most of the time there is nothing to look for, and no lock to take.
    any: AtomicBool,
    known: RwLock<Known>,
}

type Subject = (RevokedKind, Uuid, Uuid);

struct Known {
    at: HashMap<Subject, i64>,
    floor: i64,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            at: HashMap::new(),
            floor: i64::MIN,
        }
    }
}

impl Revocations {
    /// Takes in what was not known yet.
    pub fn add(&self, page: &RevocationPage) {
        let mut known = self.write();
        known.take_in(page);
        if known.at.len() > 2 * MOST_REVOCATIONS {
            known.forget_the_older_half();
        }
        self.mark(&known);
    }

    /// Takes a page that was read from the beginning for all there is: what is not on it does not matter any more.
    pub fn replace(&self, page: &RevocationPage) {
        let mut known = self.write();
        *known = Known::default();
        known.take_in(page);
        self.mark(&known);
    }

    /// How many are kept.
    #[must_use]
    pub fn count(&self) -> usize {
        let known = self.0.known.read();
        known.unwrap_or_else(PoisonError::into_inner).at.len()
    }

    /// Whether a token with these claims is refused. A service's own token has no tenant and never is.
    #[must_use]
    pub fn refuse(&self, claims: &Claims) -> bool {
        if !self.0.any.load(Ordering::Acquire) {
            return false;
        }
        let Some(tenant) = claims.tid else {
            return false;
        };
        let signed = signed_at(claims);
        let known = self.0.known.read();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        let at = |kind, subject| known.at.get(&(kind, tenant, subject)).copied();
        let session = claims.sid.map(bz_kernel::SessionId::as_uuid);
        signed <= known.floor
            || session.is_some_and(|session| at(RevokedKind::Session, session).is_some())
            || claims
                .api_key
                .is_some_and(|key| at(RevokedKind::ApiKey, key).is_some_and(|at| signed <= at))
            || at(RevokedKind::Tenant, tenant).is_some_and(|at| signed <= at)
            || claims
                .sub
                .parse()
                .is_ok_and(|user: Uuid| at(RevokedKind::User, user).is_some_and(|at| signed <= at))
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self, known: &Known) {
        let any = !known.at.is_empty() || known.floor > i64::MIN;
        self.0.any.store(any, Ordering::Release);
    }
}

impl Known {
    fn take_in(&mut self, page: &RevocationPage) {
        for item in &page.items {
            let subject = (item.kind, item.tenant_id, item.subject);
            let at = self.at.entry(subject).or_insert(item.at);
            *at = item.at.max(*at);
        }
        self.floor = self.floor.max(page.floor.unwrap_or(i64::MIN));
    }

    /// Keeps memory bounded, and nothing that was revoked comes back: whoever has an older token refreshes it.
    fn forget_the_older_half(&mut self) {
        let mut instants: Vec<i64> = self.at.values().copied().collect();
        let middle = instants.len() / 2;
        let (_, floor, _) = instants.select_nth_unstable(middle);
        self.floor = self.floor.max(*floor);
        let floor = self.floor;
        self.at.retain(|_, at| *at > floor);
    }
}

/// When a token was signed, in milliseconds since 1970. `iat` has seconds only; identity's `jti` is a UUIDv7 of the same
/// clock. Any other id is taken to be of the beginning of its second, which refuses rather more than less.
fn signed_at(claims: &Claims) -> i64 {
    let seconds = i64::try_from(claims.iat).unwrap_or(i64::MAX / 1000);
    let whole = seconds.saturating_mul(1000);
    let stamp = claims.jti.get_timestamp().map(|stamp| stamp.to_unix());
    match stamp {
        Some((at, nanos)) if claims.jti.get_version_num() == 7 && at == claims.iat => {
            whole.saturating_add(i64::from(nanos / 1_000_000))
        }
        _ => whole,
    }
}

/// An instant as revocations carry it.
#[must_use]
pub fn revocation_instant(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

#[cfg(test)]
#[path = "revocation_tests.rs"]
mod tests;
