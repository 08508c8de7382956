//! The endpoints for many records at once, which types of records share: each type names its words, and gets them
//! documented.

/// Declares `import`, `export` and `bulk` of a type, and `routes()` with them.
macro_rules! transfers {
    (
        $record:ident, $read:ident = $read_name:literal, $write:ident = $write_name:literal, tag $tag:literal,
        import $import:ident $import_path:literal $import_text:literal,
        export $export:ident $export_path:literal $export_text:literal,
        bulk $bulk:ident $bulk_path:literal $bulk_text:literal,
    ) => {
        use axum::{
            extract::{Request, State},
            response::Response,
        };
        use bz_auth::Can;
        use bz_http::{IdempotencyKey, Json, Problem, Query, Routes, routes};

        use super::{$read, $record, $write};
        use $crate::{
            app::AppState,
            bulk::{self, Bulk, BulkAnswer},
            exports::{self, CreateExport, Export},
            imports::{Import, ImportQuery, upload},
        };

        /// The routes for many at once.
        pub(crate) fn routes() -> Routes<AppState> {
            Routes::new()
                .routes(routes!($import))
                .routes(routes!($export))
                .routes(routes!($bulk))
        }

        #[doc = $import_text]
        ///
        /// The body is the file as `text/csv`, packed with gzip or not, or a form (`multipart/form-data`) with the file as
        /// the part `file`; at most 1,000,000 rows and 512 MiB. Its first row has the headings. Cells are checked by the
        /// rules of the API. Empty cells say nothing.
        #[utoipa::path(
            post, path = $import_path, tag = $tag,
            security(("bearer" = [$write_name])),
            params(ImportQuery, IdempotencyKey),
            request_body(content = String, content_type = "text/csv"),
            responses(
                (status = 202, description = "The import, which has begun", body = Import,
                 headers(("Location" = String, description = "Where to look for it"))),
                bz_http::openapi::WriteProblems,
            ),
        )]
        pub(crate) async fn $import(
            State(app): State<AppState>,
            caller: Can<$write>,
            key: IdempotencyKey,
            Query(query): Query<ImportQuery>,
            request: Request,
        ) -> Result<Response, Problem> {
            upload::receive::<$record>(&app, &caller, &key, query, request).await
        }

        #[doc = $export_text]
        ///
        /// The answer says where the file is; it is made from what is there when it is fetched.
        #[utoipa::path(
            post, path = $export_path, tag = $tag,
            security(("bearer" = [$read_name])),
            params(IdempotencyKey),
            request_body = CreateExport,
            responses(
                (status = 202, description = "The export; `content` is where the file is", body = Export,
                 headers(("Location" = String, description = "Where to look for it"))),
                bz_http::openapi::WriteProblems,
            ),
        )]
        pub(crate) async fn $export(
            State(app): State<AppState>,
            caller: Can<$read>,
            key: IdempotencyKey,
            Json(wanted): Json<CreateExport>,
        ) -> Result<Response, Problem> {
            exports::order::<$record>(&app, &caller, &key, wanted).await
        }

        #[doc = $bulk_text]
        ///
        /// Up to 200 ids are done at once, and the answer has what became of each; more, or a filter, are a job. With
        /// `expected_count` nothing is done when another number of records is meant.
        #[utoipa::path(
            post, path = $bulk_path, tag = $tag,
            security(("bearer" = [$write_name])),
            params(IdempotencyKey),
            request_body = Bulk,
            responses(
                (status = 200, description = "A dry run: how many records are meant", body = BulkAnswer),
                (status = 202, description = "The job that does it", body = BulkAnswer,
                 headers(("Location" = String, description = "Where to look for it"))),
                (status = 207, description = "What became of each record", body = BulkAnswer),
                (status = 409, description = "Another number of records is meant: `count`",
                 body = bz_http::ProblemDocument, content_type = "application/problem+json"),
                bz_http::openapi::WriteProblems,
            ),
        )]
        pub(crate) async fn $bulk(
            State(app): State<AppState>,
            caller: Can<$write>,
            key: IdempotencyKey,
            Json(wanted): Json<Bulk>,
        ) -> Result<Response, Problem> {
            bulk::order::<$record>(&app, &caller, &key, wanted).await
        }
    };
}
pub(crate) use transfers;
