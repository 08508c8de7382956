use axum::{extract::State, response::Response};
use bz_auth::{Caller, Can};
use bz_http::{Errors, IdempotencyKey, Json, Problem, Validate};
use bz_kernel::ExposeSecret;
use bz_tenant::{OnConstraint, TenantTx};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Invitation, LIFETIME, MOST_SECONDS, MembersManage, PREFIX, already_member, grant,
    store::{self, NewInvitation},
};
use crate::{
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    credential::Credential,
    limits,
    mail::{self, Mail, Template},
    origin::Origin,
    pages::Page,
    problems::registration_disabled,
    tenants::policy::{self, JoinMode, Policy},
    users::{self, Email},
};

/// Somebody to invite.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateInvitation {
    /// The address, which gets the mail and is the only one that can accept.
    #[schema(example = "grace@example.com", max_length = 254)]
    email: String,
    /// The role that the new member gets: one of `owner`, `admin`, `member`, `viewer`, not above the caller's own.
    #[schema(example = json!(["member"]), min_items = 1, max_items = 1)]
    roles: Vec<String>,
    /// Seconds until it ends; 604800 (seven days) when left out, 2592000 (thirty) at most.
    #[schema(minimum = 300, maximum = 2_592_000)]
    expires_in: Option<i64>,
    /// What the mail says besides.
    #[schema(max_length = 1000)]
    message: Option<String>,
}

impl Validate for CreateInvitation {
    fn validate(&self, errors: &mut Errors) {
        if Email::parse(&self.email).is_err() {
            errors.add("/email", "invalid_email", "is not an e-mail address");
        }
        grant::check_roles(&self.roles, errors);
        if self
            .expires_in
            .is_some_and(|seconds| !(300..=MOST_SECONDS).contains(&seconds))
        {
            errors.add("/expires_in", "out_of_range", "must be 300 to 2592000");
        }
        let message = self.message.as_deref().unwrap_or_default();
        if message.chars().count() > 1000 {
            errors.add("/message", "too_long", "must have at most 1000 characters");
        } else if message.chars().any(|c| c.is_control() && c != '\n') {
            errors.add(
                "/message",
                "control_character",
                "must not contain control characters",
            );
        }
    }
}

/// Invite somebody into the tenant. The token goes to the address by mail and is shown nowhere.
///
/// An open invitation of the same address is taken back. With an `Idempotency-Key` the same request may be sent again.
#[utoipa::path(
    post, path = "/api/invitations", tag = "invitations",
    security(("bearer" = ["members:manage"])),
    params(IdempotencyKey),
    request_body = CreateInvitation,
    responses(
        (status = 201, description = "The invitation", body = Invitation),
        (status = 409, description = "The address belongs to a member", body = bz_http::ProblemDocument,
            content_type = "application/problem+json"),
        (status = 429, description = "Too many mails to the address in an hour", body = bz_http::ProblemDocument,
            content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(crate) async fn create_invitation(
    State(app): State<AppState>,
    caller: Can<MembersManage>,
    key: IdempotencyKey,
    origin: Origin,
    Json(request): Json<CreateInvitation>,
) -> Result<Response, Problem> {
    caller.refuse_impersonation()?;
    grant::check_escalation(&caller, &request.roles)?;
    limits::check_invitation(&app, caller.tenant(), &request.email).await?;
    let created = bz_http::idempotent(
        (&app.core.db, &app.core.sources.clock),
        &caller.scope,
        &key,
        "invitations.create",
        &request,
        async |tx| create(tx, &app, &caller, &request, &origin).await,
    )
    .await?;
    app.wake();
    Ok(created.into_response())
}

/// Mails the invitation: the token is nowhere else.
pub(super) async fn send(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    invitation: &Invitation,
    token: &Credential,
) -> Result<(), Problem> {
    let inviter = users::store::find(tx, caller.user).await?;
    let inviter = inviter.ok_or_else(Problem::not_found)?;
    let token = token.expose(PREFIX);
    let link = app
        .mail
        .link(Page::Invitation.path(), &[("token", token.expose_secret())]);
    let until = invitation.expires_at.format("%Y-%m-%d").to_string();
    let mail = Mail {
        to: &invitation.email,
        template: Template::Invitation,
        language: inviter.locale.as_deref(),
        values: &[
            ("tenant", &inviter.tenant_name),
            ("inviter", inviter.name.as_deref().unwrap_or(&inviter.email)),
            ("message", invitation.message.as_deref().unwrap_or_default()),
            ("until", &until),
            ("link", &link),
        ],
    };
    mail::queue(tx, app, &mail).await?;
    Ok(())
}

async fn create(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Can<MembersManage>,
    request: &CreateInvitation,
    origin: &Origin,
) -> Result<Invitation, Problem> {
    let (sources, now) = (&app.core.sources, app.core.sources.now());
    let email = Email::parse(&request.email)
        .map_err(|_| Problem::invalid("/email", "invalid_email", "is not an e-mail address"))?;
    let (policy, _) = policy::store::find(tx)
        .await?
        .ok_or_else(Problem::not_found)?;
    takes(&policy, &email)?;
    if store::is_member(tx, email.as_str(), None).await? {
        return Err(already_member());
    }
    let token = Credential::new(caller.tenant(), sources.id(), &sources.rng);
    let invitation = NewInvitation {
        id: token.id,
        email: &email,
        roles: &request.roles,
        message: request
            .message
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty()),
        secret_hash: token.secret_hash(),
        lifetime: request.expires_in.map_or(LIFETIME, TimeDelta::seconds),
        by: caller.user,
        at: now,
    };
    store::insert(tx, &invitation)
        .await
        .on_constraint("invitations_open_key", Problem::idempotency_in_progress)?;
    let stored = store::find(tx, token.id, now)
        .await?
        .ok_or_else(Problem::not_found)?;
    send(tx, app, caller, &stored.invitation, &token).await?;
    record(
        tx,
        app,
        caller,
        "invitation.created",
        &stored.invitation,
        origin,
    )
    .await?;
    Ok(stored.invitation)
}

/// Goes on if the tenant's policy lets somebody with this address join.
///
/// # Errors
/// 403 `registration_disabled`, 422 for the address.
pub(super) fn takes(policy: &Policy, email: &Email) -> Result<(), Problem> {
    if policy.registration == JoinMode::Closed {
        return Err(registration_disabled());
    }
    policy::admit_address(policy, "/email", email)
}

/// Tells what happened to an invitation.
pub(super) async fn record(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &bz_auth::Caller,
    kind: &'static str,
    invitation: &Invitation,
    origin: &Origin,
) -> Result<(), Problem> {
    let id: Uuid = invitation.id;
    let change = Change {
        actor: Actor::of(caller),
        kind,
        target: ("invitation", id),
        data: json!({ "invitation_id": id, "roles": invitation.roles }),
        changes: json!({ "email": invitation.email, "roles": invitation.roles }),
        origin,
    };
    changes::record(tx, &app.core.sources, change).await?;
    Ok(())
}
