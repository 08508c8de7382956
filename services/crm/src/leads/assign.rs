use axum::extract::State;
use bz_auth::{Caller, Can};
use bz_http::{Errors, IfMatch, Json, Path, Problem, Validate};
use bz_kernel::{LeadId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Lead, LeadsWrite};
use crate::{
    app::AppState,
    assignment::{self, AssignmentRuleId, Picked, Turn, store},
    records::{Work, handlers},
    rules,
};

/// Whom to give a lead.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AssignLead {
    /// The user who gets it.
    user_id: Option<UserId>,
    /// The rule that says who gets it. Without user and rule all rules are tried in their order.
    rule_id: Option<AssignmentRuleId>,
    /// Why, at most 500 characters; kept with the change.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Only answer who would get it.
    #[serde(default)]
    dry_run: bool,
}

impl Validate for AssignLead {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_text(errors, "/reason", self.reason.as_deref(), 500);
        if self.user_id.is_some() && self.rule_id.is_some() {
            errors.add("/rule_id", "user_or_rule", "give either user_id or rule_id");
        }
    }
}

/// Who got a lead.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Assigned {
    /// Whose it is; as before when no rule had somebody.
    owner_id: Option<UserId>,
    /// The rule that said so.
    rule_id: Option<AssignmentRuleId>,
    /// Why.
    reason: Option<String>,
    /// The lead.
    lead: Lead,
}

/// Give a lead to somebody: to a user, or by the assignment rules.
///
/// Also one that has an owner. A lead that no rule fits stays as it is. With `If-Match` only on that version.
#[utoipa::path(
    post, path = "/api/leads/{id}/assign", tag = "leads",
    security(("bearer" = ["leads:write"])),
    params(("id" = LeadId, Path, description = "The lead"), IfMatch),
    request_body = AssignLead,
    responses((status = 200, description = "Whose it is now", body = Assigned), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn assign_lead(
    State(app): State<AppState>,
    caller: Can<LeadsWrite>,
    Path(id): Path<LeadId>,
    if_match: IfMatch,
    Json(wanted): Json<AssignLead>,
) -> Result<Json<Assigned>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let lead: Lead = handlers::locked(&app, &mut tx, &caller, id.as_uuid(), &if_match).await?;
    let actor = caller.user;
    let mut work = Work {
        app: &app,
        tx: &mut tx,
        actor,
    };
    let assigned = perform(&mut work, &caller, lead, &wanted).await?;
    if !wanted.dry_run {
        tx.commit().await?;
        app.wake();
    }
    Ok(Json(assigned))
}

async fn perform(
    work: &mut Work<'_>,
    caller: &Caller,
    lead: Lead,
    wanted: &AssignLead,
) -> Result<Assigned, Problem> {
    let picked = picked(work, caller, &lead, wanted).await?;
    let lead = match &picked {
        Some(picked)
            if lead.owner_id != Some(picked.user)
                || picked.team.is_some_and(|team| lead.team_id != Some(team)) =>
        {
            let given = assignment::give(work, &[(&lead, picked.clone())], false).await?;
            given.into_iter().next().unwrap_or(lead)
        }
        _ => lead,
    };
    Ok(Assigned {
        owner_id: lead.owner_id,
        rule_id: picked.as_ref().and_then(|picked| picked.rule),
        reason: picked.map(|picked| picked.reason),
        lead,
    })
}

async fn picked(
    work: &mut Work<'_>,
    caller: &Caller,
    lead: &Lead,
    wanted: &AssignLead,
) -> Result<Option<Picked>, Problem> {
    let because = |reason: String| match &wanted.reason {
        Some(why) => format!("{reason}: {why}"),
        None => reason,
    };
    if let Some(user) = wanted.user_id {
        let reason = if user == caller.user {
            "taken"
        } else {
            "given"
        };
        return Ok(Some(Picked {
            user,
            team: None,
            rule: None,
            reason: because(reason.to_owned()),
        }));
    }
    let rules = match wanted.rule_id {
        None => store::rules(work.app, work.tx).await?.to_vec(),
        Some(id) => match store::find(work.tx, id).await? {
            Some(rule) => vec![rule],
            None => {
                return Err(Problem::invalid(
                    "/rule_id",
                    "not_found",
                    "must be one of the tenant's rules",
                ));
            }
        },
    };
    let picked = assignment::pick(work, &[lead], &rules, Turn::Take).await?;
    Ok(picked.into_iter().flatten().next().map(|picked| Picked {
        reason: because(picked.reason.clone()),
        ..picked
    }))
}
