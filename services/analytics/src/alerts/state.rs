//! How an alert stands, and what a finding makes of it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertState {
    /// As it should be.
    Ok,
    /// The rule is broken, but not for long enough.
    Pending,
    /// The rule is broken.
    Firing,
    /// It was broken until the piece of time before.
    Resolved,
}

impl AlertState {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }

    pub(super) fn named(name: &str) -> Self {
        let all = [Self::Pending, Self::Firing, Self::Resolved];
        all.into_iter()
            .find(|state| state.as_str() == name)
            .unwrap_or(Self::Ok)
    }
}

/// What is remembered from one piece of time to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) state: AlertState,
    /// Pieces of time in a row that broke the rule.
    pub(super) streak: i32,
    /// Whether somebody was told that it fires.
    pub(super) told: bool,
    pub(super) told_at: Option<DateTime<Utc>>,
}

/// What somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tell {
    Firing,
    Resolved,
}

impl Standing {
    /// What a piece of time makes of it, and whether somebody is told. Who was not told of the one is not told of the
    /// other; within the cooldown nobody is told, but later, when it still fires.
    pub(super) fn after(
        self,
        broken: bool,
        confirm: u8,
        cooldown: TimeDelta,
        now: DateTime<Utc>,
    ) -> (Self, Option<Tell>) {
        let streak = if broken {
            self.streak.saturating_add(1)
        } else {
            0
        };
        let confirmed = streak >= i32::from(confirm);
        let state = match (self.state, broken) {
            (AlertState::Firing, true) => AlertState::Firing,
            (AlertState::Firing, false) => AlertState::Resolved,
            (_, true) if confirmed => AlertState::Firing,
            (_, true) => AlertState::Pending,
            (_, false) => AlertState::Ok,
        };
        let rested = self.told_at.is_none_or(|at| now - at >= cooldown);
        let tell = match state {
            AlertState::Firing if !self.told && rested => Some(Tell::Firing),
            AlertState::Resolved if self.told => Some(Tell::Resolved),
            _ => None,
        };
        let next = Self {
            state,
            streak,
            told: state == AlertState::Firing && (self.told || tell.is_some()),
            told_at: if tell == Some(Tell::Firing) {
                Some(now)
            } else {
                self.told_at
            },
        };
        (next, tell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs pieces of time an hour apart: `!` breaks the rule. Answers states and what was told.
    fn run(pieces: &str, confirm: u8, cooldown_hours: i64) -> (String, String) {
        let mut standing = Standing {
            state: AlertState::Ok,
            streak: 0,
            told: false,
            told_at: None,
        };
        let (mut states, mut told) = (String::new(), String::new());
        for (n, piece) in pieces.chars().enumerate() {
            let now = DateTime::UNIX_EPOCH + TimeDelta::hours(i64::try_from(n).unwrap());
            let (next, tell) =
                standing.after(piece == '!', confirm, TimeDelta::hours(cooldown_hours), now);
            standing = next;
            states.push_str(&next.state.as_str()[..1]);
            told.push(match tell {
                Some(Tell::Firing) => 'F',
                Some(Tell::Resolved) => 'R',
                None => '.',
            });
        }
        (states, told)
    }

    #[test]
    fn an_alert_goes_from_ok_by_pending_to_firing_and_back_by_resolved() {
        let table = [
            ("..!!..", 1, 0, "ooffro", "..F.R."),
            ("..!!!..", 2, 0, "oopffro", "...F.R."),
            (".!.!.", 2, 0, "opopo", "....."),
            ("!.!.!.", 1, 0, "frfrfr", "FRFRFR"),
            // Within the cooldown nobody is told, nor of the end of what nobody was told of.
            ("!.!.!!!!.", 1, 5, "frfrffffr", "FR...F..R"),
        ];
        for (pieces, confirm, cooldown, states, told) in table {
            assert_eq!(
                run(pieces, confirm, cooldown),
                (states.to_owned(), told.to_owned()),
                "{pieces}"
            );
        }
    }
}
