//! Leads and contacts: making one, finding, counting, changing.

use serde_json::{Map, Value, json};

use super::todo_list::between;
use super::{Answer, Decided, Planner};
use crate::actions::Action;
use crate::crm::{Kind, Lead, Link};
use crate::failure::Failure;
use crate::queries::fields::LEAD_STATES;
use crate::queries::{Aggregate, Compare, Condition, QueryPlan, run};
use crate::understand::target::{Resolution, resolve};
use crate::understand::{Field, Slots};
use crate::wording;

/// How many records an answer names.
const NAMED: u16 = 10;
/// Words that people use for the states of a lead.
const ALSO_CALLED: &[(&str, &str)] = &[
    ("open", "new"),
    ("contacted", "working"),
    ("in progress", "working"),
    ("nurture", "nurturing"),
    ("disqualified", "unqualified"),
    ("customer", "converted"),
];

impl Planner<'_> {
    pub(super) fn create_lead(&self, slots: &Slots) -> Decided {
        let mut fields = Map::new();
        let name = slots.name.clone().or_else(|| slots.title.clone());
        if let Some(name) = &name {
            let (first, last) = name
                .rsplit_once(' ')
                .map_or((None, name.as_str()), |(first, last)| (Some(first), last));
            fields.insert("last_name".to_owned(), json!(last));
            if let Some(first) = first {
                fields.insert("first_name".to_owned(), json!(first));
            }
        }
        details(&mut fields, slots);
        let called = name
            .or_else(|| slots.company.clone())
            .or_else(|| slots.email.clone());
        let Some(name) = called else {
            return Err(Answer::ask(
                "Who is it? For example: \"add a lead: Ada Lovelace, ada@example.com\".",
            ));
        };
        fields.insert("source".to_owned(), json!("chat"));
        Ok(Action::CreateLead { name, fields })
    }

    pub(super) async fn update_lead(&self, slots: &mut Slots) -> Result<Decided, Failure> {
        let mut change = Map::new();
        details(&mut change, slots);
        if let Some(said) = slots.stage.as_deref() {
            let Some(status) = state(said) else {
                let text = format!(
                    "A lead cannot be \"{said}\". It is one of: {}.",
                    LEAD_STATES.join(", ")
                );
                return Ok(Err(Answer::ask(text)));
            };
            change.insert("status".to_owned(), json!(status));
        }
        if change.is_empty() {
            return Ok(Err(Answer::ask(
                "What should I change? For example: \"mark the lead Ada as qualified\".",
            )));
        }
        Ok(self.lead(slots).await?.map(|lead| Action::UpdateLead {
            lead: lead.target(),
            change,
        }))
    }

    /// The one lead that is meant.
    async fn lead(&self, slots: &mut Slots) -> Result<Result<Lead, Answer>, Failure> {
        let Some(said) = named(slots) else {
            return Ok(Err(Answer::ask("Which lead do you mean?")));
        };
        slots.target = None;
        let found = self.people(Kind::Lead, &said).await?;
        let names: Vec<String> = found.iter().map(Lead::name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let at = match (resolve(&said, &names), found.as_slice()) {
            (Resolution::One(at), _) => at,
            // The only one that the CRM finds, by its company, say.
            (Resolution::Nothing, [_]) => 0,
            (_, []) => {
                return Ok(Err(Answer::ask(format!(
                    "I found no lead like \"{said}\"."
                ))));
            }
            _ => {
                let links = found.iter().map(|lead| link(Kind::Lead, lead)).collect();
                let text =
                    wording::listed("Which lead do you mean?", found.iter().map(wording::person));
                return Ok(Err(Answer::ask(text).with_links(links)));
            }
        };
        slots.target = Some(names[at].to_owned());
        Ok(Ok(found[at].clone()))
    }

    pub(super) async fn find_leads(&self, slots: &Slots) -> Result<Answer, Failure> {
        self.find(Kind::Lead, slots).await
    }

    pub(super) async fn find_contacts(&self, slots: &Slots) -> Result<Answer, Failure> {
        self.find(Kind::Contact, slots).await
    }

    async fn find(&self, kind: Kind, slots: &Slots) -> Result<Answer, Failure> {
        let noun = kind.noun();
        let (found, count, path) = match (named(slots), text(slots)) {
            (Some(said), _) | (None, Some(said)) => {
                let found = self.people(kind, &said).await?;
                let count = found.len() as u64;
                (found, count, "/api/search".to_owned())
            }
            (None, None) => {
                let plan = match self.person_plan(kind, Aggregate::List, slots).await? {
                    Ok(plan) => QueryPlan {
                        limit: NAMED,
                        ..plan
                    },
                    Err(missing) => return Ok(missing),
                };
                let found = run::list::<Lead>(plan, self.crm, self.voice.zone).await?;
                (
                    found.items,
                    found.count,
                    format!("/api/{}/query", kind.path()),
                )
            }
        };
        let heading = format!("{}:", wording::count(count, noun));
        let text = match found.as_slice() {
            [] => format!("I found no {noun}s like that."),
            some => wording::listed(
                &heading,
                some.iter().take(usize::from(NAMED)).map(wording::person),
            ),
        };
        let links = found
            .iter()
            .take(usize::from(NAMED))
            .map(|one| link(kind, one));
        Ok(Answer::say(text)
            .with_links(links.collect())
            .cited("crm", &path))
    }

    pub(super) async fn count_leads(&self, slots: &Slots) -> Result<Answer, Failure> {
        let plan = match self
            .person_plan(Kind::Lead, Aggregate::Count, slots)
            .await?
        {
            Ok(plan) => plan,
            Err(missing) => return Ok(missing),
        };
        let count = run::count(plan.clone(), self.crm, self.voice.zone).await?;
        let mut text = format!(
            "You have {}{}.",
            wording::count(count, "lead"),
            wording::conditions(slots)
        );
        let by_state = slots.filters.is_empty() && slots.stage.is_none() && count > 0;
        if by_state {
            let place = (self.crm, self.voice.zone);
            let counts = run::count_by(&plan, "status", LEAD_STATES, place).await?;
            let parts: Vec<String> = counts
                .iter()
                .map(|(state, n)| format!("{n} {state}"))
                .collect();
            text.push_str(&format!(" By status: {}.", parts.join(", ")));
        }
        Ok(Answer::say(text).cited("crm", "/api/leads/query"))
    }

    async fn person_plan(
        &self,
        kind: Kind,
        aggregate: Aggregate,
        slots: &Slots,
    ) -> Result<Result<QueryPlan, Answer>, Failure> {
        let mut plan = QueryPlan::of(kind, aggregate);
        if let Some(range) = slots.range {
            plan = plan
                .with(Condition::new(
                    "created_at",
                    Compare::From,
                    json!(range.from),
                ))
                .with(Condition::new("created_at", Compare::UpTo, json!(range.to)));
        }
        if let Some(said) = slots.stage.as_deref().filter(|_| kind == Kind::Lead) {
            plan = match state(said) {
                Some(status) => plan.with(Condition::new("status", Compare::Is, status)),
                None => return Ok(Err(Answer::ask(format!("A lead is never \"{said}\".")))),
            };
        }
        for filter in &slots.filters {
            let value = filter.value.as_str();
            plan = match (filter.field, kind) {
                (Field::Status | Field::Stage, Kind::Lead) => match state(value) {
                    Some(status) => plan.with(Condition::new("status", Compare::Is, status)),
                    None if value == "all" => plan,
                    None => return Ok(Err(Answer::ask(format!("A lead is never \"{value}\".")))),
                },
                (Field::Company, Kind::Lead) => {
                    plan.with(Condition::new("company_name", Compare::Contains, value))
                }
                (Field::Company, _) => match self.companies(value).await? {
                    Ok(ids) => run::among(plan, "company_id", &ids),
                    Err(missing) => return Ok(Err(missing)),
                },
                (Field::Source, Kind::Lead) => {
                    plan.with(Condition::new("source", Compare::Contains, value))
                }
                (Field::Created, _) => between(plan, "created_at", filter),
                (Field::Assignee, _) if value == "none" => {
                    plan.with(Condition::new("owner_id", Compare::Empty, true))
                }
                (Field::Assignee, _) => match self.person(value).await? {
                    Ok(member) => {
                        plan.with(Condition::new("owner_id", Compare::Is, json!(member.id)))
                    }
                    Err(missing) => return Ok(Err(missing)),
                },
                _ => plan,
            };
        }
        Ok(Ok(plan))
    }
}

fn link(kind: Kind, one: &Lead) -> Link {
    Link::to(kind, one.id, &one.name())
}

/// The words that name one record.
pub(super) fn named(slots: &Slots) -> Option<String> {
    let said = slots.mention.clone().or_else(|| slots.name.clone());
    said.or_else(|| slots.target.clone())
        .or_else(|| slots.email.clone())
}

/// The words that records have in their names.
pub(super) fn text(slots: &Slots) -> Option<String> {
    let filter = slots
        .filters
        .iter()
        .find(|filter| filter.field == Field::Text);
    filter.map(|filter| filter.value.clone())
}

fn details(fields: &mut Map<String, Value>, slots: &Slots) {
    let said = [
        ("email", &slots.email),
        ("phone", &slots.phone),
        ("company_name", &slots.company),
    ];
    for (name, value) in said {
        if let Some(value) = value {
            fields.insert(name.to_owned(), json!(value));
        }
    }
}

/// The state of a lead that is meant.
fn state(said: &str) -> Option<&'static str> {
    let said = said.trim().to_lowercase();
    let also = ALSO_CALLED.iter().find(|(name, _)| *name == said);
    let said = also.map_or(said.as_str(), |(_, state)| state);
    LEAD_STATES.iter().copied().find(|state| *state == said)
}
