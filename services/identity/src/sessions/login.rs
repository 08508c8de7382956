use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_http::Problem;
use bz_kernel::TenantId;
use bz_tenant::{OnConstraint, TenantScope, TenantTx};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    TokenAnswer,
    attempt::{self, Failure, Sought},
    credentials::{Credentials, LoginForm, LoginRequest},
    delivery::TokenDelivery,
    issue::{self, Grant, NewSession},
};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    csrf,
    lockout::{self, Attempt, LoginName, device, device::TrustedDevice},
    mfa::challenge::{self, MfaRequired},
    origin::Origin,
    passwords::Verdict,
    problems::{PublicProblems, invalid_credentials, overloaded},
    users,
    users::store::{Account, Candidate},
};

/// How often a session is begun when what it depends on changes meanwhile.
const MOST_STARTS: usize = 3;

/// What a login answers.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "documents the answer, which is made by its parts")]
pub(crate) enum LoginAnswer {
    /// Tokens of a new session.
    Tokens(Box<TokenAnswer>),
    /// The password was right; a second factor is needed.
    MfaRequired(MfaRequired),
}

/// Log in.
///
/// A wrong password, an unknown address, an unknown tenant and a disabled user get the same answer after the same work.
/// So does an address with too many failed logins, whose password is then not compared for a while; a device from which
/// its owner has logged in before has failures of its own. With `delivery: cookie` the refresh token is put into a cookie
/// that no script reads: for pages of the configured origins, with the header `X-Requested-With`.
#[utoipa::path(
    post, path = "/auth/login", tag = "sessions", security(()),
    request_body(content(
        (LoginRequest = "application/json"),
        (LoginForm = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "Tokens of a new session, or what a second factor is given to", body = LoginAnswer),
        PublicProblems,
    ),
)]
pub(crate) async fn login(
    State(app): State<AppState>,
    headers: HeaderMap,
    origin: Origin,
    credentials: Credentials,
) -> Result<Response, Problem> {
    if credentials.delivery == TokenDelivery::Cookie {
        csrf::check(&app, &headers)?;
    }
    let mut known = authenticate(&app, &headers, &origin, &credentials).await?;
    let mut response = match start_session(&app, &mut known, &credentials, &origin).await? {
        Started::Session(account, grant) => {
            issue::answer(&app, &account, &grant)?.deliver(StatusCode::OK, credentials.delivery)
        }
        Started::Challenge(challenge) => challenge.into_response(),
    };
    if !csrf::is_foreign(&app, &headers) {
        let cookie = device::cookie(&app, known.name, known.device.as_ref());
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Somebody whose password was right a moment ago. Whether they may have a session is looked at when it begins.
pub(crate) struct Authenticated {
    /// The password hashed anew, if its hash was outdated.
    pub(crate) new_hash: Option<String>,
    tenant: TenantId,
    candidate: Candidate,
    name: LoginName,
    device: Option<TrustedDevice>,
}

impl Authenticated {
    /// The account, if it may have a session.
    ///
    /// # Errors
    /// What a login is answered that failed, or that comes from where the tenant lets nobody in.
    pub(crate) async fn account(
        &self,
        app: &AppState,
        origin: &Origin,
    ) -> Result<Account, Problem> {
        let mut tx = app.core.db.read(&self.scope()).await?;
        let account = users::store::find(&mut tx, self.candidate.user).await?;
        Ok(issue::admit(app, account, origin)?)
    }

    /// Goes on if the password that was right is still the account's.
    fn check(&self, account: &Account) -> Result<(), Halt> {
        let stored = account.password_hash.as_deref();
        let right = [&self.candidate.password_hash, &self.new_hash];
        if right
            .into_iter()
            .flatten()
            .any(|hash| Some(&**hash) == stored)
        {
            return Ok(());
        }
        Err(Halt::OtherHash(account.password_hash.clone()))
    }

    const fn scope(&self) -> TenantScope {
        TenantScope::new(self.tenant, Some(self.candidate.user))
    }
}

/// Whom the credentials are right for. The same for every way to log in with a password: its limits, its waits, its one
/// comparison, its one answer.
pub(crate) async fn authenticate(
    app: &AppState,
    headers: &HeaderMap,
    origin: &Origin,
    credentials: &Credentials,
) -> Result<Authenticated, Problem> {
    let asker = attempt::pass_limits(app, headers, origin, credentials).await?;
    let mut sought = attempt::seek(app, headers, credentials).await?;
    let device = TrustedDevice::of(app, headers, sought.name);
    let attempt = lockout::admit(app, sought.tenant, sought.name, device.as_ref()).await?;
    let (attempt, verdict) = compare(app, &asker, attempt, &sought, credentials).await?;
    let Verdict::Match { outdated } = verdict else {
        let failure = Failure::of_login(&sought, origin);
        return Err(attempt::refuse(app, attempt, failure).await);
    };
    let Some(candidate) = sought.candidate.take_if(|candidate| candidate.is_active) else {
        let failure = Failure::of_login(&sought, origin);
        return Err(attempt::refuse(app, attempt, failure).await);
    };
    attempt.succeeded(app).await;
    Ok(Authenticated {
        new_hash: rehash(app, outdated, credentials).await,
        tenant: sought.tenant,
        candidate,
        name: sought.name,
        device,
    })
}

/// Compares the password with the account's if the attempt is open, else with nothing. No connection is held meanwhile,
/// and there is always exactly one verification.
async fn compare(
    app: &AppState,
    asker: &str,
    attempt: Attempt,
    sought: &Sought,
    credentials: &Credentials,
) -> Result<(Attempt, Verdict), Problem> {
    let candidate = sought.candidate.as_ref().filter(|_| attempt.is_open);
    let stored = candidate.and_then(|candidate| candidate.password_hash.as_deref());
    match app
        .passwords
        .verify_for(asker, &credentials.password, stored)
        .await
    {
        Ok(verdict) => Ok((attempt, verdict)),
        Err(full) => {
            attempt.withdraw(app).await;
            Err(overloaded(full))
        }
    }
}

/// The password hashed with today's parameters, when it was not; when there is no room for that now, the next login does
/// it.
async fn rehash(app: &AppState, outdated: bool, credentials: &Credentials) -> Option<String> {
    if outdated {
        app.passwords.hash(&credentials.password).await.ok()
    } else {
        None
    }
}

/// What a right password starts.
enum Started {
    Session(Box<Account>, Grant),
    Challenge(MfaRequired),
}

/// Why a login does not go on as it began.
enum Halt {
    Problem(Problem),
    /// A second factor was set up while the password was compared.
    NeedsFactor,
    /// Another hash is stored by now: of another password, or a newer one of the same.
    OtherHash(Option<String>),
}

impl<E: Into<Problem>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

async fn start_session(
    app: &AppState,
    known: &mut Authenticated,
    credentials: &Credentials,
    origin: &Origin,
) -> Result<Started, Problem> {
    let session = NewSession {
        device_name: credentials.device_name.as_deref(),
        remember: credentials.remember,
        ..NewSession::with_password(known.candidate.user, origin)
    };
    // Each time something was changed meanwhile, which nobody does for ever.
    for _ in 0..MOST_STARTS {
        let start = async |tx: &mut TenantTx| {
            if let (Some(old), Some(new)) = (&known.candidate.password_hash, &known.new_hash) {
                users::store::replace_hash(tx, session.user, old, new).await?;
            }
            if known.candidate.has_factor {
                challenge(tx, app, known, &session).await
            } else {
                enter(tx, app, known, &session).await
            }
        };
        let db = &app.core.db;
        match db
            .run("identity.sessions.start", &known.scope(), start)
            .await
        {
            Ok(started) => return Ok(started),
            Err(Halt::Problem(problem)) => return Err(problem),
            Err(Halt::NeedsFactor) => known.candidate.has_factor = true,
            Err(Halt::OtherHash(hash)) => {
                let (password, hash) = (&credentials.password, hash.as_deref());
                let verdict = app.passwords.verify(password, hash).await;
                if verdict.map_err(overloaded)? == Verdict::Mismatch {
                    return Err(invalid_credentials());
                }
                known.candidate.password_hash = hash.map(ToOwned::to_owned);
                known.new_hash = None;
            }
        }
    }
    Err(invalid_credentials())
}

async fn challenge(
    tx: &mut TenantTx,
    app: &AppState,
    known: &Authenticated,
    session: &NewSession<'_>,
) -> Result<Started, Halt> {
    // First, because it locks the user as a session does.
    let challenge = challenge::create(tx, app, session).await;
    let challenge = challenge.on_constraint("mfa_challenges_user_fkey", gone)?;
    let account = users::store::find(tx, session.user).await?;
    known.check(&issue::admit(app, account, session.origin)?)?;
    Ok(Started::Challenge(challenge))
}

async fn enter(
    tx: &mut TenantTx,
    app: &AppState,
    known: &Authenticated,
    session: &NewSession<'_>,
) -> Result<Started, Halt> {
    let begun = issue::begin(tx, app, session).await;
    let (grant, admitted) = begun.on_constraint("sessions_user_fkey", gone)?;
    let account = admitted?;
    known.check(&account)?;
    if !account.mfa.is_empty() {
        return Err(Halt::NeedsFactor);
    }
    let entry = Entry {
        actor: Actor::User(account.user),
        action: "session.started",
        target: Some(("session", grant.token.session.as_uuid())),
        success: true,
        changes: json!({ "amr": grant.amr }),
        origin: session.origin,
    };
    audit::record(tx, &app.core.sources, entry).await?;
    Ok(Started::Session(Box::new(account), grant))
}

/// Somebody deleted the user while the password was compared.
fn gone() -> Halt {
    Halt::Problem(invalid_credentials())
}
