//! Decisions by id: yes, no, take it back. Each is a message of its conversation too, so that the history has it; what could
//! not be done is a problem here, with the same words.

use axum::http::StatusCode;
use bz_auth::Caller;
use bz_http::Problem;
use bz_kernel::ConversationId;
use chrono::{DateTime, Utc};

use super::outcome::Why;
use super::turn::{Decision, Opening, Turn, to_the_end};
use super::{ChatReply, ChatRequest, confirmations, limits};
use crate::actions::{ActionId, done};
use crate::app::AppState;
use crate::crm::CrmError;
use crate::failure::Failure;

/// Yes or no to a question.
pub(crate) async fn decide(
    app: AppState,
    caller: Caller,
    id: ActionId,
    yes: bool,
) -> Result<ChatReply, Problem> {
    limits::take(&app, &caller).await?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let found = confirmations::standing(&mut tx, id, caller.user).await?;
    drop(tx);
    let standing = found.ok_or_else(Problem::not_found)?;
    if !standing.waits() {
        return Err(used());
    }
    if standing.expires_at <= app.core.sources.now() {
        return Err(expired(standing.expires_at));
    }
    let (said, decision) = match yes {
        true => ("Yes", Decision::Confirm),
        false => ("No", Decision::Reject),
    };
    let place = (standing.conversation(), Some(id));
    let turn = decided(app.clone(), caller, place, said, decision);
    to_the_end(&app, turn).await
}

/// Takes back what was done.
pub(crate) async fn undo(
    app: AppState,
    caller: Caller,
    id: ActionId,
) -> Result<ChatReply, Problem> {
    limits::take(&app, &caller).await?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let found = done::find(&mut tx, id, caller.user).await?;
    drop(tx);
    let past = found.ok_or_else(Problem::not_found)?;
    if past.is_undone {
        return Err(used());
    }
    if past.steps.is_empty() {
        let detail = "What this did cannot be taken back.";
        return Err(Problem::conflict("action_not_undoable", detail));
    }
    let conversation = past.conversation;
    let undo = Decision::Undo(past);
    let turn = decided(app.clone(), caller, (conversation, None), "Undo", undo);
    to_the_end(&app, turn).await
}

async fn decided(
    app: AppState,
    caller: Caller,
    (conversation, question): (ConversationId, Option<ActionId>),
    said: &'static str,
    decision: Decision,
) -> Result<ChatReply, Problem> {
    let request = ChatRequest::saying(said, conversation);
    let mut turn = Turn::new(app, caller, request);
    turn.decision = Some(decision);
    let Opening::Noted(noted) = turn.open(None).await? else {
        return Err(used());
    };
    // Another question took its place, or its arguments are not those that the user was asked about.
    if question.is_some() && noted.pending.as_ref().map(|pending| pending.id) != question {
        return Err(used());
    }
    let (answer, why) = turn.go_on(&noted).await?;
    match why {
        None => Ok(answer),
        Some(why) => Err(problem(&why, &answer)),
    }
}

fn problem(why: &Why, answer: &ChatReply) -> Problem {
    let failure = match why {
        Why::Used => return used(),
        Why::Expired(at) => return expired(*at),
        Why::Failed(failure) => failure,
    };
    let detail = answer.reply.clone();
    let problem = match &failure.why {
        CrmError::Changed | CrmError::Gone => Problem::conflict("target_changed", detail),
        CrmError::Forbidden => Problem::new(
            StatusCode::FORBIDDEN,
            "crm_forbidden",
            "Not allowed in the CRM",
        )
        .detail(detail),
        CrmError::Refused(_) => Problem::conflict("crm_refused", detail),
        CrmError::Unreachable | CrmError::Unavailable => unavailable(failure, detail),
    };
    let confirmation = serde_json::to_value(&answer.confirmation).unwrap_or_default();
    problem.member("confirmation", confirmation)
}

/// Says whether something may have been changed.
fn unavailable(failure: &Failure, detail: String) -> Problem {
    let changed = match failure.why {
        CrmError::Unreachable => "nothing",
        _ => "unknown",
    };
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "crm_unavailable",
        "The CRM is unavailable",
    )
    .detail(detail)
    .member("changed", changed)
    .retry_after(5)
}

fn used() -> Problem {
    let detail = "This was decided before. Read the conversation to see what became of it.";
    Problem::conflict("action_already_used", detail)
}

fn expired(at: DateTime<Utc>) -> Problem {
    let detail = format!("The question expired at {at}, so nothing was changed. Ask for it again.");
    Problem::conflict("action_expired", detail)
}
