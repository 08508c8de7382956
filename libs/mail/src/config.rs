//! How mail leaves, from the environment.

use std::path::PathBuf;

use bz_kernel::{ExposeSecret, SecretString};
use bz_service::config::Env;
use lettre::{AsyncSmtpTransport, Tokio1Executor, message::Mailbox};
use url::Url;

/// Where a development environment puts mails, below the folder that the process runs in: the state of `scripts/up`.
const DEVELOPMENT_FOLDER: &str = ".dev/mails";

/// How mail leaves.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// Where to.
    pub route: MailRoute,
    /// The sender.
    pub from: Mailbox,
}

/// Where mail goes.
#[derive(Debug, Clone)]
pub enum MailRoute {
    /// To a mail server, by its address with name and password.
    Smtp(SecretString),
    /// Into a folder, one file a mail.
    Folder(PathBuf),
    /// To the standard output of the process.
    Stdout,
    /// Nowhere: mails wait until an address is configured.
    Nowhere,
}

impl MailConfig {
    /// Reads `MAIL_URL` and `MAIL_FROM`.
    pub fn read(env: &mut Env, is_development: bool) -> Option<Self> {
        let route = env
            .secret(
                "MAIL_URL",
                "Where mail goes: `smtps://name:password@host` (TLS from the start), \
                 `smtp://name:password@host:587?tls=required` (STARTTLS), `smtp://host:25` (no TLS), `file:///folder` (a \
                 file for each mail), `stdout`. Without it mails are files below `.dev/mails` in development, and wait \
                 in production.",
            )
            .map(|text| route(&text))
            .optional();
        let is_smtp = matches!(&route, Some(Some(MailRoute::Smtp(_))));
        let from = env
            .text(
                "MAIL_FROM",
                "Sender of mails, such as `BizOSaaS <no-reply@example.com>`; needed with SMTP.",
            )
            .map(|text| {
                text.parse::<Mailbox>()
                    .map_err(|_| "write name@example.com, or Name <name@example.com>".to_owned())
            })
            .optional();
        let from = match from? {
            Some(from) => from,
            None if is_smtp => {
                env.problem("MAIL_FROM", "is required with a mail server in MAIL_URL");
                return None;
            }
            None => Mailbox::new(
                Some("BizOSaaS".to_owned()),
                "no-reply@localhost".parse().ok()?,
            ),
        };
        let default = if is_development {
            MailRoute::Folder(DEVELOPMENT_FOLDER.into())
        } else {
            MailRoute::Nowhere
        };
        Some(Self {
            route: route?.unwrap_or(default),
            from,
        })
    }
}

fn route(text: &SecretString) -> Result<MailRoute, String> {
    let advice = || "write smtps://name:password@host, file:///folder or stdout".to_owned();
    if text.expose_secret() == "stdout" {
        return Ok(MailRoute::Stdout);
    }
    let url = Url::parse(text.expose_secret()).map_err(|_| advice())?;
    match url.scheme() {
        "file" => url
            .to_file_path()
            .map(MailRoute::Folder)
            .map_err(|()| advice()),
        "smtp" if url.password().is_some() && !url.query_pairs().any(|(name, _)| name == "tls") => {
            Err("would send the password in the clear: add ?tls=required".to_owned())
        }
        "smtp" | "smtps" => AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str())
            .map(|_| MailRoute::Smtp(text.clone()))
            .map_err(|_| advice()),
        _ => Err(advice()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_route_is_what_the_address_says() {
        let of = |text: &str| route(&text.into());
        for url in [
            "smtps://a:b@mail.example",
            "smtp://a:b@mail.example:587?tls=required",
            "smtp://relay:25",
        ] {
            assert!(matches!(of(url), Ok(MailRoute::Smtp(_))), "{url}");
        }
        assert!(matches!(of("stdout"), Ok(MailRoute::Stdout)));
        assert!(
            matches!(of("file:///var/mails"), Ok(MailRoute::Folder(folder)) if folder == Path::new("/var/mails"))
        );
        for url in [
            "",
            "mail.example",
            "http://mail.example",
            "smtp://a:b@mail.example:587",
            "smtp://x?tls=maybe",
        ] {
            assert!(of(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_mail_server_needs_a_sender_and_development_needs_nothing() {
        let read = |values: &[(&str, &str)], dev| {
            MailConfig::read(&mut Env::from_map(values.iter().copied()), dev)
        };
        assert!(matches!(
            read(&[], true).unwrap().route,
            MailRoute::Folder(_)
        ));
        assert!(matches!(
            read(&[], false).unwrap().route,
            MailRoute::Nowhere
        ));
        let smtp = ("MAIL_URL", "smtp://relay:25");
        assert!(read(&[smtp], false).is_none());
        assert!(read(&[smtp, ("MAIL_FROM", "no address")], false).is_none());
        assert!(
            read(
                &[smtp, ("MAIL_FROM", "Acme <no-reply@acme.example>")],
                false
            )
            .is_some()
        );
    }
}
