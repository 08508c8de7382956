//! "Who should I call today?": the leads with the highest scores that somebody has to do with now, because a to-do about them
//! is due or because nothing has happened with them for a while. Leads without a score come last.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::json;

use super::{Aggregate, Compare, Condition, QueryPlan, fields, run};
use crate::actions::Answer;
use crate::crm::{CrmError, Kind, Lead, Link, RecordId, Session, Todo};

/// How many are named.
const NAMED: usize = 5;
/// The leads that are looked at, the highest scores first.
const LOOKED_AT: u16 = 100;
/// After so many days without anything a contact is stale.
const STALE: TimeDelta = TimeDelta::days(7);

/// Whether a message asks that.
pub(crate) fn is_asked(message: &str) -> bool {
    let words: Vec<String> = message
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let has = |word: &&str| words.iter().any(|said| said == word);
    let who = ["who", "whom"].iter().any(&has)
        || ["leads", "lead", "people"].iter().any(&has) && has(&"which");
    let calls = ["call", "phone", "ring", "contact"].iter().any(&has);
    let should = ["should", "shall", "to", "must"].iter().any(has);
    who && calls && should && words.len() <= 12
}

/// Names them.
pub(crate) async fn answer(
    crm: &Session<'_>,
    now: DateTime<Utc>,
    zone: Tz,
) -> Result<Answer, CrmError> {
    let plan = QueryPlan {
        limit: LOOKED_AT,
        ..QueryPlan::of(Kind::Lead, Aggregate::List)
    };
    let plan = plan.one_of("status", fields::LEAD_OPEN).sorted(&["-score"]);
    let leads = run::list::<Lead>(plan, crm, zone).await?;
    let todos = due(crm, now, zone).await?;
    let reasons = leads
        .items
        .iter()
        .filter_map(|lead| Some((lead, reason(lead, &todos, now, zone)?)));
    let named: Vec<(&Lead, String)> = reasons.take(NAMED).collect();
    if named.is_empty() {
        let text = "Nobody: no open lead has a to-do that is due, and all were talked to in the last week.";
        return Ok(Answer::say(text).cited("crm", "/api/leads/query"));
    }
    let mut text = "I would call:".to_owned();
    for (at, (lead, why)) in named.iter().enumerate() {
        text.push_str(&format!("\n{}. {}: {why}", at + 1, described(lead)));
    }
    let links = named
        .iter()
        .map(|(lead, _)| Link::to(Kind::Lead, lead.id, &lead.name()));
    Ok(Answer::say(text)
        .with_links(links.collect())
        .cited("crm", "/api/leads/query")
        .cited("crm", "/api/todos/query"))
}

/// The to-dos that are due by the end of today, by the records that they are about.
async fn due(
    crm: &Session<'_>,
    now: DateTime<Utc>,
    zone: Tz,
) -> Result<HashMap<RecordId, Todo>, CrmError> {
    let today = now.with_timezone(&zone).date_naive();
    let plan = QueryPlan {
        limit: 100,
        ..QueryPlan::of(Kind::Todo, Aggregate::List)
    };
    let by_today = Condition::new("due", Compare::UpTo, json!(today));
    let plan = plan.one_of("status", fields::TODO_OPEN).with(by_today);
    let todos = run::list::<Todo>(plan, crm, zone).await?;
    let mut by_record = HashMap::new();
    for todo in todos.items {
        for link in &todo.links {
            by_record.entry(link.id).or_insert_with(|| todo.clone());
        }
    }
    Ok(by_record)
}

fn reason(
    lead: &Lead,
    todos: &HashMap<RecordId, Todo>,
    now: DateTime<Utc>,
    zone: Tz,
) -> Option<String> {
    if let Some(todo) = todos.get(&lead.id) {
        let late = if todo.is_overdue(now, zone) {
            "is overdue"
        } else {
            "is due today"
        };
        return Some(format!("\"{}\" {late}", todo.title));
    }
    match lead.last_activity_at {
        None => Some("nobody has talked to them yet".to_owned()),
        Some(last) if now - last >= STALE => {
            let day: NaiveDate = last.with_timezone(&zone).date_naive();
            Some(format!(
                "the last contact was on {}",
                day.format("%-d %b %Y")
            ))
        }
        Some(_) => None,
    }
}

/// "Ada Lovelace (Engines Ltd), score 82, +44 20 7946 0000".
fn described(lead: &Lead) -> String {
    let mut text = lead.name();
    if let Some(company) = lead
        .company_name
        .as_ref()
        .filter(|company| **company != text)
    {
        text.push_str(&format!(" ({company})"));
    }
    if let Some(score) = lead.score {
        text.push_str(&format!(", score {score}"));
    }
    if let Some(phone) = &lead.phone {
        text.push_str(&format!(", {phone}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_known_in_its_common_forms_and_a_to_do_is_not_taken_for_it() {
        for asked in [
            "Who should I call today?",
            "whom should I call",
            "which leads should I call first?",
            "who do I have to phone today",
        ] {
            assert!(is_asked(asked), "{asked}");
        }
        for other in ["remind me to call Ada", "who is Ada?", "call the leads"] {
            assert!(!is_asked(other), "{other}");
        }
    }
}
