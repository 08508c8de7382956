use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// The widget. It is compiled in: there is nothing to install, and it fits the service's version.
const SCRIPT: &str = include_str!("widget.js");

/// The chat widget as a script, for `<script src=".../widget.js" data-token-function="chatToken" defer>` in other pages.
///
/// It has no dependencies and no inline style or script, so that a page with a strict Content-Security-Policy allows it with
/// `script-src` and `connect-src` of this address. The page's own origin has to be in `CORS_ALLOWED_ORIGINS`.
#[utoipa::path(
    get, path = "/widget.js", tag = "widget",
    security(()),
    responses((status = 200, description = "The script", body = String, content_type = "text/javascript")),
)]
pub(super) async fn get_widget_script() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, SCRIPT).into_response()
}
