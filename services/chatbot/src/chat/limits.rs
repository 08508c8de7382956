//! How often messages may be sent: for each user and for each tenant.

use bz_auth::Caller;
use bz_http::Problem;
use bz_service::limiter::Quota;

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
    app.limiter.admit(&app.core, &buckets).await
}
