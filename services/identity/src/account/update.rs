use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Errors, IfMatch, Json, Patch, Problem, Validate, Versioned};
use bz_tenant::TenantTx;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{at_home, gone, store, store::Profile};
use crate::{
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    guests,
    origin::Origin,
    registration::{INVALID_LOCALE, check_name, is_language_tag},
    users::{User, store as users},
};

/// The longest address of a picture, in bytes.
const MOST_PICTURE_BYTES: usize = 2048;

/// A change of one's profile: a missing field stays, `null` clears it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateMe {
    /// What the user wants to be called. Cannot be cleared.
    #[schema(example = "Ada Lovelace", max_length = 120)]
    name: Option<String>,
    /// The language that the user reads, as a tag (RFC 5646): mails are written in it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "de-AT", max_length = 35)]
    locale: Patch<String>,
    /// Address of a picture of the user. The service only keeps it, and never fetches it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "https://example.com/ada.png", max_length = 2048)]
    picture: Patch<String>,
}

impl Validate for UpdateMe {
    fn validate(&self, errors: &mut Errors) {
        if let Some(name) = &self.name {
            check_name("/name", name, errors);
        }
        if let Patch::Value(locale) = &self.locale
            && !is_language_tag(locale)
        {
            errors.add("/locale", "invalid_locale", INVALID_LOCALE);
        }
        if let Patch::Value(picture) = &self.picture
            && !is_picture(picture)
        {
            errors.add(
                "/picture",
                "invalid_url",
                "must be an https address of at most 2048 bytes",
            );
        }
    }
}

fn is_picture(text: &str) -> bool {
    let url = url::Url::parse(text).ok();
    let is_plain = |url: &url::Url| {
        url.scheme() == "https"
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    };
    text.len() <= MOST_PICTURE_BYTES && url.is_some_and(|url| is_plain(&url))
}

impl UpdateMe {
    fn onto(self, profile: Profile) -> Profile {
        Profile {
            name: self
                .name
                .map(|name| name.trim().to_owned())
                .or(profile.name),
            locale: self.locale.onto(profile.locale),
            picture: self.picture.onto(profile.picture),
        }
    }
}

/// Change one's profile.
#[utoipa::path(
    patch, path = "/auth/me", tag = "account",
    params(IfMatch),
    request_body = UpdateMe,
    responses(
        (status = 200, description = "The user as it is now", body = User,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(crate) async fn update_me(
    State(app): State<AppState>,
    caller: Caller,
    if_match: IfMatch,
    origin: Origin,
    Json(request): Json<UpdateMe>,
) -> Result<Versioned<User>, Problem> {
    caller.refuse_impersonation()?;
    at_home(&caller)?;
    let work = async |tx: &mut TenantTx| {
        let (version, profile) = store::lock_profile(tx, caller.user)
            .await?
            .ok_or_else(gone)?;
        if_match.check(version)?;
        let profile = request.onto(profile);
        store::set_profile(tx, caller.user, &profile, app.core.sources.now()).await?;
        guests::store::spread_profile(tx, caller.user, app.core.sources.now()).await?;
        let account = users::find(tx, caller.user).await?.ok_or_else(gone)?;
        let change = Change {
            actor: Actor::of(&caller),
            kind: "user.updated",
            target: ("user", caller.user.as_uuid()),
            data: json!({ "user_id": caller.user }),
            changes: json!({}),
            origin: &origin,
        };
        changes::record(tx, &app.core.sources, change).await?;
        Ok(Versioned(account.version, User::from(&account)))
    };
    let user = app
        .core
        .db
        .run::<_, Problem>("identity.account.update", &caller.scope, work)
        .await?;
    app.wake();
    Ok(user)
}
