use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::{Page, UserId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    ManagedUser, UsersManage,
    store::{self, Wanted},
};
use crate::{app::AppState, users::Email};

/// Whether a user may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum UserStatus {
    /// The user may log in.
    Active,
    /// The user may not.
    Disabled,
}

impl UserStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListUsers {
    /// Only users in this status.
    #[param(inline)]
    status: Option<UserStatus>,
    /// Only the user with this address.
    email: Option<String>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The users whose home the tenant is, the newest first.
#[utoipa::path(
    get, path = "/api/users", tag = "users", security(("bearer" = ["users:manage"])),
    params(ListUsers),
    responses((status = 200, description = "One page", body = Page<ManagedUser>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_users(
    State(app): State<AppState>,
    caller: Can<UsersManage>,
    Query(query): Query<ListUsers>,
) -> Result<Json<Page<ManagedUser>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let status = query.status.map(UserStatus::as_str);
    let email = query.email.as_deref().map(|text| {
        // What is no address is nobody's.
        Email::parse(text).map_or_else(|_| String::new(), |email| email.as_str().to_owned())
    });
    let wanted = Wanted {
        status,
        email: email.as_deref(),
    };
    let list = format!("users?{wanted:?}");
    let page = PageQuery::new(query.limit, query.cursor).open::<UserId>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let users = store::list(&mut tx, wanted, page.after, page.limit).await?;
    Ok(Json(Page::cut(users, page.limit, |last: &ManagedUser| {
        cursors.seal(tenant, &list, &last.id)
    })))
}
