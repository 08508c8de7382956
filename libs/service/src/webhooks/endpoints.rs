//! The endpoints of webhooks: each service names its paths, and gets them documented.

/// Declares the nine endpoints of a service's webhooks, and `routes()` with them. The service's state is
/// [`HasWebhooks`](crate::webhooks::HasWebhooks).
#[macro_export]
macro_rules! webhook_endpoints {
    (
        $app:ident, $manage:ident = $manage_name:literal, tag $tag:literal,
        $list_path:literal, create $create:ident, list $list:ident,
        $path:literal, get $get:ident, patch $patch:ident, delete $delete:ident,
        $test_path:literal, test $test:ident,
        $rotate_path:literal, rotate $rotate:ident,
        $deliveries_path:literal, deliveries $deliveries:ident,
        $replay_path:literal, replay $replay:ident,
    ) => {
        use axum::{extract::State, http::StatusCode, response::Response};
        use bz_auth::Can;
        use bz_events::webhooks::{
            CreateWebhook, Delivery, PatchWebhook, Webhook, WebhookWithSecret,
        };
        use bz_http::{IdempotencyKey, IfMatch, Json, Path, Problem, Query, Versioned, Routes, routes};
        use bz_kernel::Page;
        use $crate::webhooks::{ListDeliveries, ListWebhooks, handlers};
        use uuid::Uuid;

        type Origin = <$app as $crate::webhooks::HasWebhooks>::Origin;

        /// The routes of this resource.
        pub(crate) fn routes() -> Routes<$app> {
            Routes::new()
                .routes(routes!($create, $list))
                .routes(routes!($get, $patch, $delete))
                .routes(routes!($test))
                .routes(routes!($rotate))
                .routes(routes!($deliveries))
                .routes(routes!($replay))
        }

        /// Set up a webhook.
        ///
        /// The answer has the secret by which the receiver verifies signatures; it is not shown again. With an `Idempotency-Key`
        /// the same request may be sent again: it makes no second webhook.
        #[utoipa::path(
            post, path = $list_path, tag = $tag,
            security(("bearer" = [$manage_name])),
            params(IdempotencyKey),
            request_body = CreateWebhook,
            responses(
                (status = 201, description = "The webhook and its secret", body = WebhookWithSecret,
                 headers(("ETag" = String, description = "Its version"))),
                (status = 409, description = "There are 50 already", body = bz_http::ProblemDocument,
                 content_type = "application/problem+json"),
                bz_http::openapi::WriteProblems,
            ),
        )]
        async fn $create(
            State(app): State<$app>,
            caller: Can<$manage>,
            key: IdempotencyKey,
            origin: Origin,
            Json(request): Json<CreateWebhook>,
        ) -> Result<Response, Problem> {
            handlers::create(&app, (&caller, &origin), &key, request).await
        }

        /// The tenant's webhooks, newest first.
        #[utoipa::path(
            get, path = $list_path, tag = $tag,
            security(("bearer" = [$manage_name])),
            params(ListWebhooks),
            responses((status = 200, description = "One page", body = Page<Webhook>), bz_http::openapi::ListProblems),
        )]
        async fn $list(
            State(app): State<$app>,
            caller: Can<$manage>,
            Query(query): Query<ListWebhooks>,
        ) -> Result<Json<Page<Webhook>>, Problem> {
            handlers::list(&app, &caller, query).await
        }

        /// One webhook.
        #[utoipa::path(
            get, path = $path, tag = $tag,
            security(("bearer" = [$manage_name])),
            params(("id" = Uuid, Path, description = "The webhook")),
            responses(
                (status = 200, description = "The webhook", body = Webhook,
                 headers(("ETag" = String, description = "Its version"))),
                bz_http::openapi::ReadProblems,
            ),
        )]
        async fn $get(
            State(app): State<$app>,
            caller: Can<$manage>,
            Path(id): Path<Uuid>,
        ) -> Result<Versioned<Webhook>, Problem> {
            handlers::get(&app, &caller, id).await
        }

        /// Change a webhook.
        ///
        /// JSON merge patch: a missing field stays, `null` clears it. With `If-Match` the change is made only on that version.
        #[utoipa::path(
            patch, path = $path, tag = $tag,
            security(("bearer" = [$manage_name])),
            params(("id" = Uuid, Path, description = "The webhook"), IfMatch),
            request_body = PatchWebhook,
            responses(
                (status = 200, description = "The webhook as it is now", body = Webhook,
                 headers(("ETag" = String, description = "Its version"))),
                bz_http::openapi::ChangeProblems,
            ),
        )]
        async fn $patch(
            State(app): State<$app>,
            caller: Can<$manage>,
            Path(id): Path<Uuid>,
            if_match: IfMatch,
            origin: Origin,
            Json(patch): Json<PatchWebhook>,
        ) -> Result<Versioned<Webhook>, Problem> {
            handlers::patch(&app, (&caller, &origin), id, &if_match, patch).await
        }

        /// Delete a webhook with its deliveries.
        #[utoipa::path(
            delete, path = $path, tag = $tag,
            security(("bearer" = [$manage_name])),
            params(("id" = Uuid, Path, description = "The webhook"), IfMatch),
            responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
        )]
        async fn $delete(
            State(app): State<$app>,
            caller: Can<$manage>,
            Path(id): Path<Uuid>,
            if_match: IfMatch,
            origin: Origin,
        ) -> Result<StatusCode, Problem> {
            handlers::delete(&app, (&caller, &origin), id, &if_match).await
        }

        /// Send a test message (`webhook.test`) to a webhook.
        ///
        /// It is delivered like any other one; the list of deliveries shows what became of it.
        #[utoipa::path(
            post, path = $test_path, tag = $tag,
            security(("bearer" = [$manage_name])),
            params(("id" = Uuid, Path, description = "The webhook")),
            responses(
                (status = 202, description = "The delivery, which is on its way", body = Delivery),
                (status = 409, description = "The webhook is disabled", body = bz_http::ProblemDocument,
                 content_type = "application/problem+json"),
                bz_http::openapi::ReadProblems,
            ),
        )]
        async fn $test(
            State(app): State<$app>,
            caller: Can<$manage>,
            Path(id): Path<Uuid>,
            origin: Origin,
        ) -> Result<(StatusCode, Json<Delivery>), Problem> {
            handlers::test(&app, (&caller, &origin), id).await
        }

        /// Give a webhook a new secret.
        ///
        /// For 24 hours messages are signed with the old one as well, so that the receiver can change over. Rotating twice ends
        /// the old one at once.
        #[utoipa::path(
            post, path = $rotate_path, tag = $tag,
            security(("bearer" = [$manage_name])),
            params(("id" = Uuid, Path, description = "The webhook")),
            responses(
                (status = 200, description = "The webhook and its new secret, which is not shown again",
                 body = WebhookWithSecret),
                bz_http::openapi::ReadProblems,
            ),
        )]
        async fn $rotate(
            State(app): State<$app>,
            caller: Can<$manage>,
            Path(id): Path<Uuid>,
            origin: Origin,
        ) -> Result<Response, Problem> {
            handlers::rotate(&app, (&caller, &origin), id).await
        }

        /// The deliveries to a webhook, newest first. They are kept for 30 days.
        #[utoipa::path(
            get, path = $deliveries_path, tag = $tag,
            security(("bearer" = [$manage_name])),
            params(("id" = Uuid, Path, description = "The webhook"), ListDeliveries),
            responses(
                (status = 200, description = "One page", body = Page<Delivery>),
                (status = 404, description = "Not there, or another tenant's", body = bz_http::ProblemDocument,
                 content_type = "application/problem+json"),
                bz_http::openapi::ListProblems,
            ),
        )]
        async fn $deliveries(
            State(app): State<$app>,
            caller: Can<$manage>,
            Path(id): Path<Uuid>,
            Query(query): Query<ListDeliveries>,
        ) -> Result<Json<Page<Delivery>>, Problem> {
            handlers::deliveries(&app, &caller, id, query).await
        }

        /// Deliver a message once more, with the same `webhook-id`.
        #[utoipa::path(
            post, path = $replay_path, tag = $tag,
            security(("bearer" = [$manage_name])),
            params(("id" = Uuid, Path, description = "The delivery to repeat")),
            responses(
                (status = 202, description = "The new delivery, which is on its way", body = Delivery),
                (status = 409, description = "The webhook is disabled", body = bz_http::ProblemDocument,
                 content_type = "application/problem+json"),
                bz_http::openapi::ReadProblems,
            ),
        )]
        async fn $replay(
            State(app): State<$app>,
            caller: Can<$manage>,
            Path(id): Path<Uuid>,
            origin: Origin,
        ) -> Result<(StatusCode, Json<Delivery>), Problem> {
            handlers::replay(&app, (&caller, &origin), id).await
        }
    };
}
