//! SQL of the budgets.

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use super::{Budget, BudgetLimits, Period, Scope, Used};

/// A budget that limits a call.
#[derive(Debug, FromRow)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) scope: String,
    pub(super) subject: Option<Uuid>,
    pub(super) period: String,
    pub(super) max_tokens: Option<i64>,
    pub(super) max_cost: Option<i64>,
    pub(super) max_runs: Option<i64>,
    pub(super) hard: bool,
}

impl Row {
    /// Of a budget for each user, the user; the zero id otherwise.
    pub(super) fn spender(&self, user: Uuid) -> Uuid {
        if self.scope == "user" && self.subject.is_none() {
            user
        } else {
            Uuid::nil()
        }
    }

    /// The day on which the period of an instant began.
    pub(super) fn period_start(&self, now: DateTime<Utc>) -> NaiveDate {
        let day = now.date_naive();
        match self.period.as_str() {
            "month" => day.with_day(1).unwrap_or(day),
            _ => day,
        }
    }

    /// The user whose use counts, when it is one user's.
    fn user(&self, caller: Uuid) -> Option<Uuid> {
        (self.scope == "user").then(|| self.subject.unwrap_or(caller))
    }
}

/// The budgets that limit a call of a user, for a crew perhaps, always in the same order, so that nobody waits for
/// somebody who waits for him.
pub(super) async fn limiting(
    tx: &mut TenantTx,
    user: Uuid,
    crew: Option<Uuid>,
) -> Result<Vec<Row>, DbError> {
    let sql = "-- ai.budgets.limiting\n\
        SELECT id, scope, subject, period, max_tokens, max_cost, max_runs, hard FROM ai.budgets \
        WHERE scope = 'tenant' OR (scope = 'user' AND (subject IS NULL OR subject = $1)) OR (scope = 'crew' AND subject = $2) \
        ORDER BY id";
    Ok(query_as(sql)
        .bind(user)
        .bind(crew)
        .fetch_all(tx.conn())
        .await?)
}

/// What is spent of a budget.
#[derive(Debug, Clone, Copy, Default, FromRow)]
pub(super) struct Spent {
    pub(super) tokens: i64,
    pub(super) cost: i64,
    pub(super) runs: i64,
}

impl Spent {
    /// What takes it back.
    pub(super) const fn negated(self) -> Self {
        Self {
            tokens: -self.tokens,
            cost: -self.cost,
            runs: -self.runs,
        }
    }
}

/// Adds to what is spent, and answers the sum. The first time in a period that begins with what was used in it before the
/// budget was set.
pub(super) async fn spend(
    tx: &mut TenantTx,
    budget: &Row,
    user: Uuid,
    start: NaiveDate,
    more: Spent,
) -> Result<Spent, DbError> {
    let sql = "-- ai.spending.add\n\
        INSERT INTO ai.spending AS s (budget_id, subject, period_start, tokens, cost, runs) \
        SELECT $1, $2, $3, $4 + coalesce(sum(prompt_tokens + completion_tokens), 0)::bigint, $5 + coalesce(sum(cost), 0)::bigint, $6 \
        FROM ai.usage_daily WHERE day >= $3 AND ($7::uuid IS NULL OR user_id = $7) AND ($8::uuid IS NULL OR crew_id = $8) \
        ON CONFLICT ON CONSTRAINT spending_pkey \
        DO UPDATE SET tokens = s.tokens + $4, cost = s.cost + $5, runs = s.runs + $6 \
        RETURNING tokens, cost, runs";
    let crew = (budget.scope == "crew").then_some(budget.subject).flatten();
    Ok(query_as(sql)
        .bind(budget.id)
        .bind(budget.spender(user))
        .bind(start)
        .bind(more.tokens)
        .bind(more.cost)
        .bind(more.runs)
        .bind(budget.user(user))
        .bind(crew)
        .fetch_one(tx.conn())
        .await?)
}

/// Corrects what is spent; nothing when the budget was deleted meanwhile.
pub(super) async fn correct(
    tx: &mut TenantTx,
    (budget, subject, start): (Uuid, Uuid, NaiveDate),
    more: Spent,
) -> Result<Option<Spent>, DbError> {
    let sql = "-- ai.spending.correct\n\
        UPDATE ai.spending SET tokens = tokens + $4, cost = cost + $5, runs = runs + $6 \
        WHERE budget_id = $1 AND subject = $2 AND period_start = $3 RETURNING tokens, cost, runs";
    Ok(query_as(sql)
        .bind(budget)
        .bind(subject)
        .bind(start)
        .bind(more.tokens)
        .bind(more.cost)
        .bind(more.runs)
        .fetch_optional(tx.conn())
        .await?)
}

#[derive(FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    row: Row,
    #[sqlx(flatten)]
    spent: Spent,
}

/// All budgets with what is used of them.
pub(super) async fn list(
    tx: &mut TenantTx,
    caller: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Budget>, DbError> {
    let sql = "-- ai.budgets.list\n\
        SELECT b.id, b.scope, b.subject, b.period, b.max_tokens, b.max_cost, b.max_runs, b.hard, \
        coalesce(s.tokens, 0) AS tokens, coalesce(s.cost, 0) AS cost, coalesce(s.runs, 0) AS runs \
        FROM ai.budgets AS b LEFT JOIN ai.spending AS s ON s.tenant_id = b.tenant_id AND s.budget_id = b.id \
        AND s.subject = CASE WHEN b.scope = 'user' AND b.subject IS NULL THEN $1 ELSE '00000000-0000-0000-0000-000000000000' END \
        AND s.period_start = CASE b.period WHEN 'month' THEN date_trunc('month', $2::date)::date ELSE $2::date END \
        ORDER BY b.id";
    let rows: Vec<ListedRow> = query_as(sql)
        .bind(caller)
        .bind(now.date_naive())
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

impl From<ListedRow> for Budget {
    fn from(ListedRow { row, spent }: ListedRow) -> Self {
        Self {
            scope: match row.scope.as_str() {
                "tenant" => Scope::Tenant,
                "crew" => Scope::Crew,
                _ => Scope::User,
            },
            subject: row.subject,
            period: match row.period.as_str() {
                "month" => Period::Month,
                _ => Period::Day,
            },
            max_tokens: row.max_tokens,
            max_cost_micros: row.max_cost,
            max_runs: row.max_runs,
            hard: row.hard,
            used: Used {
                tokens: spent.tokens,
                cost_micros: spent.cost,
                runs: spent.runs,
            },
        }
    }
}

const fn name_of(scope: Scope) -> &'static str {
    match scope {
        Scope::Tenant => "tenant",
        Scope::User => "user",
        Scope::Crew => "crew",
    }
}

/// Sets a budget: a new one, or other limits of the one for the same subject and period.
pub(super) async fn set(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
    limits: &BudgetLimits,
) -> Result<Uuid, DbError> {
    let sql = "-- ai.budgets.set\n\
        INSERT INTO ai.budgets AS b (id, scope, subject, period, max_tokens, max_cost, max_runs, hard, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) \
        ON CONFLICT ON CONSTRAINT budgets_scope_key \
        DO UPDATE SET max_tokens = $5, max_cost = $6, max_runs = $7, hard = $8, updated_at = $9 RETURNING id";
    let period = match limits.period {
        Period::Day => "day",
        Period::Month => "month",
    };
    Ok(sqlx::query_scalar(sql)
        .bind(id)
        .bind(name_of(limits.scope))
        .bind(limits.subject)
        .bind(period)
        .bind(limits.max_tokens)
        .bind(limits.max_cost_micros)
        .bind(limits.max_runs)
        .bind(limits.hard)
        .bind(now)
        .fetch_one(tx.conn())
        .await?)
}

/// Deletes all budgets but these, with what was spent of them.
pub(super) async fn keep_only(tx: &mut TenantTx, ids: &[Uuid]) -> Result<(), DbError> {
    query("-- ai.budgets.keep_only\nDELETE FROM ai.budgets WHERE NOT (id = ANY($1))")
        .bind(ids)
        .execute(tx.conn())
        .await?;
    Ok(())
}
