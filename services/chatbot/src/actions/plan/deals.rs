//! Deals: finding, summing by stage, moving.

use serde_json::json;

use super::leads::{named, text};
use super::todo_list::between;
use super::{Answer, Decided, Planner};
use crate::actions::{Action, ToStage};
use crate::crm::{Deal, Kind, Link, Pipeline, Stage};
use crate::failure::Failure;
use crate::queries::fields::DEAL_STATES;
use crate::queries::{Aggregate, Compare, Condition, QueryPlan, money::Sums, run};
use crate::understand::target::{Resolution, resolve};
use crate::understand::{Field, Op, Slots};
use crate::wording;

/// How many deals an answer names.
const NAMED: u16 = 10;

impl Planner<'_> {
    pub(super) async fn move_deal(&self, slots: &mut Slots) -> Result<Decided, Failure> {
        let Some(said) = slots.stage.clone() else {
            return Ok(Err(Answer::ask(
                "Into which stage? For example: \"move the deal Engines to Offer\".",
            )));
        };
        let deal = match self.deal(slots).await? {
            Ok(deal) => deal,
            Err(missing) => return Ok(Err(missing)),
        };
        let pipelines = run::pipelines(self.crm).await?;
        // The stages of its own pipeline come first.
        let own = pipelines
            .iter()
            .filter(|one| Some(one.id) == deal.pipeline_id);
        let stage = own
            .chain(&pipelines)
            .find_map(|pipeline| stage_of(pipeline, &said));
        Ok(match stage {
            Some(stage) => Ok(Action::MoveDeal {
                deal: deal.target(),
                stage: ToStage {
                    id: stage.id,
                    name: stage.name.clone(),
                },
            }),
            None => Err(Answer::ask(format!(
                "I know no stage \"{said}\". There are: {}.",
                stages(&pipelines)
            ))),
        })
    }

    /// The one deal that is meant.
    async fn deal(&self, slots: &mut Slots) -> Result<Result<Deal, Answer>, Failure> {
        let Some(said) = named(slots) else {
            return Ok(Err(Answer::ask("Which deal do you mean?")));
        };
        slots.target = None;
        let found = self.deals_like(&said).await?;
        let names: Vec<&str> = found.iter().map(|deal| deal.name.as_str()).collect();
        let at = match (resolve(&said, &names), found.as_slice()) {
            (Resolution::One(at), _) => at,
            (Resolution::Nothing, [_]) => 0,
            (_, []) => {
                return Ok(Err(Answer::ask(format!(
                    "I found no deal like \"{said}\"."
                ))));
            }
            _ => {
                let text = wording::listed(
                    "Which deal do you mean?",
                    names.iter().map(|&name| name.to_owned()),
                );
                return Ok(Err(
                    Answer::ask(text).with_links(found.iter().map(link).collect())
                ));
            }
        };
        slots.target = Some(found[at].name.clone());
        Ok(Ok(found[at].clone()))
    }

    async fn deals_like(&self, said: &str) -> Result<Vec<Deal>, Failure> {
        let ids = run::search("deal", said, self.crm).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let plan = run::among(QueryPlan::of(Kind::Deal, Aggregate::List), "id", &ids);
        let mut found = run::list::<Deal>(plan, self.crm, self.voice.zone)
            .await?
            .items;
        found.sort_by_key(|deal| ids.iter().position(|id| *id == deal.id));
        Ok(found)
    }

    pub(super) async fn find_deals(&self, slots: &Slots) -> Result<Answer, Failure> {
        let pipelines = run::pipelines(self.crm).await?;
        let (found, count, path) = match named(slots).or_else(|| text(slots)) {
            Some(said) => {
                let found = self.deals_like(&said).await?;
                let count = found.len() as u64;
                (found, count, "/api/search")
            }
            None => {
                let plan = match self.deal_plan(slots, &pipelines).await? {
                    Ok(plan) => QueryPlan {
                        limit: NAMED,
                        ..plan
                    },
                    Err(missing) => return Ok(missing),
                };
                let found =
                    run::list::<Deal>(plan.sorted(&["-amount"]), self.crm, self.voice.zone).await?;
                (found.items, found.count, "/api/deals/query")
            }
        };
        let heading = format!("{}:", wording::count(count, "deal"));
        let shown = found.iter().take(usize::from(NAMED));
        let text = match found.as_slice() {
            [] => "I found no deals like that.".to_owned(),
            _ => wording::listed(
                &heading,
                shown.clone().map(|deal| described(deal, &pipelines)),
            ),
        };
        Ok(Answer::say(text)
            .with_links(shown.map(link).collect())
            .cited("crm", path))
    }

    pub(super) async fn sum_deals(&self, slots: &Slots) -> Result<Answer, Failure> {
        let pipelines = run::pipelines(self.crm).await?;
        let mut slots = slots.clone();
        // What deals are worth means those that are open, unless others are named.
        let said = |field| slots.filters.iter().any(|filter| filter.field == field);
        let only_open = !said(Field::Status) && !said(Field::Stage) && slots.stage.is_none();
        let simple = slots.range.is_none() && slots.filters.is_empty() && slots.stage.is_none();
        if simple {
            let stages = run::boards(self.crm, &pipelines).await?;
            let open = stages
                .into_iter()
                .filter(|(stage, _, _)| stage.kind == "open");
            let text = by_stage("open ", &open.collect::<Vec<_>>(), true);
            return Ok(Answer::say(text).cited("crm", "/api/deals/board"));
        }
        if only_open && slots.range.is_none() {
            slots.filters.push(crate::understand::Filter::new(
                Field::Status,
                Op::Is,
                "open",
            ));
        }
        let plan = match self.deal_plan(&slots, &pipelines).await? {
            Ok(plan) => plan,
            Err(missing) => return Ok(missing),
        };
        let summed = run::sum_deals(plan, self.crm, self.voice.zone).await?;
        let stages = pipelines.iter().flat_map(|pipeline| &pipeline.stages);
        let groups = stages.filter_map(|stage| {
            let (count, sums) = summed.groups.get(&stage.id)?;
            Some((stage.clone(), *count, sums.clone()))
        });
        let text = by_stage(
            &wording::kind_of(&slots),
            &groups.collect::<Vec<_>>(),
            summed.whole,
        );
        Ok(Answer::say(text).cited("crm", "/api/deals/query"))
    }

    async fn deal_plan(
        &self,
        slots: &Slots,
        pipelines: &[Pipeline],
    ) -> Result<Result<QueryPlan, Answer>, Failure> {
        let mut plan = QueryPlan::of(Kind::Deal, Aggregate::List);
        let won_or_lost = slots
            .filters
            .iter()
            .any(|one| one.field == Field::Status && matches!(one.value.as_str(), "won" | "lost"));
        if let Some(range) = slots.range {
            let field = if won_or_lost {
                "closed_at"
            } else {
                "created_at"
            };
            plan = plan
                .with(Condition::new(field, Compare::From, json!(range.from)))
                .with(Condition::new(field, Compare::UpTo, json!(range.to)));
        }
        let mut filters = slots.filters.clone();
        if let Some(stage) = &slots.stage {
            filters.push(crate::understand::Filter::new(Field::Stage, Op::Is, stage));
        }
        for filter in &filters {
            let value = filter.value.as_str();
            plan = match filter.field {
                Field::Status if DEAL_STATES.contains(&value) => {
                    plan.with(Condition::new("status", Compare::Is, value))
                }
                Field::Status | Field::Stage if value == "all" => plan,
                Field::Status | Field::Stage => {
                    let found: Vec<&Stage> = pipelines
                        .iter()
                        .filter_map(|one| stage_of(one, value))
                        .collect();
                    if found.is_empty() {
                        let text = format!(
                            "I know no stage \"{value}\". There are: {}.",
                            stages(pipelines)
                        );
                        return Ok(Err(Answer::ask(text)));
                    }
                    let ids: Vec<_> = found.iter().map(|stage| stage.id).collect();
                    plan.with(Condition::new("stage_id", Compare::In, json!(ids)))
                }
                Field::Amount => match filter.op {
                    Op::AtMost | Op::Before => {
                        plan.with(Condition::new("amount", Compare::UpTo, value))
                    }
                    _ => plan.with(Condition::new("amount", Compare::From, value)),
                },
                Field::Company => match self.companies(value).await? {
                    Ok(ids) => run::among(plan, "company_id", &ids),
                    Err(missing) => return Ok(Err(missing)),
                },
                Field::Created => between(plan, "created_at", filter),
                Field::Due => between(plan, "expected_close_date", filter),
                Field::Assignee => match self.person(value).await? {
                    Ok(member) => {
                        plan.with(Condition::new("owner_id", Compare::Is, json!(member.id)))
                    }
                    Err(missing) => return Ok(Err(missing)),
                },
                Field::Text => plan.with(Condition::new("name", Compare::Contains, value)),
                Field::Priority | Field::Source => plan,
            };
        }
        Ok(Ok(plan))
    }
}

fn link(deal: &Deal) -> Link {
    Link::to(Kind::Deal, deal.id, &deal.name)
}

/// The stage of a pipeline that is called that.
fn stage_of<'a>(pipeline: &'a Pipeline, said: &str) -> Option<&'a Stage> {
    let names: Vec<&str> = pipeline
        .stages
        .iter()
        .map(|stage| stage.name.as_str())
        .collect();
    match resolve(said, &names) {
        Resolution::One(at) => pipeline.stages.get(at),
        Resolution::Nothing | Resolution::Ambiguous(_) => {
            let said = said.to_lowercase();
            pipeline
                .stages
                .iter()
                .find(|stage| stage.kind == said && said != "open")
        }
    }
}

fn stages(pipelines: &[Pipeline]) -> String {
    let names = pipelines
        .iter()
        .flat_map(|pipeline| &pipeline.stages)
        .map(|stage| stage.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

/// "40 engines, 12,000.00 EUR, Offer".
fn described(deal: &Deal, pipelines: &[Pipeline]) -> String {
    let mut text = deal.name.clone();
    if let Some(money) = &deal.amount {
        let mut sums = Sums::default();
        sums.add_money(Some(money));
        text.push_str(&format!(", {}", sums.shown()));
    }
    let mut all = pipelines.iter().flat_map(|pipeline| &pipeline.stages);
    if let Some(stage) = all.find(|stage| Some(stage.id) == deal.stage_id) {
        text.push_str(&format!(", {}", stage.name));
    }
    text
}

/// "3 open deals are worth 12,000.00 EUR together: ...".
fn by_stage(kind: &str, stages: &[(Stage, u64, Sums)], whole: bool) -> String {
    let mut total = Sums::default();
    let mut count = 0;
    for (_, number, sums) in stages {
        total.add_all(sums);
        count += number;
    }
    if count == 0 {
        return format!("There are no {kind}deals.");
    }
    let verb = if count == 1 { "is" } else { "are" };
    let deals = wording::count(count, &format!("{kind}deal"));
    let first = if whole {
        ""
    } else {
        "Of many deals I read the first. "
    };
    let heading = format!("{first}{deals} {verb} worth {} together:", total.shown());
    let with_some = stages.iter().filter(|(_, number, _)| *number > 0);
    wording::listed(
        &heading,
        with_some.map(|(stage, number, sums)| {
            format!(
                "{}: {}, {}",
                stage.name,
                wording::count(*number, "deal"),
                sums.shown()
            )
        }),
    )
}
