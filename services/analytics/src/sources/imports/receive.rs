//! Receiving a file: it is read as it comes, every row is checked, and it is kept in pieces until it is loaded.

use std::time::Duration;

use aws_lc_rs::digest;
use axum::extract::Request;
use bz_auth::Caller;
use bz_http::{IdempotencyKey, Problem, context, extract};
use bz_tabular::{Blanks, File, Splitter, Text, too_large};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{DataImport, create::ImportQuery, workbook};
use crate::{
    app::AppState,
    sources::{
        read::{Converter, Fault, Plan},
        resource::SourceRun,
        runs::{
            connector,
            load::{TOLD, faulty},
            store::{self, NewRun},
            worker,
        },
        store::{self as source_store, SourceRow},
    },
};

/// The largest file, unpacked.
const LARGEST: u64 = 512 << 20;
/// How long to wait for the next part of a file, and for a small one to be loaded.
const PATIENCE: Duration = Duration::from_secs(60);
/// Files of so many rows are loaded before the answer.
const AT_ONCE: i64 = 20_000;

/// Receives a file and begins its load, or tells what a load would find.
pub(super) async fn receive(
    app: &AppState,
    caller: &Caller,
    key: &IdempotencyKey,
    query: ImportQuery,
    request: Request,
) -> Result<DataImport, Problem> {
    let mut file = File::of(request).await?;
    let mut upload = Upload::new(app, caller, query).await?;
    let done = async {
        upload.read(&mut file).await?;
        upload.end(key).await
    };
    let done = done.await;
    if done.is_err() {
        upload.discard().await;
    }
    done
}

/// A file on its way.
struct Upload<'a> {
    app: &'a AppState,
    caller: &'a Caller,
    query: ImportQuery,
    source: SourceRow,
    text: Text,
    blanks: Option<Blanks>,
    splitter: Splitter,
    digest: digest::Context,
    bytes: u64,
    pieces: i32,
    reading: Option<(Plan, Converter)>,
    run: Option<Uuid>,
    faults: Vec<Fault>,
    faulty_rows: i64,
}

impl<'a> Upload<'a> {
    async fn new(
        app: &'a AppState,
        caller: &'a Caller,
        query: ImportQuery,
    ) -> Result<Self, Problem> {
        let mut tx = app.core.db.read(&caller.scope).await?;
        let id = query.source_id.as_uuid();
        let mut source = source_store::find(&mut tx, id)
            .await?
            .ok_or_else(Problem::not_found)?;
        drop(tx);
        if let Some(mapping) = &query.mapping {
            let wrong = |_: Problem| {
                Problem::invalid_parameter(
                    "mapping",
                    "invalid_value",
                    "must be a JSON object of headings and fields",
                )
            };
            source.reading.0.mapping = extract::parse(mapping.as_bytes()).map_err(wrong)?;
        }
        let (splitter, blanks) = connector::splitter(&source.reading)?;
        Ok(Self {
            text: Text::new(source.reading.encoding.as_deref())?,
            app,
            caller,
            query,
            source,
            blanks,
            splitter,
            digest: digest::Context::new(&digest::SHA256),
            bytes: 0,
            pieces: 0,
            reading: None,
            run: None,
            faults: Vec::new(),
            faulty_rows: 0,
        })
    }

    /// Reads the whole file.
    async fn read(&mut self, file: &mut File) -> Result<(), Problem> {
        let mut first = true;
        while let Some(part) = file.next().await? {
            context::extend_deadline(PATIENCE);
            self.digest.update(&part);
            if std::mem::take(&mut first) && workbook::begins(&part) {
                return self.workbook(part.to_vec(), file).await;
            }
            let mut plain = Vec::new();
            self.text.push(&part, &mut plain)?;
            self.take(&plain).await?;
        }
        let mut plain = Vec::new();
        self.text.end(&mut plain)?;
        self.take(&plain).await
    }

    /// Reads the whole of a spreadsheet, whose parts are in no order.
    async fn workbook(&mut self, mut bytes: Vec<u8>, file: &mut File) -> Result<(), Problem> {
        while let Some(part) = file.next().await? {
            context::extend_deadline(PATIENCE);
            self.digest.update(&part);
            if bytes.len() + part.len() > workbook::LARGEST {
                return Err(
                    too_large().detail("A spreadsheet must have at most 32 MiB; send it as CSV.")
                );
            }
            bytes.extend_from_slice(&part);
        }
        let text = workbook::to_csv(&self.app.sources.workbooks, bytes).await?;
        self.blanks = None;
        let columns = self.source.reading.columns.clone();
        self.splitter = if columns.is_empty() {
            Splitter::new(Some(b','))
        } else {
            Splitter::without_heading(Some(b','), columns)
        };
        for part in text.chunks(1 << 20) {
            self.take(part).await?;
        }
        Ok(())
    }

    /// Takes some text.
    async fn take(&mut self, text: &[u8]) -> Result<(), Problem> {
        self.bytes += text.len() as u64;
        if self.bytes > LARGEST {
            return Err(too_large());
        }
        match &mut self.blanks {
            Some(blanks) => self.splitter.push(&blanks.push(text))?,
            None => self.splitter.push(text)?,
        }
        self.pieces().await
    }

    /// Checks the pieces that are ready, and keeps them.
    async fn pieces(&mut self) -> Result<(), Problem> {
        if self.reading.is_none() {
            let Some(header) = self.splitter.header() else {
                return Ok(());
            };
            self.prepare(header).await?;
        }
        for piece in std::mem::take(&mut self.splitter.pieces) {
            let Some((_, converter)) = &mut self.reading else {
                break;
            };
            let mut faults = Vec::new();
            converter.read(&piece.content, piece.first_row, &mut faults);
            let mut rows: Vec<i64> = faults.iter().map(|fault| fault.row).collect();
            rows.dedup();
            self.faulty_rows += i64::try_from(rows.len()).unwrap_or(i64::MAX);
            faults.truncate(TOLD.saturating_sub(self.faults.len()));
            self.faults.append(&mut faults);
            if let Some(run) = self.run.filter(|_| self.faulty_rows == 0) {
                let mut tx = self.app.core.db.tenant(&self.caller.scope).await?;
                store::insert_piece(&mut tx, run, self.pieces, &piece).await?;
                tx.commit().await?;
                self.pieces += 1;
            }
        }
        Ok(())
    }

    /// Makes the plan, now that the headings are known, and a run that waits for the rest of the file.
    async fn prepare(&mut self, header: (Vec<String>, u8)) -> Result<(), Problem> {
        let now = self.app.core.sources.now();
        let plan = Plan::new(&self.source.dataset, self.source.reading.0.clone(), header)?;
        let converter = Converter::new(&plan, self.source.id, now)?;
        if !self.query.dry_run {
            let stored = serde_json::to_value(&plan).map_err(Problem::internal)?;
            let new = NewRun {
                id: self.app.core.sources.id(),
                source_id: self.source.id,
                kind: "import",
                status: "preparing",
                plan: Some(&stored),
                by: Some(self.caller.user.as_uuid()),
                now,
            };
            let mut tx = self.app.core.db.tenant(&self.caller.scope).await?;
            self.run = Some(store::insert(&mut tx, new).await?.id);
            tx.commit().await?;
        }
        self.reading = Some((plan, converter));
        Ok(())
    }

    /// The end of the file: tells what was found, and begins the load if nothing is wrong.
    async fn end(&mut self, key: &IdempotencyKey) -> Result<DataImport, Problem> {
        self.splitter.end()?;
        self.pieces().await?;
        let total = self.splitter.total();
        let no_rows = || Problem::invalid("", "no_rows", "has no rows under its heading");
        if total == 0 {
            return Err(no_rows());
        }
        if !self.query.dry_run && self.faulty_rows > 0 {
            return Err(faulty(&self.faults));
        }
        let run = match self.run {
            Some(run) => Some(self.begin(run, total, key).await?),
            None => None,
        };
        let (plan, _) = self.reading.as_ref().ok_or_else(no_rows)?;
        Ok(DataImport {
            source_id: self.query.source_id,
            dataset: plan.dataset.clone(),
            dry_run: self.query.dry_run,
            left_out: plan.left_out(),
            header: plan.header.clone(),
            rows_total: total,
            rows_faulty: self.faulty_rows,
            faults: std::mem::take(&mut self.faults),
            run,
        })
    }

    /// Begins the load, or answers the one that the same request began before.
    async fn begin(
        &mut self,
        run: Uuid,
        total: i64,
        key: &IdempotencyKey,
    ) -> Result<SourceRun, Problem> {
        let digest = hex::encode(self.digest.clone().finish().as_ref());
        let sent: Value = json!({ "query": self.query, "file": digest });
        let (app, core) = (self.app, &self.app.core);
        let begun = bz_http::idempotent(
            (&core.db, &core.sources.clock),
            &self.caller.scope,
            key,
            "data_imports.create",
            &sent,
            async |tx| {
                let queued = store::queue(tx, run, total, core.sources.now()).await?;
                let queued = queued.ok_or_else(|| Problem::internal("the upload is gone"))?;
                Ok(SourceRun::from(queued))
            },
        )
        .await?;
        if begun.replayed {
            self.discard().await;
        }
        app.sources.hint.notify_one();
        if total > AT_ONCE {
            return Ok(begun.value);
        }
        context::extend_deadline(PATIENCE);
        let done = worker::run_now(app, &self.caller.scope, begun.value.id).await?;
        Ok(done.map_or(begun.value, SourceRun::from))
    }

    /// Drops what was received. What cannot be dropped now goes by retention.
    async fn discard(&self) {
        let Some(run) = self.run else { return };
        let dropped = async {
            let mut tx = self.app.core.db.tenant(&self.caller.scope).await?;
            store::discard(&mut tx, run).await?;
            tx.commit().await
        };
        if let Err(error) = dropped.await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, run.id = %run, "an upload that was refused could not be dropped; retention does it");
        }
    }
}
