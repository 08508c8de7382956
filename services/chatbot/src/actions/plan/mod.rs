//! From what was understood to what will be done: looks at the user's records, finds the one that is meant, answers questions
//! at once and turns the rest into an action.

mod deals;
mod leads;
mod todo_list;
mod todos;

use bz_kernel::{SecretString, UserId};

use super::{Action, Member, policy};
use crate::app::AppState;
use crate::crm::{Kind, Lead, RecordId, Session};
use crate::failure::Failure;
pub(crate) use crate::queries::answer::Answer;
use crate::queries::{Aggregate, QueryPlan, call_today, metrics, run};
use crate::understand::{Intent, Slots, Understood};
use crate::wording::{Voice, keys};

/// What to do about a message.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Only answer.
    Say(Answer),
    /// Do it.
    Run(Action),
    /// Ask before doing it.
    Ask(Action),
}

/// Plans for one message of one user.
pub(crate) struct Planner<'a> {
    pub(crate) app: &'a AppState,
    pub(crate) crm: &'a Session<'a>,
    pub(crate) token: &'a SecretString,
    /// Tells repeats of the message.
    pub(crate) key: &'a str,
    pub(crate) user: UserId,
    pub(crate) message: &'a str,
    pub(crate) voice: Voice,
}

/// An action, or an answer when something is missing for one.
type Decided = Result<Action, Answer>;

impl Planner<'_> {
    /// Decides what to do, and notes in the slots which record is meant. Reads, changes nothing.
    pub(crate) async fn plan(&self, understood: &mut Understood) -> Result<Plan, Failure> {
        if matches!(
            understood.intent,
            Intent::LeadFind | Intent::ContactFind | Intent::None
        ) && call_today::is_asked(self.message)
        {
            understood.intent = Intent::LeadFind;
            let answer = call_today::answer(self.crm, self.voice.now, self.voice.zone).await?;
            return Ok(Plan::Say(answer));
        }
        let slots = &mut understood.slots;
        let decided = match understood.intent {
            Intent::TodoCreate => self.create_todo(slots).await?,
            Intent::TodoComplete => self.complete(slots).await?,
            Intent::TodoReopen => self.reopen(slots).await?,
            Intent::TodoUpdate => self.update(slots).await?,
            Intent::TodoDelete | Intent::TodoBulkDelete => self.delete(slots).await?,
            Intent::LeadCreate => self.create_lead(slots),
            Intent::LeadUpdate => self.update_lead(slots).await?,
            Intent::DealMove => self.move_deal(slots).await?,
            Intent::AgentRun => self.run_agent(slots).await?,
            intent => return self.answer(intent, slots).await.map(Plan::Say),
        };
        Ok(match decided {
            Err(missing) => Plan::Say(missing),
            Ok(action) if policy::asks_first(&action, understood) => Plan::Ask(action),
            Ok(action) => Plan::Run(action),
        })
    }

    /// What changes nothing.
    async fn answer(&self, intent: Intent, slots: &Slots) -> Result<Answer, Failure> {
        match intent {
            Intent::TodoList => self.list_todos(slots).await,
            Intent::LeadFind => self.find_leads(slots).await,
            Intent::LeadCount => self.count_leads(slots).await,
            Intent::ContactFind => self.find_contacts(slots).await,
            Intent::DealFind => self.find_deals(slots).await,
            Intent::DealSum => self.sum_deals(slots).await,
            Intent::MetricsQuery => self.numbers(slots).await,
            Intent::Help => Ok(Answer::say(self.voice.word(keys::HELP))),
            Intent::Smalltalk => Ok(Answer::say(self.voice.word(keys::GREETING))),
            Intent::ConfirmYes | Intent::ConfirmNo | Intent::ConfirmUnsure => {
                Ok(Answer::nothing(self.voice.word(keys::NOTHING_TO_CONFIRM)))
            }
            _ => Ok(Answer::nothing(self.voice.word(keys::UNKNOWN))),
        }
    }

    async fn numbers(&self, slots: &Slots) -> Result<Answer, Failure> {
        let Some(metric) = slots.metric.as_deref() else {
            return Ok(Answer::ask(
                "Which number? For example: \"how many visitors did we have last week?\".",
            ));
        };
        let question = metrics::Question {
            metric,
            range: slots.range,
            now: self.voice.now,
            zone: self.voice.zone,
        };
        metrics::answer(&question, &self.app.analytics, self.token, self.key).await
    }

    async fn run_agent(&self, slots: &Slots) -> Result<Decided, Failure> {
        let Some(said) = slots.agent.as_deref() else {
            return Ok(Err(Answer::ask(
                "Which agent? For example: \"run the report writer\".",
            )));
        };
        let agents = self.app.agents.session(self.token, self.key.to_owned());
        let found = agents.find(said).await?;
        Ok(found.map_err(Answer::ask).map(|card| Action::RunAgent {
            agent: card.name,
            input: slots
                .title
                .clone()
                .unwrap_or_else(|| self.message.to_owned()),
        }))
    }

    /// The person that is meant: `me`, or a name.
    async fn person(&self, said: &str) -> Result<Result<Member, Answer>, Failure> {
        if said == "me" {
            return Ok(Ok(Member {
                id: self.user,
                name: self.voice.word(keys::YOU),
            }));
        }
        let found = self.app.members.find(said, self.token).await?;
        Ok(found.map_err(|unclear| Answer::ask(self.voice.unclear(&unclear))))
    }

    /// The leads or contacts that some words find, the best first.
    async fn people(&self, kind: Kind, words: &str) -> Result<Vec<Lead>, Failure> {
        let name = match kind {
            Kind::Contact => "contact",
            _ => "lead",
        };
        let ids = run::search(name, words, self.crm).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let plan = run::among(QueryPlan::of(kind, Aggregate::List), "id", &ids);
        let mut found = run::list::<Lead>(plan, self.crm, self.voice.zone)
            .await?
            .items;
        let place = |id: RecordId| ids.iter().position(|one| *one == id);
        found.sort_by_key(|lead| place(lead.id));
        Ok(found)
    }
    /// The companies that are called that.
    async fn companies(&self, name: &str) -> Result<Result<Vec<RecordId>, Answer>, Failure> {
        let ids = run::search("company", name, self.crm).await?;
        if ids.is_empty() {
            return Ok(Err(Answer::say(format!(
                "I found no company like \"{name}\"."
            ))));
        }
        Ok(Ok(ids))
    }
}
