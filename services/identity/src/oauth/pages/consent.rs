use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::html;
use url::Url;

use super::{Texts, hidden};
use crate::{
    oauth::{
        params::Params,
        scopes::{EMAIL, OFFLINE_ACCESS, OPENID, PROFILE},
    },
    pages::layout::Page,
};

/// What the consent page shows.
pub(in crate::oauth) struct Consent<'a> {
    /// The application.
    pub(in crate::oauth) client: &'a str,
    /// Where it wants the browser to be sent.
    pub(in crate::oauth) redirect_uri: &'a str,
    /// What it asks for.
    pub(in crate::oauth) scopes: &'a [String],
    /// Who is logged in.
    pub(in crate::oauth) email: &'a str,
    /// Where one logs in as somebody else.
    pub(in crate::oauth) other_account: &'a str,
    /// The request to go on with.
    pub(in crate::oauth) params: &'a Params,
    /// What the form must send back.
    pub(in crate::oauth) csrf: &'a str,
}

/// The page that asks whether an application may have what it asks for.
pub(in crate::oauth) fn consent(texts: &Texts, consent: &Consent<'_>) -> Response {
    let target = Url::parse(consent.redirect_uri).ok();
    let host = target.as_ref().and_then(Url::host_str);
    let content = html! {
        h1 { (texts.allow_title) }
        p { (texts.wants.0) strong { (consent.client) } (texts.wants.1) }
        ul {
            @for scope in consent.scopes {
                @match scope.as_str() {
                    OPENID => li { (texts.openid) },
                    PROFILE => li { (texts.profile) },
                    EMAIL => li { (texts.email_scope) },
                    OFFLINE_ACCESS => li { (texts.offline_access) },
                    other => li { (texts.permission) " " code { (other) } },
                }
            }
        }
        p.soft {
            (texts.logged_in_as) " " strong { (consent.email) } ". "
            a href=(consent.other_account) { (texts.other_account) }
        }
        @if let Some(host) = host {
            p.soft { (texts.sent_to) " " strong { (host) } "." }
        }
        form method="post" action="/oauth2/consent" {
            (hidden(consent.params, consent.csrf))
            button type="submit" name="decision" value="allow" { (texts.allow) }
            button.quiet type="submit" name="decision" value="deny" { (texts.deny) }
        }
    };
    let page = Page {
        status: StatusCode::OK,
        language: texts.language,
        title: &format!("{} · {}", texts.allow_title, consent.client),
        form_leads_to: Some(consent.redirect_uri),
        content,
    };
    page.into_response()
}
