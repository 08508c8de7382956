//! When a key is made, starts to sign, stops, and goes.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Algorithm, State, StoredKey};
use crate::sessions::ACCESS_TOKEN_LIFETIME;

/// How long a key signs.
const USED_FOR: TimeDelta = TimeDelta::days(90);
/// How long a key is published before it signs: longer than anybody keeps a JWKS.
const PUBLISHED_BEFORE: TimeDelta = TimeDelta::hours(24);
/// How long a key is published after it stopped: until its last token has ended, and an hour for clocks and caches.
const PUBLISHED_AFTER: TimeDelta = TimeDelta::minutes(ACCESS_TOKEN_LIFETIME.num_minutes() + 60);

/// What is to be done with the keys now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is no key at all: make one that signs.
    CreateActive,
    /// The signing key will stop soon: publish its successor.
    CreateNext,
    /// The successor starts to sign.
    Activate { kid: String },
    /// The signing key stops, and its successor starts.
    Succeed {
        retire: String,
        activate: String,
        expires_at: DateTime<Utc>,
    },
    /// Nothing that the key signed is good any more.
    Delete { kid: String },
}

/// The first step that is due with the keys of one algorithm; `None` when all is well. Steps are taken until there is none.
pub(super) fn due_of(keys: &[StoredKey], algorithm: Algorithm, now: DateTime<Utc>) -> Option<Step> {
    let own: Vec<StoredKey> = keys
        .iter()
        .filter(|key| key.key.algorithm() == algorithm)
        .cloned()
        .collect();
    due(&own, now)
}

fn due(keys: &[StoredKey], now: DateTime<Utc>) -> Option<Step> {
    let find = |state| keys.iter().find(|key| key.state == state);
    let kid = |key: &StoredKey| key.key.kid().to_owned();
    let Some(active) = find(State::Active) else {
        return Some(
            find(State::Next).map_or(Step::CreateActive, |next| Step::Activate { kid: kid(next) }),
        );
    };
    let used_since = active.activated_at.unwrap_or(active.created_at);
    match find(State::Next) {
        None if used_since + USED_FOR - PUBLISHED_BEFORE <= now => return Some(Step::CreateNext),
        Some(next) if used_since + USED_FOR <= now && next.created_at + PUBLISHED_BEFORE <= now => {
            let expires_at = now + PUBLISHED_AFTER;
            return Some(Step::Succeed {
                retire: kid(active),
                activate: kid(next),
                expires_at,
            });
        }
        _ => {}
    }
    let over = |key: &&StoredKey| key.expires_at.is_some_and(|at| at <= now);
    keys.iter()
        .find(over)
        .map(|key| Step::Delete { kid: kid(key) })
}

#[cfg(test)]
mod tests {
    use bz_auth::SigningKey;
    use bz_kernel::Rng;

    use super::super::PrivateKey;
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap() + TimeDelta::hours(hours)
    }

    fn key(seed: u64, state: State, hours: i64) -> StoredKey {
        let key = PrivateKey::Access(Box::new(SigningKey::generate(&Rng::seeded(seed)).unwrap()));
        let activated_at = (state != State::Next).then_some(at(hours));
        let expires_at = (state == State::Retired).then_some(at(hours));
        StoredKey {
            key,
            state,
            created_at: at(hours),
            activated_at,
            expires_at,
        }
    }

    #[test]
    fn an_installation_without_keys_gets_one_that_signs_at_once() {
        assert_eq!(due(&[], at(0)), Some(Step::CreateActive));
        let next = key(1, State::Next, 0);
        assert_eq!(
            due(std::slice::from_ref(&next), at(0)),
            Some(Step::Activate {
                kid: next.key.kid().to_owned()
            })
        );
    }

    #[test]
    fn the_keys_of_each_algorithm_are_replaced_by_themselves() {
        let keys = [key(1, State::Active, 0)];
        assert_eq!(due_of(&keys, Algorithm::EdDsa, at(0)), None);
        let missing = due_of(&keys, Algorithm::Rs256, at(0));
        assert_eq!(missing, Some(Step::CreateActive));
    }

    #[test]
    fn a_successor_is_published_a_day_before_it_signs() {
        let active = key(1, State::Active, 0);
        let day = 24;
        assert_eq!(due(std::slice::from_ref(&active), at(89 * day - 1)), None);
        assert_eq!(
            due(std::slice::from_ref(&active), at(89 * day)),
            Some(Step::CreateNext)
        );
        let next = key(2, State::Next, 89 * day);
        let both = [active, next];
        assert_eq!(due(&both, at(90 * day - 1)), None);
        let Some(Step::Succeed {
            retire,
            activate,
            expires_at,
        }) = due(&both, at(90 * day))
        else {
            panic!("due")
        };
        assert_eq!(
            (retire.as_str(), activate.as_str()),
            (both[0].key.kid(), both[1].key.kid())
        );
        assert_eq!(expires_at, at(90 * day) + TimeDelta::minutes(70));
    }

    #[test]
    fn a_successor_that_was_made_late_is_still_published_for_a_day() {
        let both = [key(1, State::Active, 0), key(2, State::Next, 3000)];
        assert_eq!(due(&both, at(3023)), None);
        assert!(matches!(due(&both, at(3024)), Some(Step::Succeed { .. })));
    }

    #[test]
    fn a_retired_key_goes_when_its_last_token_has_ended() {
        let keys = [key(1, State::Retired, 2), key(2, State::Active, 0)];
        assert_eq!(due(&keys, at(1)), None);
        assert_eq!(
            due(&keys, at(2)),
            Some(Step::Delete {
                kid: keys[0].key.kid().to_owned()
            })
        );
    }
}
