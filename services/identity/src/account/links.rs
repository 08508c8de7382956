//! The mails with links that are good once: each makes its token in the transaction that writes the mail down.

use bz_kernel::{ExposeSecret, UserId};
use bz_tenant::{DbError, TenantTx};

use crate::{
    app::AppState,
    mail::{self, Mail, Template, language::Language},
    one_time::{self, Kind},
    pages::Page,
    users::store::Account,
};

/// Who gets a mail.
#[derive(Clone, Copy)]
pub(crate) struct Recipient<'a> {
    /// The user.
    pub(crate) user: UserId,
    /// Where to.
    pub(crate) email: &'a str,
    /// The language that the user reads, as a tag.
    pub(crate) language: Option<&'a str>,
}

impl<'a> Recipient<'a> {
    /// The user of an account.
    pub(crate) fn of(account: &'a Account) -> Self {
        Self {
            user: account.user,
            email: &account.email,
            language: account.locale.as_deref(),
        }
    }

    /// The same, read in `language` where the account says nothing of it.
    pub(crate) fn or_in(self, language: Language) -> Self {
        Self {
            language: self.language.or(Some(language.tag())),
            ..self
        }
    }

    /// The same person at another address.
    pub(crate) fn at(self, email: &'a str) -> Self {
        Self { email, ..self }
    }
}

/// Asks to verify the address of a new account.
///
/// # Errors
/// Any [`DbError`].
pub(crate) async fn verify_email(
    tx: &mut TenantTx,
    app: &AppState,
    to: Recipient<'_>,
    tenant_name: &str,
) -> Result<(), DbError> {
    let link = link(tx, app, to, Kind::VerifyEmail, Page::VerifyEmail).await?;
    let values = [("tenant", tenant_name), ("link", &link)];
    write(tx, app, to, Template::VerifyEmail, &values).await
}

/// Lets a user choose another password.
///
/// # Errors
/// Any [`DbError`].
pub(crate) async fn reset_password(
    tx: &mut TenantTx,
    app: &AppState,
    to: Recipient<'_>,
) -> Result<(), DbError> {
    let link = link(tx, app, to, Kind::ResetPassword, Page::ResetPassword).await?;
    write(tx, app, to, Template::ResetPassword, &[("link", &link)]).await
}

/// Lets somebody for whom an account was made choose its password, which verifies the address too.
///
/// # Errors
/// Any [`DbError`].
pub(crate) async fn set_password(
    tx: &mut TenantTx,
    app: &AppState,
    to: Recipient<'_>,
    tenant_name: &str,
) -> Result<(), DbError> {
    let link = link(tx, app, to, Kind::SetPassword, Page::ResetPassword).await?;
    let values = [("tenant", tenant_name), ("link", &link)];
    write(tx, app, to, Template::AccountCreated, &values).await
}

/// Asks the new address of a user whether mail reaches it.
pub(super) async fn confirm_email(
    tx: &mut TenantTx,
    app: &AppState,
    to: Recipient<'_>,
) -> Result<(), DbError> {
    let link = link(tx, app, to, Kind::ChangeEmail, Page::ConfirmEmail).await?;
    write(tx, app, to, Template::ConfirmNewEmail, &[("link", &link)]).await
}

/// Tells the old address of the new one, with the way back.
pub(super) async fn email_changed(
    tx: &mut TenantTx,
    app: &AppState,
    to: Recipient<'_>,
    new: &str,
) -> Result<(), DbError> {
    let link = link(tx, app, to, Kind::RevertEmail, Page::RevertEmail).await?;
    let values = [("new_email", new), ("link", &link)];
    write(tx, app, to, Template::EmailChangeNotice, &values).await
}

/// Writes a mail to a user down.
pub(crate) async fn write(
    tx: &mut TenantTx,
    app: &AppState,
    to: Recipient<'_>,
    template: Template,
    values: &[(&str, &str)],
) -> Result<(), DbError> {
    let mail = Mail {
        to: to.email,
        template,
        language: to.language,
        values,
    };
    mail::queue(tx, app, &mail).await
}

/// A link to a page, with a new token that is good once.
async fn link(
    tx: &mut TenantTx,
    app: &AppState,
    to: Recipient<'_>,
    kind: Kind,
    page: Page,
) -> Result<String, DbError> {
    let token = one_time::issue(tx, &app.core.sources, kind, to.user, to.email).await?;
    let query = [("token", token.expose_secret())];
    Ok(app.mail.link(page.path(), &query))
}
