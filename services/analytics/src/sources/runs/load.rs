//! Loading a table: one transaction for all of it, so that nobody ever sees half of a file, and a load that is begun again
//! brings nothing twice.

use std::collections::BTreeSet;

use bz_http::Problem;
use bz_tabular::Piece;
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::NaiveDate;
use serde_json::json;

use super::store::{self, RunRow};
use crate::{
    app::AppState,
    sources::{
        Load, deals, facts, orders,
        read::{Batch, Converter, Fault, Plan},
    },
    tracking, version,
};

/// The faults that are told of one table.
pub(crate) const TOLD: usize = 50;

/// A table on its way into the database.
pub(crate) struct Loader<'a> {
    app: &'a AppState,
    scope: TenantScope,
    /// Begun by the first row that goes into it: events do not, and a transaction that does nothing for long is ended.
    tx: Option<TenantTx>,
    load: Load,
    converter: Converter,
    cleared: BTreeSet<NaiveDate>,
    faults: Vec<Fault>,
    rows: i64,
}

impl<'a> Loader<'a> {
    /// Begins to load a run's table.
    pub(crate) fn begin(
        app: &'a AppState,
        scope: &TenantScope,
        run: &RunRow,
        plan: &Plan,
    ) -> Result<Self, Problem> {
        let now = app.core.sources.now();
        let converter = Converter::new(plan, run.source_id, now)?;
        Ok(Self {
            app,
            scope: *scope,
            tx: None,
            load: Load {
                source_id: run.source_id,
                load_id: run.id,
                at: now,
            },
            converter,
            cleared: BTreeSet::new(),
            faults: Vec::new(),
            rows: 0,
        })
    }

    /// How many rows were taken.
    pub(crate) const fn rows(&self) -> i64 {
        self.rows
    }

    /// Takes the next rows.
    ///
    /// # Errors
    /// 422 with the first 50 faults as soon as there are so many.
    pub(crate) async fn take(&mut self, piece: &Piece) -> Result<(), Problem> {
        self.rows += i64::from(piece.rows);
        let batch = self
            .converter
            .read(&piece.content, piece.first_row, &mut self.faults);
        if self.faults.len() >= TOLD {
            return Err(faulty(&self.faults));
        }
        if self.faults.is_empty() {
            self.write(batch).await?;
        }
        Ok(())
    }

    async fn write(&mut self, batch: Batch) -> Result<(), Problem> {
        let Self {
            app,
            scope,
            tx,
            load,
            converter,
            cleared,
            ..
        } = self;
        match batch {
            Batch::Facts(rows) => {
                let tx = begun(tx, app, scope).await?;
                let days: BTreeSet<NaiveDate> = rows.iter().map(|fact| fact.day).collect();
                let new: BTreeSet<NaiveDate> = days.difference(cleared).copied().collect();
                let dataset = converter.dataset();
                if !new.is_empty() {
                    facts::clear(tx, load, dataset, &new).await?;
                    cleared.extend(new);
                }
                facts::add(tx, load, dataset, rows).await?;
            }
            Batch::Orders(rows) => {
                orders::write(begun(tx, app, scope).await?, load, rows).await?;
            }
            Batch::Deals(rows) => {
                let tx = begun(tx, app, scope).await?;
                deals::write(tx, &load.source_id.to_string(), load.at, rows).await?;
            }
            // Events have ids: what is taken in twice counts once, so they need not wait for the rest of the file.
            Batch::Events(rows) => {
                let now = app.core.sources.now();
                for batch in rows.chunks(tracking::MAX_BATCH) {
                    app.tracking.record(&app.core.db, now, scope, batch).await?;
                }
                app.hub.changed(scope.tenant());
            }
        }
        Ok(())
    }

    /// Makes all of it count, and ends the run with it.
    ///
    /// # Errors
    /// 422 with the faults, if there are any.
    pub(crate) async fn finish(self, run: &RunRow) -> Result<(), Problem> {
        if !self.faults.is_empty() {
            return Err(faulty(&self.faults));
        }
        let now = self.app.core.sources.now();
        let mut tx = match self.tx {
            Some(tx) => tx,
            None => self.app.core.db.tenant(&self.scope).await?,
        };
        if !store::finish(&mut tx, run, Ok(self.rows), now).await? {
            return Err(Problem::internal("somebody else has the run"));
        }
        version::bump(&mut tx).await?;
        Ok(tx.commit().await?)
    }
}

/// The transaction of all rows.
async fn begun<'t>(
    tx: &'t mut Option<TenantTx>,
    app: &AppState,
    scope: &TenantScope,
) -> Result<&'t mut TenantTx, DbError> {
    let begun = match tx.take() {
        Some(tx) => tx,
        None => app.core.db.tenant(scope).await?,
    };
    Ok(tx.insert(begun))
}

/// Why a table with faults is not loaded.
pub(crate) fn faulty(faults: &[Fault]) -> Problem {
    let told: Vec<&Fault> = faults.iter().take(TOLD).collect();
    let detail = "Nothing was loaded. Correct the rows, or map their columns otherwise, and send the file again.";
    let problem = Problem::new(
        http::StatusCode::UNPROCESSABLE_ENTITY,
        "validation_failed",
        "What was sent is not valid",
    )
    .detail(detail)
    .member("rows", json!(told));
    told.iter().fold(problem, |problem, fault| {
        let field = fault.field.as_deref().unwrap_or_default();
        problem.error(
            format!("/rows/{}/{field}", fault.row),
            fault.code.clone(),
            fault.message.clone(),
        )
    })
}
