//! Running checked plans over the CRM's API.

use std::collections::HashMap;

use bz_kernel::{PipelineId, StageId};
use chrono_tz::Tz;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Aggregate, Checked, Compare, Condition, NotAllowed, QueryPlan, money::Sums};
use crate::crm::{Board, CrmError, Deal, Kind, Listed, Pipeline, RecordId, Session, Stage};

/// Pages that a sum reads, a hundred records each.
const PAGES: usize = 20;
/// The most records that a search proposes.
const HITS: usize = 20;

/// Records, and how many there are of them altogether.
pub(crate) struct Records<T> {
    pub(crate) items: Vec<T>,
    pub(crate) count: u64,
}

/// What records are worth together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Summed {
    pub(crate) count: u64,
    pub(crate) sums: Sums,
    /// By the value of the field that was asked for.
    pub(crate) groups: HashMap<StageId, (u64, Sums)>,
    /// Whether all records were read.
    pub(crate) whole: bool,
}

impl From<NotAllowed> for CrmError {
    fn from(reason: NotAllowed) -> Self {
        Self::Refused(reason.to_string())
    }
}

/// The first records that pass, and how many do.
pub(crate) async fn list<T: DeserializeOwned>(
    plan: QueryPlan,
    crm: &Session<'_>,
    zone: Tz,
) -> Result<Records<T>, CrmError> {
    let checked = plan.check()?;
    let listed: Listed<T> = crm
        .query(checked.plan().entity, &checked.body(zone))
        .await?;
    Ok(Records {
        count: listed.count.unwrap_or(listed.items.len() as u64),
        items: listed.items,
    })
}

/// How many records pass.
pub(crate) async fn count(plan: QueryPlan, crm: &Session<'_>, zone: Tz) -> Result<u64, CrmError> {
    let plan = QueryPlan { limit: 1, ..plan };
    let checked = plan.check()?;
    let mut body = checked.body(zone);
    body["fields"] = json!(["id"]);
    let listed: Listed<Value> = crm.query(checked.plan().entity, &body).await?;
    Ok(listed.count.unwrap_or_default())
}

/// How many records pass for each of the words that a field may be, those without any left out.
pub(crate) async fn count_by(
    plan: &QueryPlan,
    field: &str,
    words: &[&'static str],
    (crm, zone): (&Session<'_>, Tz),
) -> Result<Vec<(&'static str, u64)>, CrmError> {
    let mut counts = Vec::new();
    for &word in words {
        let one = plan.clone().with(Condition::new(field, Compare::Is, word));
        match count(one, crm, zone).await? {
            0 => {}
            count => counts.push((word, count)),
        }
    }
    Ok(counts)
}

/// What the deals that pass are worth, by stage.
pub(crate) async fn sum_deals(
    plan: QueryPlan,
    crm: &Session<'_>,
    zone: Tz,
) -> Result<Summed, CrmError> {
    let plan = QueryPlan {
        limit: 100,
        aggregate: Aggregate::Sum {
            field: "amount".to_owned(),
        },
        group: Some("stage_id".to_owned()),
        ..plan
    };
    let checked: Checked = plan.check()?;
    let mut body = checked.body(zone);
    body["fields"] = json!(["name", "amount", "stage_id"]);
    let mut summed = Summed::default();
    for _ in 0..PAGES {
        let page: Listed<Deal> = crm.query(Kind::Deal, &body).await?;
        summed.count = page.count.unwrap_or(summed.count);
        for deal in &page.items {
            summed.sums.add_money(deal.amount.as_ref());
            if let Some(stage) = deal.stage_id {
                let group = summed.groups.entry(stage).or_default();
                group.0 += 1;
                group.1.add_money(deal.amount.as_ref());
            }
        }
        let Some(cursor) = page.next_cursor else {
            summed.whole = true;
            break;
        };
        body["cursor"] = json!(cursor);
    }
    Ok(summed)
}

/// What all deals are worth, stage by stage: the CRM's own totals, exact for any number of deals.
pub(crate) async fn boards(
    crm: &Session<'_>,
    pipelines: &[Pipeline],
) -> Result<Vec<(Stage, u64, Sums)>, CrmError> {
    let mut stages = Vec::new();
    for pipeline in pipelines {
        let id: PipelineId = pipeline.id;
        let board: Board = crm
            .read(&format!("/api/deals/board?pipeline_id={id}&limit=1"))
            .await?;
        for stage in board.stages {
            let mut sums = Sums::default();
            for total in &stage.totals {
                sums.add(&total.currency, &total.amount);
            }
            let count = u64::try_from(stage.count).unwrap_or_default();
            stages.push((stage.stage, count, sums));
        }
    }
    Ok(stages)
}

/// The tenant's pipelines.
pub(crate) async fn pipelines(crm: &Session<'_>) -> Result<Vec<Pipeline>, CrmError> {
    let listed: Listed<Pipeline> = crm.read("/api/pipelines").await?;
    Ok(listed.items)
}

/// The records of a type that are found by some words, the best first.
pub(crate) async fn search(
    kind: &str,
    words: &str,
    crm: &Session<'_>,
) -> Result<Vec<RecordId>, CrmError> {
    #[derive(serde::Deserialize)]
    struct Hit {
        id: RecordId,
    }
    #[derive(serde::Deserialize)]
    struct Hits {
        items: Vec<Hit>,
    }
    let q: String = words
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    let body = json!({ "q": q, "types": [kind], "limit": HITS });
    let hits: Hits = crm.post("/api/search", &body).await?;
    Ok(hits.items.into_iter().map(|hit| hit.id).collect())
}

/// Only these records.
pub(crate) fn among(plan: QueryPlan, field: &str, ids: &[RecordId]) -> QueryPlan {
    plan.with(Condition::new(field, Compare::In, json!(ids)))
}
