//! A login before it is known whether it succeeds: what it is limited by, whom it is about, and what is noted of a failure.

use axum::http::HeaderMap;
use bz_http::Problem;
use bz_kernel::TenantId;
use bz_tenant::{DbError, TenantScope, TenantTx};
use serde_json::json;
use uuid::Uuid;

use super::{credentials::Credentials, home};
use crate::{
    account::links::{self, Recipient},
    app::AppState,
    audit::{self, Actor, Entry},
    limits::{self, Limit},
    lockout::{Attempt, LoginName},
    mail::{self, Template},
    origin::Origin,
    problems::invalid_credentials,
    tenants, users,
    users::{
        Email,
        store::{Account, Candidate},
    },
};

/// Whom a login is about.
pub(super) struct Sought {
    /// The tenant that was meant; the nil tenant when there is none.
    pub(super) tenant: TenantId,
    /// The name under which failures are counted.
    pub(super) name: LoginName,
    /// Whose password is compared, if there is somebody.
    pub(super) candidate: Option<Candidate>,
}

/// Counts a login against the limits of where it comes from and of what it names, and answers whose share of the queue it
/// takes: that of the tenant that it names, else of its network. What exists plays no part in either.
///
/// # Errors
/// 429 `rate_limited`.
pub(super) async fn pass_limits(
    app: &AppState,
    headers: &HeaderMap,
    origin: &Origin,
    credentials: &Credentials,
) -> Result<String, Problem> {
    let named = home::host_slug(app, headers)
        .map(str::to_owned)
        .or_else(|| {
            credentials
                .tenant
                .as_ref()
                .map(|named| named.trim().to_lowercase())
        });
    let network = limits::network_of(app, origin);
    if let Some(network) = &network {
        let mut wanted = vec![
            (Limit::LoginPerIp, network.as_str()),
            (Limit::LoginTotal, ""),
        ];
        wanted.extend(named.as_deref().map(|named| (Limit::LoginPerTenant, named)));
        limits::check_all(app, &wanted).await?;
    }
    Ok(named.or(network).unwrap_or_default())
}

/// Finds the account that the credentials are about. The database does the same whether or not the tenant and the
/// address exist.
#[expect(clippy::disallowed_methods, reason = "the nil tenant has no rows")]
pub(super) async fn seek(
    app: &AppState,
    headers: &HeaderMap,
    credentials: &Credentials,
) -> Result<Sought, Problem> {
    let nil = TenantId::trusted(Uuid::nil());
    let Ok(email) = Email::parse(&credentials.address) else {
        return Ok(Sought {
            tenant: nil,
            name: LoginName::new(app, nil, &credentials.address.trim().to_lowercase()),
            candidate: None,
        });
    };
    let named = home::named(app, headers, credentials.tenant.as_deref()).await?;
    let named = named.map(|tenant| tenant.unwrap_or(nil));
    let (tenant, candidate) = users::store::candidate(&app.core.db, &email, named).await?;
    Ok(Sought {
        tenant,
        name: LoginName::new(app, tenant, email.as_str()),
        candidate,
    })
}

/// Counts the failure, has it noted, and answers what every failed login is answered.
pub(super) async fn refuse(app: &AppState, attempt: Attempt, mut failure: Failure) -> Problem {
    failure.waiting = !attempt.is_open;
    // True at most once an hour.
    failure.tells_owner = attempt.failed(app).await;
    let app_of_task = app.clone();
    // After the answer, whose time must not tell whether there is a tenant to write this down in.
    app.core.tasks.spawn(async move {
        if let Err(error) = failure.note(&app_of_task).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a failed login could not be written to the audit log"
            );
        }
    });
    invalid_credentials()
}

/// A failed login, or a wrong password of somebody who is logged in, for the audit log. Of the address only a digest: it
/// may be a password in the wrong field.
pub(super) struct Failure {
    tenant: TenantId,
    name: LoginName,
    account: Option<Uuid>,
    actor: Actor,
    action: &'static str,
    waiting: bool,
    tells_owner: bool,
    origin: Origin,
}

impl Failure {
    /// A login that failed.
    pub(super) fn of_login(sought: &Sought, origin: &Origin) -> Self {
        let candidate = sought.candidate.as_ref();
        Self {
            tenant: sought.tenant,
            name: sought.name,
            account: candidate.map(|candidate| candidate.user.as_uuid()),
            actor: Actor::Anonymous,
            action: "session.started",
            waiting: false,
            tells_owner: false,
            origin: origin.clone(),
        }
    }

    /// A wrong password of a user who is logged in, for what they tried to do.
    pub(super) fn of_user(
        account: &Account,
        name: LoginName,
        action: &'static str,
        origin: &Origin,
    ) -> Self {
        Self {
            tenant: account.tenant,
            name,
            account: Some(account.user.as_uuid()),
            actor: Actor::User(account.user),
            action,
            waiting: false,
            tells_owner: false,
            origin: origin.clone(),
        }
    }

    async fn note(&self, app: &AppState) -> Result<(), DbError> {
        let mut tx = app
            .core
            .db
            .tenant(&TenantScope::new(self.tenant, None))
            .await?;
        let exists = tenants::store::find_own(&mut tx).await?.is_some();
        let entry = Entry {
            actor: self.actor,
            action: self.action,
            target: self.account.map(|user| ("user", user)),
            success: false,
            changes: json!({ "address_digest": self.name.to_hex(), "compared": !self.waiting }),
            origin: &self.origin,
        };
        audit::record(&mut tx, &app.core.sources, entry).await?;
        if self.tells_owner {
            self.tell(app, &mut tx).await?;
        }
        // Without a tenant the work is the same, but nothing stays of it.
        if exists {
            tx.commit().await?;
            app.wake();
        }
        Ok(())
    }

    async fn tell(&self, app: &AppState, tx: &mut TenantTx) -> Result<(), DbError> {
        let Some(user) = self.account else {
            return Ok(());
        };
        let Some(account) = users::store::find(tx, user.into()).await? else {
            return Ok(());
        };
        let at = mail::moment(app.core.sources.now());
        let ip = self.origin.ip_text().unwrap_or_default();
        let values = [("at", at.as_str()), ("ip", &ip)];
        links::write(
            tx,
            app,
            Recipient::of(&account),
            Template::LoginLocked,
            &values,
        )
        .await
    }
}
