use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Path, Problem, Validate};
use bz_kernel::RunId;
use bz_tenant::TenantTx;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Approval, ApprovalId, store};
use crate::{
    agents::check_text,
    app::AppState,
    runs::{RunsWrite, store as runs, whose},
    tools,
};

/// What a person may decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Decision {
    /// Go on, with the arguments given here if there are any.
    Approve,
    /// Do not.
    Reject,
}

/// A decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::runs) struct DecideApproval {
    /// What is decided.
    decision: Decision,
    /// Other arguments than those that were asked for; of a result, `{"text": "..."}`.
    #[schema(value_type = Option<Object>)]
    arguments: Option<Value>,
    /// For the model and for people, up to 1,000 characters.
    #[schema(max_length = 1000)]
    comment: Option<String>,
}

impl Validate for DecideApproval {
    fn validate(&self, errors: &mut Errors) {
        check_text(
            errors,
            "/comment",
            self.comment.as_deref().unwrap_or_default(),
            0,
            1000,
        );
        if let Some(arguments) = &self.arguments {
            if self.decision == Decision::Reject || !arguments.is_object() {
                let message = "must be an object, and only of an approval";
                errors.add("/arguments", "invalid_value", message);
            }
            let text = arguments.to_string();
            if text.len() > 65_536 || text.contains("\\u0000") {
                let message = "must have at most 65536 bytes, and no zero character";
                errors.add("/arguments", "invalid_value", message);
            }
        }
    }
}

/// Decide what a run asked: approve, reject, or approve with other arguments. The run goes on.
#[utoipa::path(
    post, path = "/api/runs/{id}/approvals/{approval}", tag = "runs",
    security(("bearer" = ["runs:write"])),
    params(("id" = RunId, Path, description = "The run"), ("approval" = ApprovalId, Path, description = "What it asked")),
    request_body = DecideApproval,
    responses((status = 200, description = "What was decided", body = Approval), bz_http::openapi::ChangeProblems),
)]
pub(in crate::runs) async fn decide_run_approval(
    State(app): State<AppState>,
    caller: Can<RunsWrite>,
    Path((id, approval)): Path<(RunId, ApprovalId)>,
    Json(wanted): Json<DecideApproval>,
) -> Result<Json<Approval>, Problem> {
    let now = app.core.sources.now();
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let run = runs::find_for_update(&mut tx, id, whose(&caller)).await?;
    let run = run.ok_or_else(Problem::not_found)?;
    let asked = store::find(&mut tx, id, approval).await?;
    let asked = asked.ok_or_else(Problem::not_found)?;
    if asked.status != "pending" || run.status.is_over() {
        let detail = "It is decided already, or the run is over.";
        return Err(Problem::conflict("approval_not_pending", detail));
    }
    must_fit(&mut tx, &asked, wanted.arguments.as_ref()).await?;
    let decided = store::Decided {
        approved: wanted.decision == Decision::Approve,
        arguments: wanted.arguments.as_ref(),
        comment: wanted.comment.as_deref(),
        by: caller.user,
        at: now,
    };
    let decided = store::decide(&mut tx, approval, &decided).await?;
    let data = json!({ "approval": approval, "path": decided.path, "status": decided.status, "by": caller.user });
    store::tell(&mut tx, id, data, now).await?;
    tx.commit().await?;
    app.runs.wake();
    Ok(Json(decided))
}

/// Arguments that a person wrote are checked as those of a model are.
async fn must_fit(
    tx: &mut TenantTx,
    asked: &Approval,
    arguments: Option<&Value>,
) -> Result<(), Problem> {
    let Some(arguments) = arguments else {
        return Ok(());
    };
    let mut errors = Errors::default();
    if asked.reason == "result" {
        if !arguments["text"].is_string() {
            errors.add(
                "/arguments/text",
                "required",
                "must be the text of the result",
            );
        }
    } else {
        let found = tools::named(tx, [&asked.subject]).await?;
        if let Some(usable) = found.get(&asked.subject) {
            for (pointer, message) in usable.spec.faults(arguments) {
                errors.add(format!("/arguments{pointer}"), "schema_invalid", message);
            }
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::validation(errors))
    }
}
