//! The mails that a service under test sent, out of the folder that it puts them into.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bz_testkit::{TestAppBuilder, wait_until};

use crate::support::{IdentityApp, IdentityUnderTest};

const PATIENCE: Duration = Duration::from_secs(30);
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// A folder for mails, gone at the end of the test.
pub(crate) struct Mailbox(PathBuf);

/// A mail, as much as tests look at.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) headers: String,
    pub(crate) text: String,
}

impl Received {
    /// The token in the link.
    pub(crate) fn token(&self) -> String {
        let (_, token) = self.text.split_once("?token=").unwrap();
        token.split_whitespace().next().unwrap().to_owned()
    }

    pub(crate) fn subject(&self) -> &str {
        let line = self
            .headers
            .lines()
            .find(|line| line.starts_with("Subject: "));
        line.unwrap().strip_prefix("Subject: ").unwrap()
    }
}

impl Mailbox {
    pub(crate) fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("bz-mails-{}-{number}", std::process::id())))
    }

    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.0.display())
    }

    /// The service with its jobs at work and its mails in this folder.
    pub(crate) async fn start(&self, builder: TestAppBuilder<IdentityUnderTest>) -> IdentityApp {
        let mut app = builder.env("MAIL_URL", self.url()).start().await;
        app.start_jobs();
        app
    }

    /// Waits for a mail to an address and takes it out of the folder.
    pub(crate) async fn take(&self, to: &str) -> Received {
        let mut found = None;
        wait_until(
            async || {
                found = self.look(to);
                found.is_some()
            },
            PATIENCE,
        )
        .await;
        found.unwrap()
    }

    /// How many mails lie in the folder.
    pub(crate) fn count(&self) -> usize {
        self.files().len()
    }

    fn files(&self) -> Vec<PathBuf> {
        let Ok(folder) = std::fs::read_dir(&self.0) else {
            return Vec::new();
        };
        let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
        files.sort();
        files
    }

    fn look(&self, to: &str) -> Option<Received> {
        for file in self.files() {
            let raw = std::fs::read_to_string(&file)
                .unwrap()
                .replace("\r\n", "\n");
            let (headers, body) = raw.split_once("\n\n").unwrap();
            if headers.lines().any(|line| line == format!("To: {to}")) {
                std::fs::remove_file(&file).unwrap();
                return Some(Received {
                    headers: headers.to_owned(),
                    text: plain_part(body),
                });
            }
        }
        None
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        // A folder that no mail was put into does not exist.
        let _none = std::fs::remove_dir_all(&self.0);
    }
}

/// The first part of the message, decoded when it is quoted-printable (RFC 2045 section 6.7).
fn plain_part(body: &str) -> String {
    let part = body.split("\n--").next().unwrap();
    let (headers, text) = part.split_once("\n\n").unwrap();
    if !headers.contains("quoted-printable") {
        return text.to_owned();
    }
    let joined = text.replace("=\n", "");
    let mut pieces = joined.split('=');
    let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        bytes.extend(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

/// Waits until the work behind the answers is done.
pub(crate) async fn settled(app: &IdentityApp) {
    wait_until(async || app.core.tasks.is_empty(), PATIENCE).await;
}
