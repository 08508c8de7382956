use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::{Page, SessionId, TenantId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    store,
    store_own::{self, LiveSession},
};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListSessions {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A place where the user is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionInfo {
    /// The session's id, which is `sid` in tokens.
    id: SessionId,
    /// Whether it is the one of the token that asks.
    current: bool,
    /// The tenant that it is a session of.
    tenant_id: TenantId,
    /// The client that its tokens are given to.
    client_id: String,
    /// When the user logged in.
    created_at: DateTime<Utc>,
    /// When the user last proved who they are in it.
    auth_time: DateTime<Utc>,
    /// When it was last refreshed.
    last_used_at: DateTime<Utc>,
    /// When it ends at the latest.
    expires_at: DateTime<Utc>,
    /// The address that it was last refreshed from.
    ip: Option<String>,
    /// What the client called itself then.
    user_agent: Option<String>,
    /// What the user calls the device.
    device_name: Option<String>,
    /// How strongly the user proved who they are: `aal1` or `aal2`.
    acr: String,
    /// By what.
    amr: Vec<String>,
}

impl SessionInfo {
    fn of(row: LiveSession, tenant: TenantId, current: Option<SessionId>) -> Self {
        let id = SessionId::from_uuid(row.id);
        let created_at = store::started_at(row.id).unwrap_or(row.auth_time);
        Self {
            id,
            current: Some(id) == current,
            tenant_id: tenant,
            client_id: row.client_id,
            created_at,
            auth_time: row.auth_time,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            ip: row.ip,
            user_agent: row.user_agent,
            device_name: row.device_name,
            acr: row.acr,
            amr: row.amr,
        }
    }
}

/// Where am I logged in?
///
/// The sessions of the user in the tenant of the token that have not ended, newest first.
#[utoipa::path(
    get, path = "/auth/sessions", tag = "sessions",
    params(ListSessions),
    responses((status = 200, description = "One page", body = Page<SessionInfo>), bz_http::openapi::ListProblems),
)]
pub(crate) async fn list_sessions(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<ListSessions>,
) -> Result<Json<Page<SessionInfo>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let list = format!("sessions?user={}", caller.user);
    let page =
        PageQuery::new(query.limit, query.cursor).open::<SessionId>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let now = app.core.sources.now();
    let rows = store_own::list(&mut tx, caller.user, page.after, page.limit, now).await?;
    let rows = rows
        .into_iter()
        .map(|row| SessionInfo::of(row, tenant, caller.session))
        .collect();
    Ok(Json(Page::cut(rows, page.limit, |last: &SessionInfo| {
        cursors.seal(tenant, &list, &last.id)
    })))
}
