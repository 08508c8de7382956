use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{home_of, store, store::Place};
use crate::app::AppState;

/// A tenant of the caller's.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MyTenant {
    /// Its id.
    id: Uuid,
    /// Its name in addresses and at login.
    slug: String,
    /// Its name for people.
    name: String,
    /// The caller's roles there.
    roles: Vec<String>,
    /// Whether the caller's password is there.
    is_home: bool,
    /// Whether the token is for it.
    is_current: bool,
}

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListTenants {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenants in which the caller may work: the home, and where the caller is a guest.
#[utoipa::path(
    get, path = "/auth/tenants", tag = "account",
    params(ListTenants),
    responses((status = 200, description = "One page", body = Page<MyTenant>), bz_http::openapi::ListProblems),
)]
pub(crate) async fn list_my_tenants(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<ListTenants>,
) -> Result<Json<Page<MyTenant>>, Problem> {
    let (home, current) = (home_of(&caller), caller.tenant());
    let cursors = &app.core.cursors;
    let list = format!("my-tenants?user={}", caller.user);
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, current, &list)?;
    let mut tx = app.core.db.system().await?;
    let one_more = i32::from(page.limit) + 1;
    let places = store::tenants_of_person(&mut tx, home, caller.user, page.after, one_more).await?;
    let seal = |last: &Place| cursors.seal(current, &list, &last.tenant);
    let Page { items, next_cursor } = Page::<Place>::cut(places, page.limit, seal);
    let items = items
        .into_iter()
        .map(|place| MyTenant {
            is_home: place.tenant == home.as_uuid(),
            is_current: place.tenant == current.as_uuid(),
            id: place.tenant,
            slug: place.slug,
            name: place.name,
            roles: vec![place.role],
        })
        .collect();
    Ok(Json(Page { items, next_cursor }))
}
