use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_auth::{
    Can, Claims,
    claims::{Actor, UserGrant},
};
use bz_http::{Errors, Json, Path, Problem, Validate};
use bz_kernel::{ExposeSecret, SessionId, UserId};
use bz_tenant::TenantTx;
use chrono::TimeDelta;
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{LONGEST, UsersImpersonate, store};
use crate::{
    account::links::{self, Recipient},
    app::AppState,
    changes::{self, By},
    mail::{self, Template},
    members::{self, Member},
    origin::Origin,
    roles::{guard, rights::BuiltIn},
    sessions::FIRST_PARTY_CLIENT,
    users::{self, User, store::Account},
};

/// The longest reason, in characters.
const MOST_REASON_CHARACTERS: usize = 500;
/// How long it lasts, in seconds, unless the request says otherwise.
const DEFAULT_SECONDS: u32 = 900;
/// The shortest, in seconds.
const LEAST_SECONDS: u32 = 60;

/// Why, and for how long.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Impersonate {
    /// Why, for the audit log and the user; at most 500 characters.
    #[schema(
        example = "Ticket 4711: the lead list stays empty",
        min_length = 1,
        max_length = 500
    )]
    reason: String,
    /// For how many seconds, 60 to 3600; 900 when left out.
    #[schema(minimum = 60, maximum = 3600)]
    ttl_seconds: Option<u32>,
}

impl Validate for Impersonate {
    fn validate(&self, errors: &mut Errors) {
        let reason = self.reason.trim();
        if reason.is_empty() {
            errors.add("/reason", "blank", "must not be blank");
        } else if reason.chars().count() > MOST_REASON_CHARACTERS {
            errors.add("/reason", "too_long", "must have at most 500 characters");
        }
        let range = i64::from(LEAST_SECONDS)..=LONGEST.num_seconds();
        if !range.contains(&i64::from(self.seconds())) {
            errors.add("/ttl_seconds", "out_of_range", "must be 60 to 3600");
        }
    }
}

impl Impersonate {
    fn seconds(&self) -> u32 {
        self.ttl_seconds.unwrap_or(DEFAULT_SECONDS)
    }
}

/// A token to act in a user's name, which cannot be refreshed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ImpersonationToken {
    /// For the `Authorization` header.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds until it ends.
    expires_in: u32,
    /// The session, which logging out with the token ends.
    session_id: SessionId,
    /// In whose name.
    user: User,
}

/// Act in a user's name.
///
/// Needs a recent login. Never in the name of an owner, an admin, oneself, or somebody who may do more than oneself. The
/// user is told, and with the token nobody administers anything or changes what is the user's own affair.
#[utoipa::path(
    post, path = "/api/users/{id}/impersonate", tag = "users", security(("bearer" = ["users:impersonate"])),
    params(("id" = UserId, Path, description = "The user")),
    request_body = Impersonate,
    responses(
        (status = 200, description = "A token", body = ImpersonationToken),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn impersonate_user(
    State(app): State<AppState>,
    caller: Can<UsersImpersonate>,
    Path(id): Path<UserId>,
    origin: Origin,
    Json(request): Json<Impersonate>,
) -> Result<Response, Problem> {
    caller.require_recent_login(app.core.sources.now())?;
    let by = By::new(&caller, &origin);
    let start = async |tx: &mut TenantTx| start(tx, &app, by, id, &request).await;
    let run = app
        .core
        .db
        .run("identity.impersonation.start", &caller.scope, start);
    let started = run.await?;
    app.wake();
    answer(&app, by, &started, request.seconds())
}

/// What was started.
struct Started {
    account: Account,
    session: SessionId,
    /// Id of the access token. Made while nobody's rights change: a change of them from here on is later than the token.
    token_id: Uuid,
}

async fn start(
    tx: &mut TenantTx,
    app: &AppState,
    by: By<'_>,
    id: UserId,
    request: &Impersonate,
) -> Result<Started, Problem> {
    members::store::lock_all(tx).await?;
    let (Some(member), Some(account)) = (
        members::store::find(tx, id).await?,
        users::store::find(tx, id).await?,
    ) else {
        return Err(Problem::not_found());
    };
    check(by, &member)?;
    let (session, now): (SessionId, _) = (app.core.sources.id(), app.core.sources.now());
    let reason = request.reason.trim();
    let new = store::NewImpersonation {
        session,
        user: id,
        by: by.user(),
        reason,
        client_id: FIRST_PARTY_CLIENT,
        origin: by.origin,
        at: now,
        ends: now + TimeDelta::seconds(request.seconds().into()),
    };
    store::insert(tx, &new).await?;
    let by_whom = users::store::find(tx, by.user()).await?;
    let by_whom = by_whom.map_or_else(String::new, |account| account.email);
    let at = mail::moment(now);
    let values = [("by", by_whom.as_str()), ("at", &at), ("reason", reason)];
    links::write(
        tx,
        app,
        Recipient::of(&account),
        Template::Impersonated,
        &values,
    )
    .await?;
    let changes = json!({ "session_id": session, "reason": reason, "seconds": request.seconds() });
    let target = ("user", id.as_uuid());
    changes::tell(tx, app, by, "user.impersonated", target, changes).await?;
    Ok(Started {
        account,
        session,
        token_id: app.core.sources.id(),
    })
}

/// Whether the caller may act in the member's name.
fn check(by: By<'_>, member: &Member) -> Result<(), Problem> {
    let is_strong = matches!(
        member.rights.built_in,
        Some(BuiltIn::Owner | BuiltIn::Admin)
    );
    if is_strong || member.user_id == by.user() {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "impersonation_forbidden",
            "Nobody acts in this user's name",
        )
        .detail("Owners, admins and oneself cannot be impersonated."));
    }
    guard::may_act_on(by.caller, &member.rights)?;
    if member.is_active {
        Ok(())
    } else {
        let detail = "The user cannot log in, so nobody acts in their name.";
        Err(Problem::conflict("user_inactive", detail))
    }
}

/// Signs the token. No transaction is open meanwhile.
fn answer(
    app: &AppState,
    by: By<'_>,
    started: &Started,
    seconds: u32,
) -> Result<Response, Problem> {
    let (account, session) = (&started.account, started.session);
    let now = app.core.sources.now();
    let grant = UserGrant {
        user: account.user,
        tenant: account.tenant,
        home_tenant: account.tenant,
        session,
        client_id: FIRST_PARTY_CLIENT.to_owned(),
        roles: account.roles.clone(),
        entitlements: account.entitlements.clone(),
        authenticated_at: now,
        acr: "aal1".to_owned(),
        amr: Vec::new(),
        act: Some(Actor { sub: by.user() }),
    };
    let lifetime = TimeDelta::seconds(seconds.into());
    let claims = Claims::of_user(&app.core.issuer, grant, started.token_id, now, lifetime);
    let token = app
        .keys
        .current()
        .sign(&claims)
        .map_err(Problem::internal)?;
    let answer = ImpersonationToken {
        access_token: token.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: seconds,
        session_id: session,
        user: User::from(account),
    };
    let mut response = Json(answer).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}
