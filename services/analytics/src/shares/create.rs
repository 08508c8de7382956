use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Errors, IdempotencyKey, Json, Path, Problem, Validate};
use chrono::{SubsecRound, TimeDelta};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Share, store, token};
use crate::{
    app::AppState,
    dashboards::{DashboardId, DashboardsWrite, View, boards, check},
};

/// A link to make.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "For the client", "expires_in_days": 30 }))]
pub(super) struct CreateShare {
    /// For whom it is, 1 to 120 characters; only the tenant sees this.
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// After how many days it ends, 1 to 366; 30 when not given.
    #[serde(default = "thirty")]
    #[schema(minimum = 1, maximum = 366)]
    expires_in_days: u16,
    /// Days, time zone, comparison and filters that it shows, always; the dashboard's as they are now when not given.
    view: Option<View>,
}

const fn thirty() -> u16 {
    30
}

impl Validate for CreateShare {
    fn validate(&self, errors: &mut Errors) {
        check::text(errors, "/name", &self.name, 1, 120);
        if !(1..=366).contains(&self.expires_in_days) {
            errors.add("/expires_in_days", "out_of_range", "must be 1 to 366");
        }
        if let Some(view) = &self.view {
            check::view(errors, "/view", view);
        }
    }
}

/// Make a link that shows a dashboard without a login.
///
/// It ends by itself and can be revoked. What it shows cannot be changed by whoever has it. With an `Idempotency-Key` the same
/// request may be sent again: the same link is answered once more.
#[utoipa::path(
    post, path = "/api/dashboards/{id}/share", tag = "dashboards",
    security(("bearer" = ["dashboards:write"])),
    params(("id" = DashboardId, Path, description = "The dashboard"), IdempotencyKey),
    request_body = CreateShare,
    responses(
        (status = 201, description = "The link", body = Share),
        (status = 404, description = "Not there, or another tenant's", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn share_dashboard(
    State(app): State<AppState>,
    caller: Can<DashboardsWrite>,
    Path(id): Path<DashboardId>,
    key: IdempotencyKey,
    Json(wanted): Json<CreateShare>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    let created = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "dashboards.share",
        &(id, &wanted),
        async |tx| {
            let dashboard = boards::find(tx, id).await?.ok_or_else(Problem::not_found)?;
            let now = sources.now();
            let share = Share {
                id: sources.id(),
                dashboard_id: id,
                name: wanted.name.clone(),
                view: wanted.view.clone().unwrap_or(dashboard.view),
                // Whole seconds, as the link itself says it.
                expires_at: (now + TimeDelta::days(wanted.expires_in_days.into())).trunc_subsecs(0),
                revoked_at: None,
                created_by: caller.user,
                created_at: now,
                path: String::new(),
                api_path: String::new(),
            };
            store::insert(tx, &share).await?;
            Ok(share)
        },
    )
    .await?;
    // The secret part is added afterwards: what is kept for the same request must not open anything.
    let created = created.map(|share| token::addressed(core, caller.tenant(), share));
    Ok(created.into_response())
}
