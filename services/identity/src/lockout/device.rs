//! The cookie of a device from which somebody has logged in before: `1.<base64url(device ‖ issued)>.<base64url(mac)>`.
//!
//! It lets nobody in. It moves a login to a count of failures of its own, for the one address that it was made for.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use http::{HeaderMap, HeaderValue};

use super::LoginName;
use crate::{app::AppState, cookies};

/// A name that a browser accepts from this host only, over TLS only, for all paths.
const COOKIE: &str = "__Host-td";
/// How long a device is trusted after the last login from it.
const LIFETIME: TimeDelta = TimeDelta::days(180);
const VERSION: &str = "1";

/// A device from which the owner of an address has logged in.
pub(crate) struct TrustedDevice([u8; 16]);

impl TrustedDevice {
    /// The device of the request, if it is trusted for this name.
    pub(crate) fn of(app: &AppState, headers: &HeaderMap, name: LoginName) -> Option<Self> {
        let (version, rest) = cookies::get(headers, COOKIE)?.split_once('.')?;
        let (body, mac) = rest.split_once('.')?;
        let body: [u8; 24] = URL_SAFE_NO_PAD.decode(body).ok()?.try_into().ok()?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        verify_slices_are_equal(&mac, &sign(app, name, &body)).ok()?;
        let (device, issued) = body.split_first_chunk::<16>()?;
        let age = app.core.sources.now().timestamp() - i64::from_be_bytes(issued.try_into().ok()?);
        (version == VERSION && age < LIFETIME.num_seconds()).then_some(Self(*device))
    }

    /// The device as a key.
    pub(super) fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}

/// The cookie for a device from which the owner of the name has just logged in; the same device when it was trusted.
pub(crate) fn cookie(
    app: &AppState,
    name: LoginName,
    known: Option<&TrustedDevice>,
) -> HeaderValue {
    let sources = &app.core.sources;
    let device = known.map_or_else(|| sources.rng.bytes(), |known| known.0);
    let issued = sources.now().timestamp().to_be_bytes();
    let body = [&device[..], &issued].concat();
    let value = format!(
        "{VERSION}.{}.{}",
        URL_SAFE_NO_PAD.encode(&body),
        URL_SAFE_NO_PAD.encode(sign(app, name, &body))
    );
    cookies::set(COOKIE, &value, LIFETIME)
}

fn sign(app: &AppState, name: LoginName, body: &[u8]) -> [u8; 32] {
    let message = [&name.0[..], body].concat();
    app.core.secret.hmac("trusted-device", &message)
}
