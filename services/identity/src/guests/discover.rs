use axum::extract::State;
use bz_http::{Errors, Json, Problem, Validate};
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::store;
use crate::{
    account::background,
    app::AppState,
    limits::{self, Limit},
    mail::{self, Mail, Template, language::Language},
    origin::Origin,
    problems::PublicProblems,
    users::{self, Email},
};

/// Whose tenants to tell.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiscoverRequest {
    /// The address.
    #[schema(example = "ada@example.com", max_length = 254)]
    email: String,
}

impl Validate for DiscoverRequest {
    fn validate(&self, errors: &mut Errors) {
        if Email::parse(&self.email).is_err() {
            errors.add("/email", "invalid_email", "is not an e-mail address");
        }
    }
}

/// Which tenants do I have? The list goes to the address by mail; the answer is the same whether or not there is one.
#[utoipa::path(
    post, path = "/auth/tenants/discover", tag = "account", security(()),
    request_body = DiscoverRequest,
    responses((status = 202, description = "A mail is on its way if the address is known"), PublicProblems),
)]
pub(crate) async fn discover_tenants(
    State(app): State<AppState>,
    language: Language,
    origin: Origin,
    Json(request): Json<DiscoverRequest>,
) -> Result<StatusCode, Problem> {
    limits::check_ip(&app, Limit::DiscoverPerIp, &origin).await?;
    let key = request.email.trim().to_lowercase();
    limits::check(&app, Limit::DiscoverPerAddress, &key).await?;
    let task = app.clone();
    background(&app, "list of tenants", async move {
        match Email::parse(&request.email) {
            Ok(email) => send(&task, &email, language).await,
            Err(_) => Ok(()),
        }
    });
    Ok(StatusCode::ACCEPTED)
}

/// Mails the list to an address that has a home; it is written down there.
async fn send(app: &AppState, email: &Email, language: Language) -> Result<(), DbError> {
    let home = users::store::home_of(&app.core.db, email).await?;
    let tenants = {
        let mut tx = app.core.db.system().await?;
        store::tenants_of_address(&mut tx, email).await?
    };
    let Some(home) = home.filter(|_| !tenants.is_empty()) else {
        return Ok(());
    };
    let lines: Vec<String> = tenants
        .iter()
        .map(|(slug, name)| format!("{name} ({slug})"))
        .collect();
    let lines = lines.join("\n");
    let write = async |tx: &mut TenantTx| {
        let mail = Mail {
            to: email.as_str(),
            template: Template::YourTenants,
            language: Some(language.tag()),
            values: &[("tenants", &lines)],
        };
        mail::queue(tx, app, &mail).await
    };
    let scope = TenantScope::new(home, None);
    app.core
        .db
        .run::<_, DbError>("identity.guests.discover", &scope, write)
        .await?;
    app.wake();
    Ok(())
}
