use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};
use bz_tenant::OnConstraint;

use super::{CreateCrew, Crew, CrewDefinition, CrewsWrite};
use crate::{app::AppState, definitions};

/// The most crews of a tenant.
const MOST: i64 = 500;

/// Make a crew. It is kept as it is, finished or not; `validate` says whether it can run.
///
/// With an `Idempotency-Key` the same request may be sent again: it makes no second crew.
#[utoipa::path(
    post, path = "/api/crews", tag = "crews",
    security(("bearer" = ["crews:write"])),
    params(IdempotencyKey),
    request_body = CreateCrew,
    responses(
        (status = 201, description = "The crew", body = Crew, headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "The name is taken, or there are 500 already", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_crew(
    State(app): State<AppState>,
    caller: Can<CrewsWrite>,
    key: IdempotencyKey,
    Json(wanted): Json<CreateCrew>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    let made = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "crews.create",
        &wanted,
        async |tx| {
            if definitions::count::<CrewDefinition>(tx).await? >= MOST {
                let detail = "A tenant may have 500 crews. Delete one first.";
                return Err(Problem::conflict("too_many_crews", detail));
            }
            let by = (caller.user, sources.now());
            let row =
                definitions::insert(tx, sources.id(), by, &wanted.name, &wanted.definition).await;
            let row = row.on_constraint("crews_name_key", || taken(&wanted.name))?;
            Ok(row.into())
        },
    )
    .await?;
    Ok(made.into_response_with(|crew: &Crew| crew.version))
}

fn taken(name: &str) -> Problem {
    Problem::conflict("name_taken", format!("There is a crew {name} already."))
}
