//! The endpoints of duplicates and merges, for every type that has both: each names its words, and gets them documented.

use bz_auth::Caller;
use bz_http::{Json, Problem, Versioned};
use bz_kernel::Page;
use uuid::Uuid;

use super::{Candidate, candidates, keys_of};
use crate::{
    app::AppState,
    records::{Record, access, handlers, store},
};

/// Records that are probably the same as this one, the surest first.
pub(crate) async fn list<R: Record>(
    app: &AppState,
    caller: &Caller,
    id: Uuid,
) -> Result<Json<Page<Candidate<R>>>, Problem> {
    let Versioned(_, record): Versioned<R> = handlers::get(app, caller, id).await?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let keys = keys_of::<R>(&record.fields());
    let mut items: Vec<Candidate<R>> = candidates(&mut tx, &keys, Some(id)).await?;
    let sight = access::reads(app, &mut tx, caller, R::TYPE).await?;
    if sight != access::Sight::All {
        let mut seen = Vec::with_capacity(items.len());
        for candidate in items {
            let found: Option<R> = store::find(&mut tx, sight, candidate.record.head().id).await?;
            seen.extend(found.map(|_| candidate));
        }
        items = seen;
    }
    Ok(Json(Page {
        items,
        next_cursor: None,
    }))
}

/// Declares `duplicates` and `merge` of a type, and `routes()` with them.
macro_rules! duplicate_endpoints {
    (
        $record:ident($id:ty), $read:ident = $read_name:literal, $write:ident = $write_name:literal, tag $tag:literal,
        $duplicates_path:literal, $merge_path:literal,
        duplicates $duplicates:ident $duplicates_text:literal,
        merge $merge:ident $merge_text:literal,
    ) => {
        use axum::extract::State;
        use bz_auth::Can;
        use bz_http::{IfMatch, Json, Path, Problem, Routes, routes};
        use bz_kernel::Page;

        use super::{$read, $record, $write};
        use $crate::{
            app::AppState,
            duplicates::{self, Candidate},
            merges::{self, Merge, Merged},
        };

        /// The routes of duplicates and merges.
        pub(crate) fn routes() -> Routes<AppState> {
            Routes::new()
                .routes(routes!($duplicates))
                .routes(routes!($merge))
        }

        #[doc = $duplicates_text]
        ///
        /// At most 20, the surest first, each with a score from 0 to 1 and the reasons. One list; there is no next page.
        #[utoipa::path(
            get, path = $duplicates_path, tag = $tag,
            security(("bearer" = [$read_name])),
            params(("id" = $id, Path, description = "Its id")),
            responses(
                (status = 200, description = "What is probably the same", body = Page<Candidate<$record>>),
                bz_http::openapi::ReadProblems,
            ),
        )]
        pub(crate) async fn $duplicates(
            State(app): State<AppState>,
            caller: Can<$read>,
            Path(id): Path<$id>,
        ) -> Result<Json<Page<Candidate<$record>>>, Problem> {
            duplicates::endpoints::list(&app, &caller, id.as_uuid()).await
        }

        #[doc = $merge_text]
        ///
        /// One transaction: the others' tags are added, their values fill what is empty, `fields` says where another's
        /// value is wanted; whatever is linked to the others is linked to the primary record from then on. The others go to
        /// the trash and answer 410 with `merged_into`. It can be undone for 30 days: `POST /api/merges/{id}/undo`. The
        /// same request once more is answered with the same merge. With `If-Match` it is done only on that version of the
        /// primary record.
        #[utoipa::path(
            post, path = $merge_path, tag = $tag,
            security(("bearer" = [$write_name])),
            params(IfMatch),
            request_body = Merge,
            responses(
                (status = 200, description = "The merge and the record", body = Merged<$record>),
                bz_http::openapi::ChangeProblems,
            ),
        )]
        pub(crate) async fn $merge(
            State(app): State<AppState>,
            caller: Can<$write>,
            if_match: IfMatch,
            Json(wanted): Json<Merge>,
        ) -> Result<Json<Merged<$record>>, Problem> {
            merges::merge(&app, &caller, &if_match, wanted).await
        }
    };
}
pub(crate) use duplicate_endpoints;
