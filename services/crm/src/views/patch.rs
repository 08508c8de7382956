use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Patch, Path, Problem, Versioned};
use uuid::Uuid;

use super::{PatchView, View, ViewsWrite, check, locked, store};
use crate::app::AppState;

/// Change a view. A shared one of somebody else needs `views:manage`.
///
/// With `If-Match` the change is made only on that version.
#[utoipa::path(
    patch, path = "/api/views/{id}", tag = "views",
    security(("bearer" = ["views:write"])),
    params(("id" = Uuid, Path, description = "Its id"), IfMatch),
    request_body = PatchView,
    responses(
        (status = 200, description = "It, as it is now", body = View,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_view(
    State(app): State<AppState>,
    caller: Can<ViewsWrite>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(patch): Json<PatchView>,
) -> Result<Versioned<View>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let view = locked(&mut tx, &caller, id).await?;
    if_match.check(view.version)?;
    let wanted = patch.onto(view);
    let filter = wanted.filter.as_ref().map(|filter| &filter.0);
    let what = (filter, &wanted.sort[..], &wanted.columns[..]);
    check(&app, (&mut tx, &caller), &wanted.record_type, what).await?;
    let after = store::update(&mut tx, app.core.sources.now(), &wanted).await?;
    tx.commit().await?;
    Ok(Versioned(after.version, after))
}

impl PatchView {
    fn onto(self, view: View) -> View {
        let filter = match self.filter {
            Patch::Absent => view.filter,
            Patch::Null => None,
            Patch::Value(filter) => Some(sqlx::types::Json(filter)),
        };
        View {
            name: self.name.unwrap_or(view.name),
            filter,
            sort: self.sort.unwrap_or(view.sort),
            columns: self.columns.unwrap_or(view.columns),
            shared: self.shared.unwrap_or(view.shared),
            ..view
        }
    }
}
