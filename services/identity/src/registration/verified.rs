//! Registration where the address has to be verified first.

use bz_tenant::{DbError, TenantScope, TenantTx};

use super::{
    Applicant,
    enrol::{self, Enrolled},
};
use crate::{
    account::background,
    app::AppState,
    limits::{self, Limit},
    mail::{self, Mail, Template, language::Language},
    origin::Origin,
    users::store as users,
};

/// Where a registration comes from.
pub(super) struct Source {
    /// The key under which the request may be sent again.
    pub(super) key: Option<String>,
    /// The address and the browser.
    pub(super) origin: Origin,
    /// The language of the mail, unless the registration names one.
    pub(super) language: Language,
}

/// Registers behind the answer: a known and an unknown address then differ neither in the answer nor in its time. What
/// follows comes by mail.
pub(super) fn enrol_later(app: &AppState, applicant: Applicant, hash: String, source: Source) {
    let task = app.clone();
    background(app, "registration", async move {
        // Whoever fills a mailbox by registering with its address stops there, and is not told.
        let (limit, address) = (Limit::RegistrationPerAddress, applicant.email.as_str());
        if limits::check(&task, limit, address).await.is_err() {
            return Ok(());
        }
        let key = source.key.as_deref();
        let enrolled = enrol::enrol(
            &task,
            &applicant,
            &hash,
            key,
            &source.origin,
            source.language,
        )
        .await?;
        if matches!(enrolled, Enrolled::Taken) {
            tell_owner(&task, &applicant, source.language).await?;
        }
        task.wake();
        Ok(())
    });
}

/// Tells whoever has the address that somebody registered with it.
async fn tell_owner(
    app: &AppState,
    applicant: &Applicant,
    language: Language,
) -> Result<(), DbError> {
    let email = &applicant.email;
    let Some(home) = users::home_of(&app.core.db, email).await? else {
        return Ok(());
    };
    let work = async |tx: &mut TenantTx| {
        let account = users::find_by_email(tx, email).await?;
        let locale = account.and_then(|account| account.locale);
        let mail = Mail {
            to: email.as_str(),
            template: Template::AlreadyRegistered,
            language: locale.as_deref().or(Some(language.tag())),
            values: &[],
        };
        mail::queue(tx, app, &mail).await
    };
    let scope = TenantScope::new(home, None);
    app.core
        .db
        .run("identity.registration.tell_owner", &scope, work)
        .await
}
