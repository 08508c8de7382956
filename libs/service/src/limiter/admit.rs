//! What most limits do with a request: let it through, or refuse it with the time to wait.

use bz_http::Problem;
use http::StatusCode;

use super::{Limiter, Quota, micros, retry_after};
use crate::Core;

impl Limiter {
    /// Lets a request through that takes one from each of the buckets. Without Redis each process counts alone.
    ///
    /// # Errors
    /// 429 `rate_limited` with the seconds to wait when one of them is empty.
    pub async fn admit(&self, core: &Core, buckets: &[(String, Quota)]) -> Result<(), Problem> {
        if buckets.is_empty() {
            return Ok(());
        }
        let now = micros(&core.sources);
        let taken = self.take(&core.redis, buckets, now, false).await;
        match taken.map_err(Problem::unavailable)? {
            0 => Ok(()),
            wait => Err(rate_limited(wait)),
        }
    }
}

/// The key of a bucket for somebody whose tenant is not known: Redis learns a digest, not an address.
#[must_use]
pub fn anonymous_key(core: &Core, limit: &str, whom: &str) -> String {
    let digest = core.secret.hmac("limits", whom.as_bytes());
    let digest = hex::encode(&digest[..16]);
    format!("bz:-:{}:limit-{limit}:{digest}", core.info.name)
}

/// 429: too often.
#[must_use]
pub fn rate_limited(wait_micros: i64) -> Problem {
    let seconds = retry_after(wait_micros);
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limited",
        "Too many requests",
    )
    .detail(format!(
        "There were too many requests in a short time. Send the next one in {seconds} seconds."
    ))
    .retry_after(seconds)
}
