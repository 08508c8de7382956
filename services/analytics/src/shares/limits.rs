//! How often links may be opened by people whom nobody knows.

use axum::Extension;
use bz_http::{ClientIp, Problem};
use bz_service::limiter::{self, Quota};

use crate::app::AppState;

/// Requests a minute from one network, for all links together.
const PER_NETWORK: u32 = 120;
/// Requests a minute for one link, wherever they come from.
const PER_LINK: u32 = 1_200;

/// Where a request comes from, when that is known.
pub(super) type Peer = Option<Extension<ClientIp>>;

/// Lets a request for a link through.
///
/// # Errors
/// 429 when the network or the link has had too many.
pub(super) async fn admit(app: &AppState, peer: Peer, token: &str) -> Result<(), Problem> {
    let bucket = |limit, whom: &str, count| {
        let key = limiter::anonymous_key(&app.core, limit, whom);
        (key, Quota::a_minute(count))
    };
    let network = peer.map(|Extension(ClientIp(ip))| limiter::network(ip));
    let network = network.map(|network| bucket("share-network", &network, PER_NETWORK));
    let link = bucket("share-link", token, PER_LINK);
    let buckets: Vec<_> = network.into_iter().chain([link]).collect();
    app.limiter.admit(&app.core, &buckets).await
}
