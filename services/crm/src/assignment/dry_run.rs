use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Validate, Versioned};
use bz_kernel::{LeadId, TeamId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AssignmentRuleId, AssignmentRulesRead,
    choose::{Turn, fitting, pick_fitting},
    store,
};
use crate::{
    app::AppState,
    leads::{Lead, LeadsRead},
    records::{Work, handlers},
};

/// Which lead to try the rules on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Try {
    /// The lead.
    lead_id: LeadId,
}

impl Validate for Try {
    fn validate(&self, _: &mut Errors) {}
}

/// What the rules would do with a lead.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Tried {
    /// The rule that would be used.
    rule_id: Option<AssignmentRuleId>,
    /// Who would get the lead.
    owner_id: Option<UserId>,
    /// The team that it would belong to.
    team_id: Option<TeamId>,
    /// All rules in their order.
    rules: Vec<TriedRule>,
}

/// What one rule would do.
#[derive(Debug, Serialize, ToSchema)]
struct TriedRule {
    /// The rule.
    rule_id: AssignmentRuleId,
    /// Its name.
    name: String,
    /// Whether it is used at all.
    enabled: bool,
    /// Whether the lead passes its filter.
    matches: bool,
    /// Who would get the lead by it.
    owner_id: Option<UserId>,
}

/// Try the assignment rules on a lead.
///
/// Nothing is changed and no turn is used up. Besides `assignment_rules:read` it needs `leads:read`.
#[utoipa::path(
    post, path = "/api/assignment-rules/dry-run", tag = "assignment",
    security(("bearer" = ["assignment_rules:read"])),
    request_body = Try,
    responses((status = 200, description = "What would happen", body = Tried), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn dry_run_assignment_rules(
    State(app): State<AppState>,
    caller: Can<AssignmentRulesRead>,
    Json(wanted): Json<Try>,
) -> Result<Json<Tried>, Problem> {
    caller.require::<LeadsRead>()?;
    let Versioned(_, lead): Versioned<Lead> =
        handlers::get(&app, &caller, wanted.lead_id.as_uuid()).await?;
    // Never committed: rules that count loads lock themselves.
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let rules = store::all(&mut tx).await?;
    let actor = caller.user;
    let mut work = Work {
        app: &app,
        tx: &mut tx,
        actor,
    };
    let leads = [&lead];
    let fits = fitting(&mut work, &leads, &rules).await?;
    let mut tried = Tried {
        rule_id: None,
        owner_id: None,
        team_id: None,
        rules: Vec::with_capacity(rules.len()),
    };
    for (n, rule) in rules.iter().enumerate() {
        let matches = fits[0].contains(&n);
        let found = if matches {
            let this = (&leads[..], &[vec![n]][..]);
            pick_fitting(&mut work, this, &rules, Turn::Look)
                .await?
                .remove(0)
        } else {
            None
        };
        let owner_id = found.as_ref().map(|found| found.user);
        if let Some(found) = found.filter(|_| tried.rule_id.is_none() && rule.enabled) {
            (tried.rule_id, tried.owner_id, tried.team_id) = (Some(rule.id), owner_id, found.team);
        }
        tried.rules.push(TriedRule {
            rule_id: rule.id,
            name: rule.name.clone(),
            enabled: rule.enabled,
            matches,
            owner_id,
        });
    }
    Ok(Json(tried))
}
