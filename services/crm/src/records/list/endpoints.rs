//! The lists that every type of record has: each type names its words, and gets them documented.

/// Declares a type's list and its query with a tree of filters, and `routes()` with them.
macro_rules! lists {
    (
        $record:ident, $read:ident = $read_name:literal,
        tag $tag:literal,
        $list_path:literal, $query_path:literal,
        list $list:ident $list_text:literal,
        query $query:ident $query_text:literal $(,)?
    ) => {
        use axum::extract::State;
        use bz_auth::Can;
        use bz_http::{Json, Problem, Query, Routes, routes};

        use super::{$read, $record};
        use $crate::{
            app::AppState,
            records::list::{self, ListQuery, answer::Listing, params::Params},
        };

        /// The parameters of the list.
        type ListParams = Params<$record>;
        /// A page of it.
        type ListPage = Listing<$record>;

        /// The routes of the lists.
        pub(super) fn routes() -> Routes<AppState> {
            Routes::new()
                .routes(routes!($list))
                .routes(routes!($query))
        }

        #[doc = $list_text]
        ///
        /// Newest first when no order is given. A cursor goes with the filters and the order that it came from.
        #[utoipa::path(
            get, path = $list_path, tag = $tag,
            security(("bearer" = [$read_name])),
            params(ListParams),
            responses((status = 200, description = "One page", body = ListPage), bz_http::openapi::ListProblems),
        )]
        pub(super) async fn $list(
            State(app): State<AppState>,
            caller: Can<$read>,
            Query(pairs): Query<Vec<(String, String)>>,
        ) -> Result<Json<ListPage>, Problem> {
            list::of_pairs(&app, &caller, &pairs).await
        }

        #[doc = $query_text]
        ///
        /// The same as the list, with a tree of filters: `{"filter": {"any": [{"field": "status", "value": "new"}, ..]}}`.
        #[utoipa::path(
            post, path = $query_path, tag = $tag,
            security(("bearer" = [$read_name])),
            request_body = ListQuery,
            responses((status = 200, description = "One page", body = ListPage), bz_http::openapi::WriteProblems),
        )]
        pub(super) async fn $query(
            State(app): State<AppState>,
            caller: Can<$read>,
            Json(query): Json<ListQuery>,
        ) -> Result<Json<ListPage>, Problem> {
            list::page(&app, &caller, query).await
        }
    };
}
pub(crate) use lists;
