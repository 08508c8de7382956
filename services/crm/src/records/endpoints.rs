//! The endpoints that every type of record has: each type names its words, and gets them documented.

/// Declares `create`, `get`, `put`, `patch`, `delete` and `restore` of a type, and `routes()` with them.
macro_rules! endpoints {
    (
        $record:ident($id:ty), $wanted:ident, $change:ident, $read:ident = $read_name:literal, $write:ident = $write_name:literal,
        tag $tag:literal,
        $list_path:literal, $path:literal, $restore_path:literal,
        create $create:ident $create_text:literal,
        get $get:ident $get_text:literal,
        put $put:ident $put_text:literal,
        patch $patch:ident $patch_text:literal,
        delete $delete:ident $delete_text:literal,
        restore $restore:ident $restore_text:literal,
    ) => {
        use axum::{extract::State, http::StatusCode, response::Response};
        use bz_auth::Can;
        use bz_http::{IdempotencyKey, IfMatch, Json, Path, Problem, Query, Versioned, Routes, routes};

        use super::{$read, $record, $wanted, $write};
        use $crate::{
            app::AppState,
            duplicates::{self, OnCreate},
            records::{handlers, patch::Change},
        };

        /// A change of one.
        type $change = Change<$wanted>;

        /// The routes that every type has.
        pub(crate) fn routes() -> Routes<AppState> {
            Routes::new()
                .routes(routes!($create))
                .routes(routes!($get, $put, $patch, $delete))
                .routes(routes!($restore))
        }

        #[doc = $create_text]
        ///
        /// With an `Idempotency-Key` the same request may be sent again: the first answer is given once more. When there is
        /// the same already, the answer is 409 `duplicate` with the `candidates`, unless `on_duplicate` says otherwise.
        #[utoipa::path(
            post, path = $list_path, tag = $tag,
            security(("bearer" = [$write_name])),
            params(OnCreate, IdempotencyKey),
            request_body = $wanted,
            responses(
                (status = 200, description = "The same that was there already, with `on_duplicate` `update` or `return`",
                 body = $record, headers(("ETag" = String, description = "Its version"))),
                (status = 201, description = "It, as it is now", body = $record,
                 headers(("ETag" = String, description = "Its version"))),
                bz_http::openapi::WriteProblems,
            ),
        )]
        pub(crate) async fn $create(
            State(app): State<AppState>,
            caller: Can<$write>,
            Query(how): Query<OnCreate>,
            key: IdempotencyKey,
            Json(wanted): Json<$wanted>,
        ) -> Result<Response, Problem> {
            duplicates::create::<$record>(&app, &caller, &key, how.on_duplicate, wanted).await
        }

        #[doc = $get_text]
        #[utoipa::path(
            get, path = $path, tag = $tag,
            security(("bearer" = [$read_name])),
            params(("id" = $id, Path, description = "Its id"), bz_http::IfNoneMatch),
            responses(
                (status = 200, description = "It", body = $record,
                 headers(("ETag" = String, description = "Its version"))),
                (status = 304, description = "It is still the version that `If-None-Match` names"),
                (status = 410, description = "It was merged into another: `merged_into`",
                 body = bz_http::ProblemDocument, content_type = "application/problem+json"),
                bz_http::openapi::ReadProblems,
            ),
        )]
        pub(crate) async fn $get(
            State(app): State<AppState>,
            caller: Can<$read>,
            Path(id): Path<$id>,
        ) -> Result<Versioned<$record>, Problem> {
            handlers::get(&app, &caller, id.as_uuid()).await
        }

        #[doc = $put_text]
        ///
        /// Fields that are not sent are cleared. With `If-Match` the change is made only on that version.
        #[utoipa::path(
            put, path = $path, tag = $tag,
            security(("bearer" = [$write_name])),
            params(("id" = $id, Path, description = "Its id"), IfMatch),
            request_body = $wanted,
            responses(
                (status = 200, description = "It, as it is now", body = $record,
                 headers(("ETag" = String, description = "Its version"))),
                bz_http::openapi::ChangeProblems,
            ),
        )]
        pub(crate) async fn $put(
            State(app): State<AppState>,
            caller: Can<$write>,
            Path(id): Path<$id>,
            if_match: IfMatch,
            Json(wanted): Json<$wanted>,
        ) -> Result<Versioned<$record>, Problem> {
            handlers::put(&app, &caller, id.as_uuid(), &if_match, wanted).await
        }

        #[doc = $patch_text]
        ///
        /// JSON merge patch: a missing field stays, `null` clears it. With `If-Match` the change is made only on that
        /// version.
        #[utoipa::path(
            patch, path = $path, tag = $tag,
            security(("bearer" = [$write_name])),
            params(("id" = $id, Path, description = "Its id"), IfMatch),
            request_body = $change,
            responses(
                (status = 200, description = "It, as it is now", body = $record,
                 headers(("ETag" = String, description = "Its version"))),
                bz_http::openapi::ChangeProblems,
            ),
        )]
        pub(crate) async fn $patch(
            State(app): State<AppState>,
            caller: Can<$write>,
            Path(id): Path<$id>,
            if_match: IfMatch,
            Json(change): Json<$change>,
        ) -> Result<Versioned<$record>, Problem> {
            handlers::patch(&app, &caller, id.as_uuid(), &if_match, change).await
        }

        #[doc = $delete_text]
        ///
        /// It stays in the trash for 30 days and can be restored.
        #[utoipa::path(
            delete, path = $path, tag = $tag,
            security(("bearer" = [$write_name])),
            params(("id" = $id, Path, description = "Its id"), IfMatch),
            responses((status = 204, description = "It is in the trash"), bz_http::openapi::ChangeProblems),
        )]
        pub(crate) async fn $delete(
            State(app): State<AppState>,
            caller: Can<$write>,
            Path(id): Path<$id>,
            if_match: IfMatch,
        ) -> Result<StatusCode, Problem> {
            handlers::delete::<$record>(&app, &caller, id.as_uuid(), &if_match).await?;
            Ok(StatusCode::NO_CONTENT)
        }

        #[doc = $restore_text]
        ///
        /// One that is not in the trash is answered as it is.
        #[utoipa::path(
            post, path = $restore_path, tag = $tag,
            security(("bearer" = [$write_name])),
            params(("id" = $id, Path, description = "Its id")),
            responses(
                (status = 200, description = "It, as it is now", body = $record,
                 headers(("ETag" = String, description = "Its version"))),
                bz_http::openapi::ChangeProblems,
            ),
        )]
        pub(crate) async fn $restore(
            State(app): State<AppState>,
            caller: Can<$write>,
            Path(id): Path<$id>,
        ) -> Result<Versioned<$record>, Problem> {
            handlers::restore(&app, &caller, id.as_uuid()).await
        }
    };
}
pub(crate) use endpoints;
