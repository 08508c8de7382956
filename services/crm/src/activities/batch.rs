use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Errors, IdempotencyKey, Json, Problem, Validate, extract::parse, validated};
use bz_kernel::ActivityId;
use bz_tenant::{DbError, TenantTx};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::query;
use utoipa::ToSchema;

use super::{ActivitiesWrite, Activity, CreateActivity};
use crate::{app::AppState, records::Work};

/// The most activities of one request.
const MOST: usize = 1_000;

/// Activities to create.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateActivities {
    /// 1 to 1,000 of them.
    #[schema(min_items = 1, max_items = 1_000, value_type = Vec<CreateActivity>)]
    items: Vec<Value>,
}

impl Validate for CreateActivities {
    fn validate(&self, errors: &mut Errors) {
        if self.items.is_empty() || self.items.len() > MOST {
            let message = format!("must be 1 to {MOST} activities");
            errors.add("/items", "out_of_range", message);
        }
    }
}

/// What became of the activities.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct ActivityResults {
    /// How many were created.
    created: usize,
    /// How many were not.
    failed: usize,
    /// One for each, in the order of the request.
    results: Vec<ActivityResult>,
}

/// What became of one activity.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct ActivityResult {
    /// Its place in the request, from 0.
    index: usize,
    /// 201 when it was created, or else the status that it would have been answered by itself.
    status: u16,
    /// Its id, when it was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<ActivityId>,
    /// Why it was not created, when it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<bz_http::ProblemDocument>)]
    problem: Option<Value>,
}

/// Create many activities.
///
/// Each by itself: those that are right are created, the others are answered with what is wrong. With an
/// `Idempotency-Key` the same request may be sent again: the first answer is given once more.
#[utoipa::path(
    post, path = "/api/activities/batch", tag = "activities",
    security(("bearer" = ["activities:write"])),
    params(IdempotencyKey),
    request_body = CreateActivities,
    responses(
        (status = 201, description = "What became of each", body = ActivityResults),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_activities(
    State(app): State<AppState>,
    caller: Can<ActivitiesWrite>,
    key: IdempotencyKey,
    Json(wanted): Json<CreateActivities>,
) -> Result<Response, Problem> {
    let core = &app.core;
    let created = bz_http::idempotent(
        (&core.db, &core.sources.clock),
        &caller.scope,
        &key,
        "activities.batch",
        &wanted,
        async |tx| {
            let actor = caller.user;
            let mut work = Work {
                app: &app,
                tx,
                actor,
            };
            create_all(&mut work, &wanted.items).await
        },
    )
    .await?;
    app.wake();
    Ok(created.into_response())
}

async fn create_all(work: &mut Work<'_>, items: &[Value]) -> Result<ActivityResults, Problem> {
    let mut results = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let result = match create_one(work, item).await {
            Ok(activity) => ActivityResult {
                index,
                status: 201,
                id: Some(activity.id),
                problem: None,
            },
            Err(problem) if problem.status().is_server_error() => return Err(problem),
            Err(problem) => ActivityResult {
                index,
                status: problem.status().as_u16(),
                id: None,
                problem: Some(serde_json::to_value(problem.document()).map_err(Problem::internal)?),
            },
        };
        results.push(result);
    }
    let created = results.iter().filter(|result| result.id.is_some()).count();
    Ok(ActivityResults {
        created,
        failed: results.len() - created,
        results,
    })
}

/// One activity; when it is refused, nothing of it is written.
async fn create_one(work: &mut Work<'_>, item: &Value) -> Result<Activity, Problem> {
    let bytes = serde_json::to_vec(item).map_err(Problem::internal)?;
    let wanted: CreateActivity = validated(parse(&bytes)?)?;
    // What is refused otherwise is refused before anything of it is written; only a value that must be unique shows when
    // it is.
    if wanted.external_id.is_none() && wanted.custom.is_empty() {
        return work.create::<Activity>(wanted).await;
    }
    run(work.tx, "SAVEPOINT one").await?;
    let created = work.create::<Activity>(wanted).await;
    let end = match &created {
        Ok(_) => "RELEASE SAVEPOINT one",
        Err(_) => "ROLLBACK TO SAVEPOINT one",
    };
    run(work.tx, end).await?;
    created
}

async fn run(tx: &mut TenantTx, statement: &'static str) -> Result<(), DbError> {
    query(statement).execute(tx.conn()).await?;
    Ok(())
}
