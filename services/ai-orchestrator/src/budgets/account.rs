//! Reserving before a call, settling after it.

use bz_kernel::{CrewId, Sources};
use bz_service::Core;
use bz_tenant::{Db, DbError, TenantTx};
use chrono::{DateTime, NaiveDate, Utc};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::store::{self, Row, Spent};
use crate::{
    llm::{Charge, LlmError, Usage},
    usage,
};

/// The accounts of all tenants. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Accounts {
    db: Db,
    sources: Sources,
    tasks: TaskTracker,
}

/// The most that a call can use.
#[derive(Debug, Clone)]
pub(crate) struct Worst {
    pub(crate) tokens: i64,
    pub(crate) cost: i64,
    pub(crate) runs: i64,
    pub(crate) provider: String,
    pub(crate) model: String,
}

impl Worst {
    /// A run that begins, which is no call yet.
    const fn run() -> Self {
        Self {
            tokens: 0,
            cost: 0,
            runs: 1,
            provider: String::new(),
            model: String::new(),
        }
    }

    const fn spent(&self) -> Spent {
        Spent {
            tokens: self.tokens,
            cost: self.cost,
            runs: self.runs,
        }
    }
}

/// What a call has reserved. When it is dropped unsettled, because the call was given up, all of it counts as used: what
/// the provider did until then is not known.
pub(crate) struct Reservation {
    accounts: Accounts,
    who: Charge,
    worst: Worst,
    budgets: Vec<Taken>,
    settled: bool,
}

/// A reservation in one budget.
#[derive(Debug, Clone, Copy)]
struct Taken {
    budget: Uuid,
    subject: Uuid,
    start: NaiveDate,
    max_tokens: Option<i64>,
    tokens: i64,
}

impl Taken {
    const fn place(&self) -> (Uuid, Uuid, NaiveDate) {
        (self.budget, self.subject, self.start)
    }
}

impl Accounts {
    pub(crate) fn new(core: &Core) -> Self {
        Self {
            db: core.db.clone(),
            sources: core.sources.clone(),
            tasks: core.tasks.clone(),
        }
    }

    /// Takes the most that a call can use out of every budget that limits it.
    ///
    /// # Errors
    /// [`LlmError::BudgetExceeded`] when a hard one has not so much left; then nothing is taken.
    pub(crate) async fn reserve(
        &self,
        who: &Charge,
        worst: Worst,
    ) -> Result<Reservation, LlmError> {
        let budgets = self.take(who, &worst).await?;
        Ok(Reservation {
            accounts: self.clone(),
            who: *who,
            worst,
            budgets,
            settled: false,
        })
    }

    async fn take(&self, who: &Charge, worst: &Worst) -> Result<Vec<Taken>, LlmError> {
        let tx = self.db.tenant(&who.scope()).await;
        let mut tx = tx.map_err(LlmError::Budgets)?;
        let taken = take(&mut tx, who, worst, self.sources.now()).await?;
        if !taken.is_empty() {
            tx.commit().await.map_err(LlmError::Budgets)?;
        }
        Ok(taken)
    }
}

/// Counts a run in the budgets that limit runs, in the transaction that makes it.
///
/// # Errors
/// [`LlmError::BudgetExceeded`] when a hard one has none left; then it is counted in none.
pub(crate) async fn start_run(
    tx: &mut TenantTx,
    who: &Charge,
    now: DateTime<Utc>,
) -> Result<(), LlmError> {
    take(tx, who, &Worst::run(), now).await.map(drop)
}

/// Takes from all budgets, or from none.
async fn take(
    tx: &mut TenantTx,
    who: &Charge,
    worst: &Worst,
    now: DateTime<Utc>,
) -> Result<Vec<Taken>, LlmError> {
    let (user, crew) = (who.user.as_uuid(), who.crew.map(CrewId::as_uuid));
    let rows = store::limiting(tx, user, crew).await;
    let rows = rows.map_err(LlmError::Budgets)?;
    let mut taken = Vec::with_capacity(rows.len());
    for row in &rows {
        let start = row.period_start(now);
        let spent = store::spend(tx, row, user, start, worst.spent()).await;
        let spent = spent.map_err(LlmError::Budgets)?;
        taken.push(Taken {
            budget: row.id,
            subject: row.spender(user),
            start,
            max_tokens: row.max_tokens,
            tokens: spent.tokens,
        });
        if row.hard && exceeds(row, worst, &spent) {
            // The transaction may be kept for something else.
            let back = worst.spent().negated();
            for taken in taken {
                let given = store::correct(tx, taken.place(), back).await;
                given.map_err(LlmError::Budgets)?;
            }
            let scope = row.scope.clone();
            return Err(LlmError::BudgetExceeded { scope });
        }
    }
    Ok(taken)
}

/// Whether a limit is passed by what is asked for; runs and calls do not stop each other.
fn exceeds(row: &Row, worst: &Worst, spent: &Spent) -> bool {
    let over = |asked: i64, spent: i64, limit: Option<i64>| {
        asked > 0 && limit.is_some_and(|limit| spent > limit)
    };
    over(worst.tokens, spent.tokens, row.max_tokens)
        || over(worst.cost, spent.cost, row.max_cost)
        || over(worst.runs, spent.runs, row.max_runs)
}

impl Reservation {
    /// Tokens left in the tightest budget.
    pub(crate) fn remaining(&self) -> Option<i64> {
        let left = |taken: &Taken| taken.max_tokens.map(|most| (most - taken.tokens).max(0));
        self.budgets.iter().filter_map(left).min()
    }

    /// Gives back what was not used, writes down what was, and answers the tokens left in the tightest budget. A database
    /// that fails now leaves the most taken.
    pub(crate) async fn settle(&mut self, usage: &Usage, cost: i64) -> Option<i64> {
        if let Err(error) = self.try_settle(usage, cost).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "use of a model not settled"
            );
        }
        self.remaining()
    }

    async fn try_settle(&mut self, usage: &Usage, cost: i64) -> Result<(), DbError> {
        let used = i64::try_from(usage.total()).unwrap_or(i64::MAX);
        if self.settled || (used == 0 && cost == 0 && self.budgets.is_empty()) {
            return Ok(());
        }
        let more = Spent {
            tokens: used - self.worst.tokens,
            cost: cost - self.worst.cost,
            runs: 0,
        };
        let mut tx = self.accounts.db.tenant(&self.who.scope()).await?;
        let mut left = Vec::with_capacity(self.budgets.len());
        for taken in &self.budgets {
            let spent = store::correct(&mut tx, taken.place(), more).await?;
            left.push(spent.map_or(taken.tokens + more.tokens, |spent| spent.tokens));
        }
        if used > 0 || cost > 0 {
            let day = self.accounts.sources.now().date_naive();
            let names = (self.worst.provider.as_str(), self.worst.model.as_str());
            usage::store::add(&mut tx, &self.who, day, names, usage, cost).await?;
        }
        tx.commit().await?;
        self.settled = true;
        for (taken, tokens) in self.budgets.iter_mut().zip(left) {
            taken.tokens = tokens;
        }
        Ok(())
    }

    /// Settles beside the request, which is over; a stop of the service waits for it.
    pub(crate) fn settle_later(mut self, usage: Usage, cost: i64) {
        let tasks = self.accounts.tasks.clone();
        tasks.spawn(async move {
            self.settle(&usage, cost).await;
        });
    }
}
