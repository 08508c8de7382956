use std::collections::HashSet;

use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Budget, BudgetLimits, BudgetsManage, MAX_BUDGETS, Scope, store};
use crate::app::AppState;

/// All budgets of the tenant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PutBudgets {
    /// At most 100, one for each scope, subject and period.
    #[schema(max_items = 100)]
    items: Vec<BudgetLimits>,
}

impl Validate for PutBudgets {
    fn validate(&self, errors: &mut Errors) {
        if self.items.len() > MAX_BUDGETS {
            errors.add(
                "/items",
                "too_many",
                format!("must be at most {MAX_BUDGETS}"),
            );
        }
        let mut seen = HashSet::new();
        for (index, limits) in self.items.iter().enumerate() {
            let mut wrong = |field: &str, code, message: &str| {
                errors.add(format!("/items/{index}{field}"), code, message.to_owned());
            };
            if !seen.insert((limits.scope, limits.subject, limits.period)) {
                wrong(
                    "",
                    "duplicate",
                    "is for the same scope, subject and period as another one",
                );
            }
            match (limits.scope, limits.subject) {
                (Scope::Tenant, Some(_)) => {
                    wrong("/subject", "not_allowed", "must not be given for a tenant");
                }
                (Scope::Crew, None) => wrong("/subject", "required", "must be the crew's id"),
                _ => {}
            }
            let given = [
                ("/max_tokens", limits.max_tokens),
                ("/max_cost_micros", limits.max_cost_micros),
                ("/max_runs", limits.max_runs),
            ];
            for (field, limit) in given {
                if limit.is_some_and(|limit| limit < 0) {
                    wrong(field, "out_of_range", "must not be negative");
                }
            }
            if given.iter().all(|(_, limit)| limit.is_none()) {
                wrong("", "required", "must limit tokens, money or runs");
            }
        }
    }
}

/// Set all budgets of the tenant.
///
/// Budgets that are not in the list are deleted; one that was there keeps what is used of it. All budgets that fit a call
/// hold together. A new one counts what was used in its period before.
#[utoipa::path(
    put, path = "/api/budgets", tag = "budgets",
    security(("bearer" = ["budgets:manage"])),
    request_body = PutBudgets,
    responses((status = 200, description = "The budgets, as they are now", body = Page<Budget>), bz_http::openapi::WriteProblems),
)]
pub(super) async fn put_budgets(
    State(app): State<AppState>,
    caller: Can<BudgetsManage>,
    Json(request): Json<PutBudgets>,
) -> Result<Json<Page<Budget>>, Problem> {
    let (sources, mut kept) = (&app.core.sources, Vec::new());
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    // Always in the same order, so that nobody waits for somebody who waits for him.
    let mut items: Vec<&BudgetLimits> = request.items.iter().collect();
    items.sort_unstable_by_key(|limits| (limits.scope, limits.subject, limits.period));
    for limits in items {
        kept.push(store::set(&mut tx, sources.id(), sources.now(), limits).await?);
    }
    store::keep_only(&mut tx, &kept).await?;
    let items = store::list(&mut tx, caller.user.as_uuid(), sources.now()).await?;
    tx.commit().await?;
    Ok(Json(Page {
        items,
        next_cursor: None,
    }))
}
