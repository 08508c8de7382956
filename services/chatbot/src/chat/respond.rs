//! Finding the answer. No transaction is open here: the CRM and the model are asked over the network.

use bz_http::Problem;
use serde_json::json;

use super::confirmations::{self, Pending};
use super::outcome::{Outcome, Waiting, Why};
use super::turn::{Decision, Noted, Turn};
use crate::actions::done::{Done, DoneAction};
use crate::actions::{Action, ActionId, Performed, Plan, Planner, perform, refreshed};
use crate::agents::Agents;
use crate::crm::{CrmError, Session};
use crate::understand::{Intent, Situation, Understood, Would, understand_all};
use crate::wording::{Voice, keys};

impl Turn {
    /// Understands the message and acts on it.
    pub(super) async fn respond(&self, noted: &Noted) -> Result<Outcome, Problem> {
        let (first, further) = self.understood(noted.voice, noted.pending.is_some())?;
        if let Some(Decision::Undo(past)) = &self.decision {
            return self.undo(noted, first, Some(past.clone())).await;
        }
        if super::undo::is_asked(&self.request.message) {
            let past = self.last_done(noted).await?;
            return self.undo(noted, first, past).await;
        }
        let first = match self.decided(noted, first).await? {
            Ok(outcome) => return Ok(outcome),
            Err(first) => first,
        };
        if further.is_empty()
            && let Some(outcome) = self.asked_of_documents(noted, &first).await
        {
            return Ok(outcome);
        }
        let (first, llm_failed) = self.second_opinion(noted.voice, first).await;
        let mut outcome = self.act(noted, first, 0).await;
        for (at, part) in further.into_iter().enumerate() {
            outcome = outcome.and(self.act(noted, part, at + 1).await, noted.voice);
        }
        if llm_failed {
            outcome.degraded.push("llm");
        }
        if noted.pending.is_some() {
            outcome.waiting = Waiting::Ends("dropped");
        }
        Ok(outcome)
    }

    /// What the message asks for: the first request and those after it.
    pub(super) fn understood(
        &self,
        voice: Voice,
        asked: bool,
    ) -> Result<(Understood, Vec<Understood>), Problem> {
        let situation = Situation {
            asked,
            language: self.request.language(),
            before: Some(voice.language),
            ..Situation::at(voice.now, voice.zone)
        };
        let mut parts = understand_all(&self.request.message, &situation).into_iter();
        let nothing = || std::io::Error::other("a message is understood as nothing at all");
        let first = parts.next().ok_or_else(|| Problem::internal(nothing()))?;
        Ok((first, parts.collect()))
    }

    /// The answer to a message that answers the question that waits; the understood back when it does not.
    async fn decided(
        &self,
        noted: &Noted,
        understood: Understood,
    ) -> Result<Result<Outcome, Understood>, Problem> {
        let Some(pending) = &noted.pending else {
            return Ok(Err(understood));
        };
        let intent = match self.decision {
            Some(Decision::Confirm) => Intent::ConfirmYes,
            Some(Decision::Reject) => Intent::ConfirmNo,
            _ => understood.intent,
        };
        Ok(match intent {
            Intent::ConfirmYes if self.decision.is_some() || understood.is_plain_yes() => {
                Ok(self.confirmed(noted, pending, understood).await?)
            }
            Intent::ConfirmNo => Ok(Outcome {
                waiting: Waiting::Ends("rejected"),
                ..nothing(noted, understood, keys::REJECTED)
            }),
            // What is neither yes nor no leaves the question open.
            Intent::None | Intent::ConfirmUnsure | Intent::ConfirmYes
                if !pending.is_expired(self.app.core.sources.now()) =>
            {
                let reply = noted.voice.question(&pending.summary);
                Ok(Outcome {
                    still_waiting: Some(pending.clone()),
                    ..Outcome::say(understood, Would::Ask, reply)
                })
            }
            _ => Err(understood),
        })
    }

    /// Asks the model about what the rules did not understand; true when it should have answered and did not.
    pub(super) async fn second_opinion(
        &self,
        voice: Voice,
        understood: Understood,
    ) -> (Understood, bool) {
        let wanted = |_: &&crate::llm::Llm| understood.intent == Intent::None;
        let Some(llm) = self.app.llm.as_ref().filter(wanted) else {
            return (understood, false);
        };
        let message = &self.request.message;
        let token = self.caller.token();
        match llm.understand(message, token, voice).await {
            Ok(Some(second)) => (second, false),
            Ok(None) => (understood, false),
            Err(error) => {
                tracing::warn!(%error, "the model gave no second opinion");
                (understood, true)
            }
        }
    }

    /// Says the answer in other words, when that is wanted. Questions, what went wrong and what documents say stay as they are.
    pub(super) async fn reword(&self, noted: &Noted, outcome: &mut Outcome) {
        let Some(rewording) = self.app.rewording.as_ref().filter(|_| outcome.is_plain()) else {
            return;
        };
        let titles: Vec<&str> = outcome
            .links
            .iter()
            .map(|link| link.title.as_str())
            .collect();
        let (language, token) = (noted.voice.language, self.caller.token());
        match rewording.of(&outcome.reply, &titles, language, token).await {
            Ok(Some(said)) => outcome.reply = said,
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "no answer in other words");
                outcome.degraded.push("llm");
            }
        }
    }

    pub(super) fn session(&self, key: &str) -> (Session<'_>, Agents<'_>) {
        let token = self.caller.token();
        let crm = self.app.crm.session(token, key.to_owned());
        (crm, self.app.agents.session(token, key.to_owned()))
    }

    /// Does one part of a message, or asks first.
    async fn act(&self, noted: &Noted, mut understood: Understood, part: usize) -> Outcome {
        let key = match part {
            0 => format!("chat-{}", noted.message),
            part => format!("chat-{}-{part}", noted.message),
        };
        let (session, agents) = self.session(&key);
        let planner = Planner {
            app: &self.app,
            crm: &session,
            token: self.caller.token(),
            key: &key,
            user: self.caller.user,
            message: &self.request.message,
            voice: noted.voice,
        };
        let plan = planner.plan(&mut understood).await;
        self.events.tell("understood", &understood);
        let (action, asks) = match plan {
            Err(failure) => return Outcome::failed(understood, noted.voice, &failure, false),
            Ok(Plan::Say(answer)) => return Outcome::answer(understood, answer),
            Ok(Plan::Run(action)) => (action, false),
            Ok(Plan::Ask(action)) => (action, true),
        };
        let summary = noted.voice.summary(&action);
        let preview = json!({ "action": action.name(), "summary": summary, "asks": asks });
        self.events.tell("action.preview", preview);
        if asks {
            let reply = noted.voice.question(&summary);
            return Outcome {
                question: Some((action, summary)),
                ..Outcome::say(understood, Would::Confirm, reply)
            };
        }
        let performed = perform(action, &session, &agents).await;
        self.told(noted, understood, performed, self.app.core.sources.id())
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
            return Ok(Outcome {
                waiting: Waiting::Ends("dropped"),
                failure: Some(Why::Expired(pending.expires_at)),
                ..nothing(noted, understood, keys::CONFIRMATION_EXPIRED)
            });
        }
        let mut tx = self.app.core.db.tenant(&self.caller.scope).await?;
        let claimed = confirmations::claim(&mut tx, pending.id, self.caller.user, now).await?;
        tx.commit().await?;
        if !claimed {
            return Ok(Outcome {
                failure: Some(Why::Used),
                ..nothing(noted, understood, keys::NOTHING_TO_CONFIRM)
            });
        }
        // The key belongs to what was confirmed, so that a second yes after a lost answer does nothing twice.
        let (session, agents) = self.session(&format!("chat-{}", pending.id));
        let performed = perform(pending.action.clone(), &session, &agents).await;
        Ok(self
            .after_yes(noted, pending, understood, (performed, &session))
            .await)
    }

    /// What was confirmed was done; or its question waits on, when the CRM was missing; or it is asked again about the records
    /// as they are now.
    async fn after_yes(
        &self,
        noted: &Noted,
        pending: &Pending,
        understood: Understood,
        (performed, session): (Performed, &Session<'_>),
    ) -> Outcome {
        let why = performed.error.as_ref().map(|failure| failure.why.clone());
        let done = performed.done.as_ref().map_or(0, Action::count);
        let mut outcome = self.told(noted, understood, performed, pending.id);
        match why {
            Some(CrmError::Unreachable | CrmError::Unavailable) if done == 0 => {
                outcome.waiting = Waiting::Returns(pending.id);
                outcome.still_waiting = Some(pending.clone());
            }
            Some(CrmError::Changed | CrmError::Gone) => {
                let rest = pending
                    .action
                    .targets()
                    .get(done..)
                    .unwrap_or_default()
                    .to_vec();
                let rest = pending.action.clone().on(rest);
                if let Ok(Some(action)) = refreshed(rest, session).await {
                    let summary = noted.voice.summary(&action);
                    let asked = noted.voice.changed(&noted.voice.question(&summary));
                    outcome.reply = if done == 0 {
                        asked
                    } else {
                        format!("{}\n{asked}", outcome.reply)
                    };
                    outcome.would = Would::Confirm;
                    outcome.question = Some((action, summary));
                }
            }
            _ => {}
        }
        outcome
    }

    /// Says what was done and what was not.
    fn told(
        &self,
        noted: &Noted,
        understood: Understood,
        performed: Performed,
        id: ActionId,
    ) -> Outcome {
        let Some(action) = performed.done else {
            let Some(failure) = performed.error else {
                return nothing(noted, understood, keys::NOTHING_TO_DO);
            };
            let part = failure.part.name();
            self.events
                .tell("action.failed", json!({ "action_id": id, "part": part }));
            return Outcome::failed(understood, noted.voice, &failure, true);
        };
        let mut reply = noted.voice.done(&action);
        if let Some(note) = performed.note {
            reply = format!("{reply} {note}");
        }
        let shown = DoneAction {
            id,
            action: action.name().to_owned(),
            summary: reply.clone(),
            can_undo: !performed.undo.is_empty(),
            links: performed.links.clone(),
        };
        self.events.tell("action.executed", &shown);
        let mut outcome = match performed.error {
            None => Outcome::say(understood, Would::Act, reply),
            Some(failure) => {
                let rest = Outcome::failed(understood, noted.voice, &failure, true);
                let told = [("done", &reply), ("why", &rest.reply)];
                Outcome {
                    reply: noted.voice.say(keys::DONE_PARTLY, told),
                    ..rest
                }
            }
        };
        outcome.would = Would::Act;
        outcome.links = performed.links;
        outcome.actions = vec![shown];
        outcome.done = vec![Done {
            id,
            action,
            undo: performed.undo,
        }];
        outcome
    }
}

/// Only words: nothing is done.
fn nothing(noted: &Noted, understood: Understood, key: keys::Key) -> Outcome {
    Outcome::say(understood, Would::Nothing, noted.voice.word(key))
}
