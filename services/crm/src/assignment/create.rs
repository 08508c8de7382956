use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};
use bz_tenant::TenantTx;

use super::{AssignmentRule, AssignmentRulesManage, MOST_RULES, WantedRule, store};
use crate::{
    app::AppState,
    leads::LEAD,
    problems,
    records::{custom, filter::Context},
};

/// Create an assignment rule.
///
/// New leads without an owner get one by the first rule whose filter they pass and that has somebody for them.
#[utoipa::path(
    post, path = "/api/assignment-rules", tag = "assignment",
    security(("bearer" = ["assignment_rules:manage"])),
    params(IdempotencyKey),
    request_body = WantedRule,
    responses(
        (status = 201, description = "The rule", body = AssignmentRule,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_assignment_rule(
    State(app): State<AppState>,
    caller: Can<AssignmentRulesManage>,
    key: IdempotencyKey,
    Json(wanted): Json<WantedRule>,
) -> Result<Response, Problem> {
    let core = &app.core;
    let (db, clock) = (&core.db, &core.sources.clock);
    let created = bz_http::idempotent(
        (db, clock),
        &caller.scope,
        &key,
        "assignment_rule.created",
        &wanted,
        async |tx| {
            check(&app, tx, &caller, &wanted).await?;
            if store::all(tx).await?.len() >= MOST_RULES {
                return Err(problems::too_many("assignment rules", MOST_RULES));
            }
            let ids = (core.sources.id(), caller.user.as_uuid());
            let rule = store::insert(tx, ids, core.sources.now(), &wanted).await?;
            Ok(rule)
        },
    )
    .await?;
    app.known.rules.invalidate(&caller.tenant());
    Ok(created.into_response_with(|rule| rule.version))
}

/// Whether the filter can be used on leads.
pub(super) async fn check(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &bz_auth::Caller,
    wanted: &WantedRule,
) -> Result<(), Problem> {
    let Some(filter) = &wanted.filter else {
        return Ok(());
    };
    let known = custom::definitions(app, tx).await?;
    filter
        .check(Context {
            record: LEAD,
            custom: &known,
            me: caller.user,
        })
        .map_err(|problem| problems::within("/filter", problem))
}
