//! Ways out for mail: a mail server, a folder, standard output.

use std::{io::Write as _, path::PathBuf, time::Duration};

use bz_kernel::ExposeSecret;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    transport::smtp::{self, response::Category},
};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::MailRoute;

/// How long a mail server may take for one step.
const PATIENCE: Duration = Duration::from_secs(15);

/// A way out for mail.
#[derive(Debug)]
pub enum Transport {
    /// To a mail server.
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    /// Into a folder.
    Folder(PathBuf),
    /// To the standard output.
    Stdout,
    /// Nowhere: mails wait.
    Nowhere,
}

/// Why a mail did not leave.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The server will never take it: there is no such mailbox.
    #[error("the mail server refuses the address")]
    Refused(#[source] smtp::Error),
    /// Another time it may.
    #[error("the mail server did not take the mail")]
    Smtp(#[source] smtp::Error),
    /// The folder or the standard output cannot be written.
    #[error("the mail could not be written")]
    Io(#[from] std::io::Error),
}

impl From<smtp::Error> for SendError {
    fn from(error: smtp::Error) -> Self {
        // x5z is about the mailbox (RFC 5321 section 4.2.1); a wrong password is permanent too, and the operator's to mend.
        let about_mailbox = error
            .status()
            .is_some_and(|code| code.category == Category::MailSystem);
        if error.is_permanent() && about_mailbox {
            Self::Refused(error)
        } else {
            Self::Smtp(error)
        }
    }
}

impl Transport {
    /// The way out that was configured.
    ///
    /// # Errors
    /// When the address of the mail server is none.
    pub fn new(route: &MailRoute) -> anyhow::Result<Self> {
        Ok(match route {
            MailRoute::Smtp(url) => {
                let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())?;
                Self::Smtp(Box::new(builder.timeout(Some(PATIENCE)).build()))
            }
            MailRoute::Folder(folder) => Self::Folder(folder.clone()),
            MailRoute::Stdout => Self::Stdout,
            MailRoute::Nowhere => Self::Nowhere,
        })
    }

    /// As `/health` shows it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Smtp(_) => "smtp",
            Self::Folder(_) => "file",
            Self::Stdout => "stdout",
            Self::Nowhere => "not configured",
        }
    }

    /// Whether mails leave at all.
    #[must_use]
    pub const fn is_configured(&self) -> bool {
        !matches!(self, Self::Nowhere)
    }

    /// Sends one mail.
    ///
    /// # Errors
    /// [`SendError`] says whether trying again makes sense.
    pub async fn send(&self, id: Uuid, message: Message) -> Result<(), SendError> {
        match self {
            Self::Smtp(server) => {
                server.send(message).await?;
            }
            Self::Folder(folder) => write_file(folder, id, &message.formatted()).await?,
            Self::Stdout => std::io::stdout().write_all(&message.formatted())?,
            Self::Nowhere => {}
        }
        Ok(())
    }
}

/// One `.eml` file, for nobody but this process's user, in a folder of the same kind. It appears whole or not at all.
async fn write_file(folder: &PathBuf, id: Uuid, bytes: &[u8]) -> std::io::Result<()> {
    tokio::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .await?;
    let (part, whole) = (
        folder.join(format!("{id}.part")),
        folder.join(format!("{id}.eml")),
    );
    let mut options = tokio::fs::OpenOptions::new();
    let mut file = options
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)
        .await?;
    file.write_all(bytes).await?;
    file.flush().await?;
    tokio::fs::rename(part, whole).await
}
