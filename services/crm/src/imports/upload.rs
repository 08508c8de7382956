//! Receiving a file: it is read as it comes, checked as far as a file can be, and kept in pieces.

use std::time::Duration;

use aws_lc_rs::digest;
use axum::{
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use bz_auth::Caller;
use bz_http::{IdempotencyKey, Json, Problem, context};
use bz_tabular::{File, Splitter, Text, delimiter, too_large};
use serde_json::json;
use uuid::Uuid;

use super::{
    Import,
    plan::{ImportQuery, Plan},
    shown, store,
};
use crate::{
    app::AppState,
    jobs::{self, JobStatus, kinds::IMPORT, store as jobs_store},
    records::{Record, access, custom},
};

/// The largest file, unpacked.
const LARGEST: u64 = 512 << 20;
/// How long to wait for the next part of a file.
const PATIENCE: Duration = Duration::from_secs(60);

/// Receives a file of records and begins its import.
pub(crate) async fn receive<R: Record>(
    app: &AppState,
    caller: &Caller,
    key: &IdempotencyKey,
    query: ImportQuery,
    request: Request,
) -> Result<Response, Problem> {
    let mut file = File::of(request).await?;
    let mut upload = Upload {
        app,
        caller,
        text: Text::new(query.encoding.as_deref())?,
        splitter: Splitter::new(delimiter(query.delimiter.as_deref())?),
        digest: digest::Context::new(&digest::SHA256),
        bytes: 0,
        pieces: 0,
        job: None,
    };
    let done = async {
        while let Some(part) = file.next().await? {
            context::extend_deadline(PATIENCE);
            upload.take::<R>(&query, Some(&part)).await?;
        }
        upload.take::<R>(&query, None).await?;
        upload.begin(key, &query).await
    };
    match done.await {
        Ok(import) => Ok(accepted(import)),
        Err(problem) => {
            upload.discard().await;
            Err(problem)
        }
    }
}

/// 202 with the import and where to look for it.
fn accepted(import: Import) -> Response {
    let location = format!("/api/imports/{}", import.id);
    let mut response = (StatusCode::ACCEPTED, Json(import)).into_response();
    if let Ok(location) = location.parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// A file on its way.
struct Upload<'a> {
    app: &'a AppState,
    caller: &'a Caller,
    text: Text,
    splitter: Splitter,
    digest: digest::Context,
    bytes: u64,
    pieces: i32,
    job: Option<Uuid>,
}

impl Upload<'_> {
    /// Takes a part of the file, or its end.
    async fn take<R: Record>(
        &mut self,
        query: &ImportQuery,
        part: Option<&Bytes>,
    ) -> Result<(), Problem> {
        let mut text = Vec::new();
        match part {
            Some(part) => {
                self.digest.update(part);
                self.text.push(part, &mut text)?;
            }
            None => self.text.end(&mut text)?,
        }
        self.bytes += text.len() as u64;
        if self.bytes > LARGEST {
            return Err(too_large());
        }
        self.splitter.push(&text)?;
        if part.is_none() {
            self.splitter.end()?;
        }
        if self.job.is_none()
            && let Some(header) = self.splitter.header()
        {
            self.job = Some(self.prepare::<R>(query, header).await?);
        }
        self.keep().await
    }

    /// Makes the plan, now that the headings are known, and a job that waits for the rest of the file.
    async fn prepare<R: Record>(
        &self,
        query: &ImportQuery,
        header: (Vec<String>, u8),
    ) -> Result<Uuid, Problem> {
        let (app, caller) = (self.app, self.caller);
        let mut tx = app.core.db.tenant(&caller.scope).await?;
        let definitions = custom::definitions(app, &mut tx).await?;
        let sight = access::writes(app, &mut tx, caller, R::TYPE).await?;
        let plan = Plan::new(query, R::TYPE, &definitions, header, sight)?;
        let order = jobs::Order {
            kind: IMPORT,
            record_type: R::TYPE.name,
            params: serde_json::to_value(&plan).map_err(Problem::internal)?,
            total: None,
            status: JobStatus::Preparing,
        };
        let job = jobs::order(app, &mut tx, caller.user, order).await?;
        tx.commit().await?;
        Ok(job.id)
    }

    /// Keeps the pieces that are ready.
    async fn keep(&mut self) -> Result<(), Problem> {
        let Some(job) = self.job else { return Ok(()) };
        for piece in std::mem::take(&mut self.splitter.pieces) {
            let mut tx = self.app.core.db.tenant(&self.caller.scope).await?;
            store::insert_piece(&mut tx, job, self.pieces, &piece).await?;
            tx.commit().await?;
            self.pieces += 1;
        }
        Ok(())
    }

    /// Begins the import, or answers the one that the same request began before.
    async fn begin(
        &mut self,
        key: &IdempotencyKey,
        query: &ImportQuery,
    ) -> Result<Import, Problem> {
        let total = self.splitter.total();
        let job = self.job.filter(|_| total > 0);
        let job =
            job.ok_or_else(|| Problem::invalid("", "no_rows", "has no rows under its heading"))?;
        let digest = self.digest.clone().finish();
        let sent = json!({ "query": query, "file": hex::encode(digest) });
        let core = &self.app.core;
        let begun = bz_http::idempotent(
            (&core.db, &core.sources.clock),
            &self.caller.scope,
            key,
            "import.ordered",
            &sent,
            async |tx| {
                let row = jobs_store::lock(tx, job).await?;
                let mut row = row.ok_or_else(|| Problem::internal("the upload is gone"))?;
                row.status = JobStatus::Queued;
                row.total = Some(total);
                let now = core.sources.now();
                jobs_store::save(tx, &row, now, now).await?;
                shown(&row)
            },
        )
        .await?;
        if begun.replayed {
            self.discard().await;
        }
        self.app.hurry();
        Ok(begun.value)
    }

    /// Drops what was received. What cannot be dropped now goes by retention.
    async fn discard(&self) {
        let Some(job) = self.job else { return };
        let dropped = async {
            let mut tx = self.app.core.db.tenant(&self.caller.scope).await?;
            jobs_store::discard(&mut tx, job).await?;
            tx.commit().await
        };
        if let Err(error) = dropped.await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, job.id = %job, "an upload that was refused could not be dropped; retention does it");
        }
    }
}
