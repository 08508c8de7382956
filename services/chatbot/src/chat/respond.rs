//! Finding the answer. No transaction is open here: the CRM and the model are asked over the network.

use bz_http::Problem;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::confirmations::{self, ConfirmationId, Pending};
use super::turn::{Noted, Turn};
use crate::actions::{Action, Performed, Plan, Planner, perform};
use crate::crm::{CrmError, Session};
use crate::understand::{Engine, Intent, Situation, Understood, Would, understand};
use crate::wording;

/// What a message led to.
pub(super) struct Outcome {
    pub(super) understood: Understood,
    pub(super) would: Would,
    pub(super) reply: String,
    pub(super) degraded: Vec<&'static str>,
    /// A new question, with its summary.
    pub(super) question: Option<(Action, String)>,
    /// The old question, when it waits on.
    pub(super) still_waiting: Option<Pending>,
    pub(super) waiting: Waiting,
}

/// What becomes of the question that waited before this message.
pub(super) enum Waiting {
    Stays,
    Ends(&'static str),
    /// It was taken for its yes, but could not be carried out.
    Returns(ConfirmationId),
}

impl Outcome {
    fn say(understood: Understood, would: Would, reply: impl Into<String>) -> Self {
        Self {
            understood,
            would,
            reply: reply.into(),
            degraded: Vec::new(),
            question: None,
            still_waiting: None,
            waiting: Waiting::Stays,
        }
    }
}

impl Turn<'_> {
    /// Understands the message and acts on it.
    pub(super) async fn respond(&self, noted: &Noted) -> Result<Outcome, Problem> {
        let situation = Situation {
            asked: noted.pending.is_some(),
            language: self.request.language(),
            ..Situation::at(noted.at, noted.zone)
        };
        let understood = understand(&self.request.message, &situation);
        if let Some(pending) = &noted.pending {
            match understood.intent {
                // What the classifier only takes for a yes is asked again.
                Intent::ConfirmYes if understood.engine == Engine::Rules => {
                    return self.confirmed(noted, pending, understood).await;
                }
                Intent::ConfirmNo => {
                    let waiting = Waiting::Ends("rejected");
                    return Ok(Outcome {
                        waiting,
                        ..Outcome::say(understood, Would::Nothing, "All right, I changed nothing.")
                    });
                }
                // What is neither yes nor no leaves the question open.
                Intent::None | Intent::ConfirmUnsure | Intent::ConfirmYes
                    if !pending.is_expired(self.app.core.sources.now()) =>
                {
                    let reply = wording::question(&pending.summary);
                    return Ok(Outcome {
                        still_waiting: Some(pending.clone()),
                        ..Outcome::say(understood, Would::Ask, reply)
                    });
                }
                _ => {}
            }
        }
        let (understood, llm_failed) = self.second_opinion(noted.at, noted.zone, understood).await;
        let mut outcome = self.act(noted, understood).await;
        if llm_failed {
            outcome.degraded.push("llm");
        }
        if noted.pending.is_some() {
            outcome.waiting = Waiting::Ends("dropped");
        }
        Ok(outcome)
    }

    /// Asks the model about what the rules did not understand; true when it should have answered and did not.
    pub(super) async fn second_opinion(
        &self,
        at: DateTime<Utc>,
        zone: Tz,
        understood: Understood,
    ) -> (Understood, bool) {
        let Some(llm) = self
            .app
            .llm
            .as_ref()
            .filter(|_| understood.intent == Intent::None)
        else {
            return (understood, false);
        };
        match llm
            .understand(&self.request.message, self.caller.token(), at, zone)
            .await
        {
            Ok(Some(second)) => (second, false),
            Ok(None) => (understood, false),
            Err(error) => {
                tracing::warn!(%error, "the model gave no second opinion");
                (understood, true)
            }
        }
    }

    fn session(&self, key: String) -> Session<'_> {
        self.app.crm.session(self.caller.token(), key)
    }

    async fn act(&self, noted: &Noted, understood: Understood) -> Outcome {
        let session = self.session(format!("chat-{}", noted.message));
        let planner = Planner {
            crm: &session,
            now: noted.at,
            zone: noted.zone,
        };
        let plan = match planner.plan(&understood).await {
            Ok(plan) => plan,
            Err(error) => return failed(understood, &error, false),
        };
        let summary = |action: &Action| wording::summary(action, noted.at, noted.zone);
        match plan {
            Plan::Say(reply) => Outcome::say(understood, Would::Answer, reply),
            Plan::Clarify(reply) => Outcome::say(understood, Would::Ask, reply),
            Plan::Nothing(reply) => Outcome::say(understood, Would::Nothing, reply),
            Plan::Run(action) => self.told(noted, understood, perform(action, &session).await),
            Plan::Ask(action) => {
                let summary = summary(&action);
                let outcome = Outcome::say(understood, Would::Confirm, wording::question(&summary));
                Outcome {
                    question: Some((action, summary)),
                    ..outcome
                }
            }
        }
    }

    /// The user said yes.
    async fn confirmed(
        &self,
        noted: &Noted,
        pending: &Pending,
        understood: Understood,
    ) -> Result<Outcome, Problem> {
        let now = self.app.core.sources.now();
        if pending.is_expired(now) {
            let waiting = Waiting::Ends("dropped");
            return Ok(Outcome {
                waiting,
                ..Outcome::say(understood, Would::Nothing, wording::CONFIRMATION_EXPIRED)
            });
        }
        let mut tx = self.app.core.db.tenant(&self.caller.scope).await?;
        let claimed = confirmations::claim(&mut tx, pending.id, self.caller.user, now).await?;
        tx.commit().await?;
        if !claimed {
            return Ok(Outcome::say(
                understood,
                Would::Nothing,
                wording::NOTHING_TO_CONFIRM,
            ));
        }
        // The key belongs to what was confirmed, so that a second yes after a lost answer does nothing twice.
        let session = self.session(format!("chat-{}", pending.id));
        let performed = perform(pending.action.clone(), &session).await;
        let again = matches!(
            performed.error,
            Some(CrmError::Unreachable | CrmError::Unavailable)
        ) && performed.done.is_none();
        let mut outcome = self.told(noted, understood, performed);
        if again {
            outcome.waiting = Waiting::Returns(pending.id);
            outcome.still_waiting = Some(pending.clone());
        }
        Ok(outcome)
    }

    /// Says what was done and what was not.
    fn told(&self, noted: &Noted, understood: Understood, performed: Performed) -> Outcome {
        let done = performed
            .done
            .map(|action| wording::done(&action, noted.at, noted.zone));
        match (done, performed.error) {
            (Some(done), None) => Outcome::say(understood, Would::Act, done),
            (None, Some(error)) => failed(understood, &error, true),
            (Some(done), Some(error)) => {
                let rest = failed(understood, &error, true);
                Outcome {
                    reply: format!("{done} The rest not: {}", rest.reply),
                    ..rest
                }
            }
            (None, None) => Outcome::say(understood, Would::Nothing, "There was nothing to do."),
        }
    }
}

fn failed(understood: Understood, error: &CrmError, writing: bool) -> Outcome {
    let missing = matches!(error, CrmError::Unreachable | CrmError::Unavailable);
    let degraded = if missing { vec!["crm"] } else { Vec::new() };
    Outcome {
        degraded,
        ..Outcome::say(understood, Would::Nothing, wording::failed(error, writing))
    }
}
