//! The endpoints for many records at once, which types of records share: each type names its words, and gets them
//! documented.

/// Declares `import`, `export` and `bulk` of a type, as far as it has them, and `routes()` with them.
macro_rules! transfers {
    (
        $record:ident, $read:ident = $read_name:literal, $write:ident = $write_name:literal, tag $tag:literal,
        $($verb:ident $name:ident $path:literal $text:literal,)+
    ) => {
        use axum::{extract::State, response::Response};
        use bz_auth::Can;
        use bz_http::{IdempotencyKey, Json, Problem, Routes, routes};

        use super::{$read, $record, $write};
        use $crate::app::AppState;

        /// The routes for many at once.
        pub(crate) fn routes() -> Routes<AppState> {
            Routes::new()$(.routes(routes!($name)))+
        }

        $($crate::jobs::endpoints::transfer! {
            $verb $record, $read = $read_name, $write = $write_name, $tag, $name $path $text
        })+
    };
}
pub(crate) use transfers;

/// One of them.
macro_rules! transfer {
    (
        import $record:ident, $read:ident = $read_name:literal, $write:ident = $write_name:literal, $tag:literal,
        $name:ident $path:literal $text:literal
    ) => {
        #[doc = $text]
        ///
        /// The body is the file as `text/csv`, packed with gzip or not, or a form (`multipart/form-data`) with the file as
        /// the part `file`; at most 1,000,000 rows and 512 MiB. Its first row has the headings. Cells are checked by the
        /// rules of the API. Empty cells say nothing.
        #[utoipa::path(
            post, path = $path, tag = $tag,
            security(("bearer" = [$write_name])),
            params($crate::imports::ImportQuery, IdempotencyKey),
            request_body(content = String, content_type = "text/csv"),
            responses(
                (status = 202, description = "The import, which has begun", body = $crate::imports::Import,
                 headers(("Location" = String, description = "Where to look for it"))),
                bz_http::openapi::WriteProblems,
            ),
        )]
        pub(crate) async fn $name(
            State(app): State<AppState>,
            caller: Can<$write>,
            key: IdempotencyKey,
            bz_http::Query(query): bz_http::Query<$crate::imports::ImportQuery>,
            request: axum::extract::Request,
        ) -> Result<Response, Problem> {
            $crate::imports::upload::receive::<$record>(&app, &caller, &key, query, request).await
        }
    };
    (
        export $record:ident, $read:ident = $read_name:literal, $write:ident = $write_name:literal, $tag:literal,
        $name:ident $path:literal $text:literal
    ) => {
        #[doc = $text]
        ///
        /// The answer says where the file is; it is made from what is there when it is fetched.
        #[utoipa::path(
            post, path = $path, tag = $tag,
            security(("bearer" = [$read_name])),
            params(IdempotencyKey),
            request_body = $crate::exports::CreateExport,
            responses(
                (status = 202, description = "The export; `content` is where the file is", body = $crate::exports::Export,
                 headers(("Location" = String, description = "Where to look for it"))),
                bz_http::openapi::WriteProblems,
            ),
        )]
        pub(crate) async fn $name(
            State(app): State<AppState>,
            caller: Can<$read>,
            key: IdempotencyKey,
            Json(wanted): Json<$crate::exports::CreateExport>,
        ) -> Result<Response, Problem> {
            $crate::exports::order::<$record>(&app, &caller, &key, wanted).await
        }
    };
    (
        bulk $record:ident, $read:ident = $read_name:literal, $write:ident = $write_name:literal, $tag:literal,
        $name:ident $path:literal $text:literal
    ) => {
        #[doc = $text]
        ///
        /// Up to 200 ids are done at once, and the answer has what became of each; more, or a filter, are a job
        /// (`/api/jobs/{id}`). With `expected_count` nothing is done when another number of records is meant.
        #[utoipa::path(
            post, path = $path, tag = $tag,
            security(("bearer" = [$write_name])),
            params(IdempotencyKey),
            request_body = $crate::bulk::Bulk,
            responses(
                (status = 200, description = "A dry run: how many records are meant", body = $crate::bulk::BulkAnswer),
                (status = 202, description = "The job that does it", body = $crate::bulk::BulkAnswer,
                 headers(("Location" = String, description = "Where to look for it"))),
                (status = 207, description = "What became of each record", body = $crate::bulk::BulkAnswer),
                (status = 409, description = "Another number of records is meant: `count`",
                 body = bz_http::ProblemDocument, content_type = "application/problem+json"),
                bz_http::openapi::WriteProblems,
            ),
        )]
        pub(crate) async fn $name(
            State(app): State<AppState>,
            caller: Can<$write>,
            key: IdempotencyKey,
            Json(wanted): Json<$crate::bulk::Bulk>,
        ) -> Result<Response, Problem> {
            $crate::bulk::order::<$record>(&app, &caller, &key, wanted).await
        }
    };
}
pub(crate) use transfer;
