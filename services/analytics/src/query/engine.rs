//! From questions to answers.

use bz_http::Problem;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};

use super::head::{self, Head};
use super::plan::{Place, Plan};
use super::sql::{self, EventSource, Group, Read};
use super::{Frame, Query, assemble};
use crate::catalogue::Storage;

/// The code of a question that has to wait for a worker: [`Effort::AtOnce`] is too little for it.
const TOO_MANY_AT_ONCE: &str = "too_many_events_at_once";

/// Whether a question was refused only because nobody waits as long as its answer takes: a worker has it.
pub(crate) fn is_for_a_worker(refused: &Problem) -> bool {
    let errors = refused.document().errors;
    errors.iter().any(|error| error.code == TOO_MANY_AT_ONCE)
}

/// How many events may be counted one by one for a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// As many as somebody waits for: about a second.
    AtOnce,
    /// As many as a worker counts, of a report for example: about a minute.
    Job,
}

impl Effort {
    const fn most_events(self) -> i64 {
        match self {
            Self::AtOnce => 500_000,
            Self::Job => 20_000_000,
        }
    }
}

/// Answers one question.
///
/// # Errors
/// 422 when it cannot be answered as it is asked, and what the database says.
pub async fn run(tx: &mut TenantTx, now: DateTime<Utc>, query: &Query) -> Result<Frame, Problem> {
    let answers = run_many(tx, now, std::slice::from_ref(query), Effort::AtOnce).await;
    answers
        .into_iter()
        .next()
        .unwrap_or_else(|| Err(Problem::internal("no answer to a question")))
}

/// Answers several questions from one snapshot: open `tx` with `Db::snapshot`. One that cannot be answered has its own
/// problem, and the others their answers. All of them together cost two turns to the database.
pub async fn run_many(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    queries: &[Query],
    effort: Effort,
) -> Vec<Result<Frame, Problem>> {
    match head::load(tx).await {
        Ok(head) => {
            let plans = plans(&head, now, queries);
            answer(tx, plans, effort).await
        }
        Err(error) => all_failed(error, queries.len()),
    }
}

/// Plans all questions.
pub(super) fn plans(
    head: &Head,
    now: DateTime<Utc>,
    queries: &[Query],
) -> Vec<Result<Plan, Problem>> {
    let queries = queries.iter();
    queries.map(|query| Plan::new(query, head, now)).collect()
}

/// Answers what was planned.
pub(super) async fn answer(
    tx: &mut TenantTx,
    mut plans: Vec<Result<Plan, Problem>>,
    effort: Effort,
) -> Vec<Result<Frame, Problem>> {
    match count(tx, &mut plans, effort).await {
        Ok(counted) => plans
            .into_iter()
            .zip(counted)
            .map(|(plan, counted)| assemble::frame(&plan?, counted))
            .collect(),
        Err(error) => all_failed(error, plans.len()),
    }
}

/// For each plan the groups of each of its reads.
async fn count(
    tx: &mut TenantTx,
    plans: &mut [Result<Plan, Problem>],
    effort: Effort,
) -> Result<Vec<Vec<Vec<Group>>>, DbError> {
    for plan in plans.iter_mut() {
        let refused = match plan {
            Ok(plan) => {
                count_one_by_one_what_counts_do_not_know(tx, &mut plan.reads).await?;
                too_many_events(tx, &plan.reads, effort).await?
            }
            Err(_) => None,
        };
        if let Some(refused) = refused {
            *plan = Err(refused);
        }
    }
    let mut counted: Vec<Vec<Vec<Group>>> = Vec::with_capacity(plans.len());
    let mut places = Vec::new();
    let mut reads: Vec<Read> = Vec::new();
    for (n, plan) in plans.iter().enumerate() {
        let own = plan.as_ref().map_or(&[][..], |plan| &plan.reads[..]);
        counted.push(own.iter().map(|_| Vec::new()).collect());
        places.extend((0..own.len()).map(|read| (n, read)));
        reads.extend(own.iter().map(|(_, read)| read.clone()));
    }
    for group in sql::fetch(tx, &reads).await? {
        let place = usize::try_from(group.part).ok();
        if let Some((plan, read)) = place.and_then(|part| places.get(part)) {
            counted[*plan][*read].push(group);
        }
    }
    Ok(counted)
}

/// Looks at the events themselves where a filter asks for a value that is counted together with others.
async fn count_one_by_one_what_counts_do_not_know(
    tx: &mut TenantTx,
    reads: &mut Vec<(Place, Read)>,
) -> Result<(), DbError> {
    let mut unknown = false;
    let of_events = |read: &Read| read.dataset.storage == Storage::Events;
    if let Some((_, read)) = reads.iter().find(|(_, read)| of_events(read)) {
        for filter in read
            .filters
            .iter()
            .filter(|filter| sql::is_of_counts(filter))
        {
            unknown = unknown || !sql::is_countable(tx, filter).await?;
        }
    }
    if unknown {
        // The whole period is counted in one way, so there is no edge.
        reads.retain(|(_, read)| read.events != EventSource::Edge || !of_events(read));
        for (_, read) in reads.iter_mut().filter(|(_, read)| of_events(read)) {
            read.events = EventSource::Raw;
        }
    }
    Ok(())
}

/// Whether more events would have to be looked at one by one than may be.
async fn too_many_events(
    tx: &mut TenantTx,
    reads: &[(Place, Read)],
    effort: Effort,
) -> Result<Option<Problem>, DbError> {
    let mut events = 0;
    for (_, read) in reads {
        if read.events == EventSource::Raw {
            events += sql::count_events(tx, read.window.start(), read.window.end).await?;
        }
    }
    if events <= effort.most_events() {
        return Ok(None);
    }
    let (most, job) = (effort.most_events(), Effort::Job.most_events());
    let (code, way) = if events <= job {
        (TOO_MANY_AT_ONCE, ", or have a report made of it")
    } else {
        ("too_many_events", "")
    };
    Ok(Some(Problem::invalid(
        "/dimensions",
        code,
        format!(
            "two or more dimensions of events are counted one by one, and there are {events}: ask for fewer days (at most \
             {most} events) or for one dimension{way}"
        ),
    )))
}

/// The database's answer for all questions.
fn all_failed(error: DbError, questions: usize) -> Vec<Result<Frame, Problem>> {
    let unavailable = matches!(error, DbError::Unavailable(_) | DbError::Serialization(_));
    let mut problems = vec![Err(Problem::from(error))];
    problems.resize_with(questions, || {
        let cause = "the statement failed that counts for several questions";
        Err(if unavailable {
            Problem::unavailable(cause)
        } else {
            Problem::internal(cause)
        })
    });
    problems
}
