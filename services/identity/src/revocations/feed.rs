//! `GET /internal/revocations`: what every service must refuse, for the services; and identity's own reading of it.

use std::sync::Arc;

use axum::extract::State;
use bz_auth::{RevocationPage, Service, revocation::REVOCATIONS_MATTER_FOR};
use bz_events::EventsRead;
use bz_http::{Json, Problem, Query};
use bz_service::{
    Core, Job,
    revocations::{Follower, Source},
};
use bz_tenant::DbError;
use serde::Deserialize;

use super::store;
use crate::app::AppState;

/// The longest position that is handed out, in characters. Its length depends on the transactions that are open.
const MOST_CHARACTERS: usize = 1024;

/// Where to go on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevocationsQuery {
    after: Option<String>,
}

/// The revocations that matter and that were not visible at `after`.
pub(crate) async fn list_revocations(
    State(app): State<AppState>,
    _caller: Service<EventsRead>,
    Query(query): Query<RevocationsQuery>,
) -> Result<Json<RevocationPage>, Problem> {
    let seen = match query.after {
        Some(text) => Snapshot::parse(&text).ok_or_else(|| {
            Problem::invalid_parameter("after", "invalid_cursor", "must be the next of an answer")
        })?,
        None => Snapshot::nothing(),
    };
    Ok(Json(read(&app.core, &seen).await?))
}

async fn read(core: &Core, seen: &Snapshot) -> Result<RevocationPage, DbError> {
    let since = core.sources.now() - REVOCATIONS_MATTER_FOR;
    let mut tx = core.db.system().await?;
    store::unseen(&mut tx, seen, since).await
}

/// What a reader has seen: a `pg_snapshot` as Postgres writes it, `xmin:xmax:xip,xip`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot(String);

impl Snapshot {
    /// Before the first transaction.
    fn nothing() -> Self {
        Self("1:1:".to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads what Postgres reads too: ids rise, and those in between are from `xmin` to below `xmax`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let (lowest, next, open) = (
            number(parts.next()?)?,
            number(parts.next()?)?,
            parts.next()?,
        );
        let mut least = lowest;
        for id in open.split(',').filter(|_| !open.is_empty()) {
            let id = number(id)?;
            if id < least || id >= next {
                return None;
            }
            least = id + 1;
        }
        (lowest >= 1 && next >= lowest).then(|| Self(text.to_owned()))
    }

    /// As it is handed out. One with too many open transactions forgets what it saw behind the oldest of them, which is
    /// told again then.
    pub(super) fn shortened(self) -> String {
        if self.0.len() <= MOST_CHARACTERS {
            return self.0;
        }
        let lowest = self.0.split(':').next().unwrap_or("1");
        format!("{lowest}:{lowest}:")
    }
}

fn number(text: &str) -> Option<u64> {
    // `parse` alone would accept a sign. Postgres' ids are below 2^63 for as long as anybody lives.
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|id| digits && *id < 1 << 63)
}

/// Identity's own table, for identity.
struct Table(Core);

impl Source for Table {
    async fn read(&self, after: Option<&str>) -> anyhow::Result<RevocationPage> {
        let seen = after.and_then(Snapshot::parse);
        Ok(read(&self.0, &seen.unwrap_or_else(Snapshot::nothing)).await?)
    }
}

/// Takes in the revocations, and makes the job that follows them.
///
/// # Errors
/// When they cannot be read.
pub(crate) async fn follow(app: &AppState) -> anyhow::Result<Job> {
    let source = Table(app.core.clone());
    let mut follower = Follower::new(&app.core, source, Arc::clone(&app.changed));
    follower.turn().await?;
    Ok(follower.job())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_what_postgres_takes_for_a_snapshot() {
        for text in ["1:1:", "10:20:10,14,15", "10:20:", "7:7:"] {
            assert!(Snapshot::parse(text).is_some(), "{text}");
        }
        let wrong = [
            "",
            ":",
            "::",
            "1:1",
            "0:1:",
            "2:1:",
            "1:5:5",
            "3:5:2",
            "1:5:3,3",
            "1:5:3,2",
            "1:5:3,",
            "1:5:,3",
            "-1:5:",
            "+1:5:",
            "1:5:x",
            "1:99999999999999999999:",
            " 1:1:",
            "1:1:'",
        ];
        for text in wrong {
            assert!(Snapshot::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_long_position_is_cut_to_what_is_told_twice_rather_than_never() {
        let open: Vec<String> = (10..1000).map(|id| id.to_string()).collect();
        let long = Snapshot::parse(&format!("10:1000:{}", open.join(","))).unwrap();
        assert_eq!(long.shortened(), "10:10:");
        assert_eq!(Snapshot::nothing().shortened(), "1:1:");
    }
}
