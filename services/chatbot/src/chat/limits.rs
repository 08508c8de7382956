//! How often messages may be sent: for each user and for each tenant.

use axum::http::StatusCode;
use bz_auth::Caller;
use bz_http::Problem;
use bz_service::limiter::{self, Quota};

use crate::app::AppState;

/// Takes one of the messages that the user and the tenant may send.
///
/// # Errors
/// 429 `rate_limited` with the seconds to wait when they are used up.
pub(crate) async fn take(app: &AppState, caller: &Caller) -> Result<(), Problem> {
    let tenant = caller.tenant();
    let limits = [
        (
            format!("bz:{tenant}:chat:limit-user:{}", caller.user),
            app.per_user,
        ),
        (format!("bz:{tenant}:chat:limit-tenant:-"), app.per_tenant),
    ];
    let buckets: Vec<(String, Quota)> = limits
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(key, count)| (key, Quota::a_minute(count)))
        .collect();
    if buckets.is_empty() {
        return Ok(());
    }
    let now = limiter::micros(&app.core.sources);
    let taken = app
        .limiter
        .take(&app.core.redis, &buckets, now, false)
        .await;
    match taken.map_err(Problem::unavailable)? {
        0 => Ok(()),
        wait => Err(rate_limited(limiter::retry_after(wait))),
    }
}

fn rate_limited(seconds: u32) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limited",
        "Too many requests",
    )
    .detail(format!(
        "There were too many messages in a short time. Send the next one in {seconds} seconds."
    ))
    .retry_after(seconds)
}
