//! Mails: written in the transaction of what they tell, sent by a job.
//!
//! A mail is a row of `mails` until it is sent; what it says is sealed, because it holds links with secrets. So no mail
//! tells of what was rolled back, and none is lost when the process dies after the commit.

pub(crate) mod job;
pub(crate) mod language;
mod message;
pub(crate) mod store;
pub(crate) mod template;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bz_kernel::{PlatformSecret, Rng, Sealer};
use bz_mail::{MailConfig, Transport};
use bz_service::{Probe, ProbeStatus};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use url::Url;
use uuid::Uuid;

use self::language::Language;
pub(crate) use self::template::Template;
use crate::app::AppState;

/// A mail that is about to be written down.
pub(crate) struct Mail<'a> {
    /// The address, normalised.
    pub(crate) to: &'a str,
    /// What it says.
    pub(crate) template: Template,
    /// The language of whoever reads it, as a tag (RFC 5646); English when it is not known or not written here.
    pub(crate) language: Option<&'a str>,
    /// What stands for the template's placeholders; one without a value is empty.
    pub(crate) values: &'a [(&'a str, &'a str)],
}

/// An instant as mails say it.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// Writes a mail in the transaction of what it tells. It is sent after the commit; [`AppState::wake`] makes that soon.
///
/// # Errors
/// Any [`DbError`].
pub(crate) async fn queue(
    tx: &mut TenantTx,
    app: &AppState,
    mail: &Mail<'_>,
) -> Result<(), DbError> {
    let sources = &app.core.sources;
    let id: Uuid = sources.id();
    let content = Content {
        to: mail.to.to_owned(),
        language: Language::of_tag(mail.language.unwrap_or_default()),
        values: mail
            .values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    };
    let sealed = app.mail.seal(id, &content);
    store::insert(tx, id, mail.template, &sealed, sources.now()).await
}

/// What is sealed of a mail.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    to: String,
    language: Language,
    values: Vec<(String, String)>,
}

/// Seals mails, knows where they go and what their links start with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mailer(Arc<Inner>);

struct Inner {
    sealer: Sealer,
    transport: Transport,
    from: lettre::message::Mailbox,
    public_url: Url,
    wake: Notify,
    is_failing: AtomicBool,
}

impl Mailer {
    /// The mailer of a configuration.
    ///
    /// # Errors
    /// When the certificates of the machine cannot be read.
    pub(crate) fn new(
        config: &MailConfig,
        public_url: &Url,
        secret: &PlatformSecret,
        rng: &Rng,
    ) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(Inner {
            sealer: Sealer::new(secret, "mails", rng.clone()),
            transport: Transport::new(&config.route)?,
            from: config.from.clone(),
            public_url: public_url.clone(),
            wake: Notify::new(),
            is_failing: AtomicBool::new(false),
        })))
    }

    /// A link that a mail may carry. It starts with the configured address, never with what a client called the host.
    pub(crate) fn link(&self, path: &str, query: &[(&str, &str)]) -> String {
        let mut url = self.0.public_url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url.into()
    }

    /// Makes the job look for mails now.
    pub(crate) fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// How mail goes out, for `/health`: degraded while the transport fails.
    pub(crate) fn probe(&self) -> Probe {
        let mailer = self.clone();
        Probe::new("mail", move || {
            let status = ProbeStatus {
                text: mailer.0.transport.name().into(),
                ok: !mailer.0.is_failing.load(Ordering::Relaxed),
            };
            std::future::ready(status)
        })
    }

    fn seal(&self, id: Uuid, content: &Content) -> Vec<u8> {
        let plain = serde_json::to_vec(content).unwrap_or_default();
        self.0.sealer.seal(id.as_bytes(), &plain)
    }

    fn open(&self, id: Uuid, sealed: &[u8]) -> Option<Content> {
        let plain = self.0.sealer.open(id.as_bytes(), sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}
