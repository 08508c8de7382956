//! Reports: numbers as a file that one sends to somebody. A report is a row; a worker reads its numbers once from one
//! snapshot and makes each file of them.

mod answers;
mod create;
mod deliver;
mod document;
mod download;
mod files;
mod get;
mod letter;
mod list;
pub(crate) mod order;
pub mod pdf;
mod range;
mod resource;
mod store;
mod work;

use std::sync::Arc;

use bz_http::{Routes, routes};
use bz_mail::{MailConfig, Transport};
use bz_service::Job;
use lettre::message::Mailbox;
use tokio::sync::Notify;

pub use document::{Answer, Document, Failure, Part};
pub(crate) use resource::{CreateReport, Report};

use crate::app::AppState;

bz_auth::permissions! {
    /// See reports and fetch their files.
    ReportsRead = "reports:read",
    /// Make reports.
    ReportsWrite = "reports:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(create::create_report, list::list_reports))
        .routes(routes!(get::get_report))
        .routes(routes!(download::download_report))
}

/// The jobs of reports.
pub(crate) fn jobs(app: &AppState) -> impl Iterator<Item = Job> {
    work::jobs(app).into_iter().chain([deliver::job(app)])
}

/// What reports need: something that wakes the worker, and the way out for mail. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Reports(Arc<Inner>);

struct Inner {
    wake: Notify,
    transport: Transport,
    sender: Mailbox,
}

impl Reports {
    /// With the way out that was configured.
    ///
    /// # Errors
    /// When the certificates of the machine cannot be read.
    pub(crate) fn new(mail: &MailConfig) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(Inner {
            wake: Notify::new(),
            transport: Transport::new(&mail.route)?,
            sender: mail.from.clone(),
        })))
    }

    /// Makes the worker look for reports now.
    pub(crate) fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Until somebody calls [`Reports::wake`].
    async fn woken(&self) {
        self.0.wake.notified().await;
    }

    fn transport(&self) -> &Transport {
        &self.0.transport
    }

    fn sender(&self) -> &Mailbox {
        &self.0.sender
    }
}
