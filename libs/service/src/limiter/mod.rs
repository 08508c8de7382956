//! How often something may be done: buckets that fill again with time.
//!
//! Redis counts for all replicas together. While it does not answer, each process counts alone and allows half. Where no
//! Redis is configured there is one process, which counts alone and allows all of it.

mod admit;
mod bounded;
mod quota;

use std::{net::IpAddr, sync::Mutex};

use bz_events::Redis;
use bz_kernel::Sources;
use redis::{RedisError, Script};

pub use self::admit::{anonymous_key, rate_limited};
pub use self::bounded::{Bounded, lock};
pub use self::quota::Quota;

/// The buckets of this process, and the script that fills those in Redis.
pub struct Limiter {
    script: Script,
    alone: Mutex<Bounded<i64>>,
}

impl Limiter {
    /// No bucket has anything in it. While the process counts alone it keeps about this many.
    #[must_use]
    pub fn new(most_buckets: usize) -> Self {
        Self {
            script: Script::new(include_str!("take.lua")),
            alone: Mutex::new(Bounded::new(most_buckets)),
        }
    }

    /// Takes one from each bucket, or nothing when one of them is empty. Answers how many microseconds to wait, 0 when
    /// taken. `fails_closed` is for what few guesses would break: nothing is allowed while nobody can count.
    ///
    /// # Errors
    /// That of Redis, only with `fails_closed`.
    pub async fn take(
        &self,
        redis: &Redis,
        buckets: &[(String, Quota)],
        now: i64,
        fails_closed: bool,
    ) -> Result<i64, RedisError> {
        if !redis.is_configured() {
            return Ok(self.take_alone(buckets.iter().map(|(key, quota)| (key, *quota)), now));
        }
        match self.take_in_redis(redis, buckets, now).await {
            Ok(wait) => Ok(wait),
            Err(error) if fails_closed => Err(error),
            Err(_) => Ok(self.take_alone(buckets.iter().map(|(key, q)| (key, q.halved())), now)),
        }
    }

    async fn take_in_redis(
        &self,
        redis: &Redis,
        buckets: &[(String, Quota)],
        now: i64,
    ) -> Result<i64, RedisError> {
        let mut call = self.script.prepare_invoke();
        call.arg(now);
        for (key, quota) in buckets {
            call.key(key).arg(quota.interval).arg(quota.burst);
        }
        call.invoke_async(&mut redis.clone()).await
    }

    fn take_alone<'a>(&self, wanted: impl Iterator<Item = (&'a String, Quota)>, now: i64) -> i64 {
        let mut alone = lock(&self.alone);
        let mut longest = 0;
        let mut taken = Vec::new();
        for (key, quota) in wanted {
            match quota.take(alone.get(key).copied(), now) {
                Ok(full_at) => taken.push((key, full_at)),
                Err(wait) => longest = longest.max(wait),
            }
        }
        if longest == 0 {
            for (key, full_at) in taken {
                alone.insert(key.clone(), full_at);
            }
        }
        longest
    }
}

/// Microseconds of the service's clock. The replicas' clocks differ by little, and what is stored is cut to what this
/// one can have stored, so that a clock that was set back shuts nobody out.
#[must_use]
pub fn micros(sources: &Sources) -> i64 {
    sources.now().timestamp_micros()
}

/// The network that a client is counted for: the address itself, of IPv6 the /64 that one subscriber has.
#[must_use]
pub fn network(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// The whole seconds after which it is worth another try.
#[must_use]
pub fn retry_after(wait_micros: i64) -> u32 {
    u32::try_from(wait_micros.div_euclid(1_000_000) + 1).unwrap_or(u32::MAX)
}
