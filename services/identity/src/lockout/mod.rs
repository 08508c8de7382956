//! Failed logins make the next ones of the same address wait, and nobody is told: while an address waits, its password is
//! not compared, and the answer is that of a wrong password after the same work.
//!
//! An attempt is counted before its password is compared, so that attempts at once cannot outrun the count. Unknown
//! addresses are counted like known ones. A device from which the owner has logged in before has a count of its own, so
//! that nobody shuts the owner out by failing on purpose.

pub(crate) mod device;
mod ledger;

use std::{sync::Mutex, time::Duration};

use bz_events::Redis;
use bz_http::Problem;
use bz_kernel::TenantId;
use redis::Script;

use self::{
    device::TrustedDevice,
    ledger::{Entry, Ledger, Outcome},
};
use crate::{
    app::AppState,
    limits::{self, Bounded},
    passwords::Overloaded,
    problems::overloaded,
};

/// Ledgers that one process keeps while it counts alone.
const MOST_LEDGERS: usize = 50_000;
/// Failures that are free on a device from which the owner has logged in, as a multiple of those elsewhere.
const DEVICE_FACTOR: u32 = 2;
/// How often an attempt looks whether those before it are decided.
const LOOK_EVERY: Duration = Duration::from_millis(15);
/// How often at most: longer than hashes wait and take.
const MOST_LOOKS: usize = 130;

/// The address that a login is for, in the tenant that it is for: whether or not there are such.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoginName([u8; 32]);

impl LoginName {
    /// The name for an address in its normalised form; the nil tenant when there is none.
    pub(crate) fn new(app: &AppState, tenant: TenantId, address: &str) -> Self {
        let message = [tenant.as_uuid().as_bytes(), address.as_bytes()].concat();
        Self(app.core.secret.hmac("login-name", &message))
    }

    /// The name where others may read it: without the platform's secret it tells nothing of the address.
    pub(crate) fn to_hex(self) -> String {
        hex::encode(&self.0[..16])
    }
}

/// The ledgers of this process, and the script that keeps those in Redis.
pub(crate) struct Lockout {
    script: Script,
    alone: Mutex<Bounded<Ledger>>,
}

impl Lockout {
    /// Nobody has failed.
    pub(crate) fn new() -> Self {
        Self {
            script: Script::new(include_str!("ledger.lua")),
            alone: Mutex::new(Bounded::new(MOST_LEDGERS)),
        }
    }
}

/// An attempt to log in that was counted. It must be ended by one of its methods; one that is dropped counts as failed
/// after some time.
#[must_use]
pub(crate) struct Attempt {
    key: String,
    free: u32,
    /// Whether the password may be compared.
    pub(crate) is_open: bool,
}

/// Counts an attempt for a name, on a device that showed itself trusted for it or on any other.
///
/// # Errors
/// 503 when the attempts under way for the same name stay undecided for too long.
pub(crate) async fn admit(
    app: &AppState,
    tenant: TenantId,
    name: LoginName,
    device: Option<&TrustedDevice>,
) -> Result<Attempt, Problem> {
    let free = app.config.limits.login_failures;
    let (key, free) = match device {
        Some(device) => (
            key_of(tenant, "login-device", &device.to_hex()),
            free.saturating_mul(DEVICE_FACTOR),
        ),
        None => (key_of(tenant, "login-failures", &name.to_hex()), free),
    };
    for _ in 0..MOST_LOOKS {
        let entry = match turn(app, "admit", &key, free).await {
            0 => Entry::Open,
            1 => Entry::Closed,
            _ => Entry::Busy,
        };
        if entry != Entry::Busy {
            let is_open = entry == Entry::Open;
            return Ok(Attempt { key, free, is_open });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(overloaded(Overloaded::for_a_second()))
}

impl Attempt {
    /// The password was wrong, or was not compared because the attempt was not open. True when the owner of the address
    /// should be told of the failures, at most once an hour.
    pub(crate) async fn failed(self, app: &AppState) -> bool {
        // A turn is taken also when there is nothing to count: the work is the same.
        let operation = if self.is_open { "fail" } else { "look" };
        turn(app, operation, &self.key, self.free).await == 1
    }

    /// Nobody compared the password after all.
    pub(crate) async fn withdraw(self, app: &AppState) {
        if self.is_open {
            let _told = turn(app, "withdraw", &self.key, self.free).await;
        }
    }

    /// The password was right: the failures before it are forgotten.
    pub(crate) async fn succeeded(self, app: &AppState) {
        forget(app, &self.key).await;
    }
}

/// Forgets the failures of an address, for somebody who administrates the tenant's users and for a completed reset.
pub(crate) async fn unlock(app: &AppState, tenant: TenantId, address: &str) {
    let name = LoginName::new(app, tenant, address);
    forget(app, &key_of(tenant, "login-failures", &name.to_hex())).await;
}

fn key_of(tenant: TenantId, kind: &str, id: &str) -> String {
    format!("bz:{}:identity:{kind}:{id}", tenant.as_uuid())
}

/// One turn at the ledger, in Redis or, while it does not answer, in this process with half as many failures free.
async fn turn(app: &AppState, operation: &str, key: &str, free: u32) -> i64 {
    let (redis, now) = (&app.core.redis, limits::micros(&app.core.sources));
    if !redis.is_configured() {
        return app.lockout.turn_alone(operation, key, free, now);
    }
    match app
        .lockout
        .turn_in_redis(redis, operation, key, free, now)
        .await
    {
        Ok(answer) => answer,
        Err(_) => app
            .lockout
            .turn_alone(operation, key, (free / 2).max(1), now),
    }
}

impl Lockout {
    async fn turn_in_redis(
        &self,
        redis: &Redis,
        operation: &str,
        key: &str,
        free: u32,
        now: i64,
    ) -> redis::RedisResult<i64> {
        let mut call = self.script.prepare_invoke();
        call.key(key).arg(operation).arg(now).arg(free);
        call.arg(ledger::WINDOW).arg(ledger::LONGEST_WAIT);
        call.arg(ledger::HOURLY)
            .arg(ledger::HOUR)
            .arg(ledger::LEASE);
        call.invoke_async(&mut redis.clone()).await
    }

    fn turn_alone(&self, operation: &str, key: &str, free: u32, now: i64) -> i64 {
        let mut alone = limits::lock(&self.alone);
        let mut ledger = alone.get(key).copied().unwrap_or_default();
        let free = i64::from(free);
        let answer = match operation {
            "admit" => match ledger.admit(free, now) {
                Entry::Open => 0,
                Entry::Closed => 1,
                Entry::Busy => 2,
            },
            "fail" => i64::from(ledger.settle(Outcome::Failure, free, now)),
            "withdraw" => i64::from(ledger.settle(Outcome::Nothing, free, now)),
            _ => 0,
        };
        alone.insert(key.to_owned(), ledger);
        answer
    }
}

async fn forget(app: &AppState, key: &str) {
    limits::lock(&app.lockout.alone).remove(key);
    if app.core.redis.is_configured() {
        let forgotten: redis::RedisResult<()> = redis::cmd("DEL")
            .arg(key)
            .query_async(&mut app.core.redis.clone())
            .await;
        if let Err(error) = forgotten {
            tracing::debug!(%error, "failed logins stay counted until they are old");
        }
    }
}

#[cfg(test)]
mod tests {
    use bz_kernel::Rng;

    use super::*;

    #[tokio::test]
    async fn redis_and_the_process_alone_count_alike() {
        let url = bz_testkit::redis_url().into();
        let redis = Redis::connect_lazy(Some(&url)).unwrap();
        let (lockout, rng) = (Lockout::new(), Rng::seeded(9));
        let key = format!(
            "bz:-:identity:test:{}",
            hex::encode(Rng::system().bytes::<8>())
        );
        let mut now = 1_790_000_000_000_000;
        for step in 0..3000 {
            let [what, pause] = rng.bytes();
            let operation =
                ["admit", "admit", "fail", "fail", "withdraw", "look"][usize::from(what) % 6];
            // Mostly at once, at times after a while, seldom after the clock was set back.
            now += match pause {
                0..3 => -3_600_000_000,
                3..40 => 0,
                40..220 => 700_000,
                220..250 => 60_000_000,
                _ => 1_000_000_000,
            };
            let there = lockout
                .turn_in_redis(&redis, operation, &key, 5, now)
                .await
                .unwrap();
            let here = lockout.turn_alone(operation, &key, 5, now);
            assert_eq!(there, here, "step {step}: {operation} at {now}");
        }
    }
}
