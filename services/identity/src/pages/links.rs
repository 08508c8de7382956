//! The pages behind the links in mails.

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use bz_http::{Errors, Form, Problem, Query, Validate};
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::{layout, texts};
use crate::{
    account, app::AppState, invitations, mail::language::Language, origin::Origin,
    tenants::policy::Policy,
};

/// A page behind a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// Verify the address of a new account.
    VerifyEmail,
    /// Choose a password.
    ResetPassword,
    /// Confirm a new address.
    ConfirmEmail,
    /// Take a change of the address back.
    RevertEmail,
    /// Join a tenant as somebody new.
    Invitation,
}

impl Page {
    const ALL: [Self; 5] = [
        Self::VerifyEmail,
        Self::ResetPassword,
        Self::ConfirmEmail,
        Self::RevertEmail,
        Self::Invitation,
    ];

    /// Where it is.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::VerifyEmail => "/auth/pages/verify-email",
            Self::ResetPassword => "/auth/pages/reset-password",
            Self::ConfirmEmail => "/auth/pages/confirm-email",
            Self::RevertEmail => "/auth/pages/revert-email",
            Self::Invitation => "/auth/pages/invitation",
        }
    }

    /// The fewest characters of the password that is chosen here, if one is: those of the tenant that the link leads to. A
    /// link that is no good is not told from others before it is used.
    async fn fewest_characters(self, app: &AppState, token: &str) -> Option<u8> {
        let found = match self {
            Self::ResetPassword => account::fewest_characters(app, token).await,
            Self::Invitation => invitations::lookup::fewest_characters(app, token).await,
            _ => return None,
        };
        Some(found.unwrap_or(Policy::default().password_min_length))
    }

    async fn act(self, app: &AppState, sent: Sent, origin: &Origin) -> Result<(), Problem> {
        match self {
            Self::VerifyEmail => account::verify(app, &sent.token, origin).await,
            Self::ResetPassword => {
                let password = sent.password.unwrap_or_default().into();
                account::reset(app, &sent.token, password, origin).await
            }
            Self::ConfirmEmail => account::confirm(app, &sent.token, origin).await,
            Self::RevertEmail => account::revert(app, &sent.token, origin).await,
            Self::Invitation => {
                let password = sent.password.unwrap_or_default();
                invitations::accept::join_anew(app, sent.token, password, origin).await
            }
        }
    }
}

/// The pages. They are for people and in no OpenAPI document.
pub(crate) fn routes() -> Router<AppState> {
    Page::ALL.into_iter().fold(Router::new(), |router, page| {
        router.route(page.path(), route(page))
    })
}

fn route(page: Page) -> MethodRouter<AppState> {
    get(
        async move |State(app): State<AppState>, language: Language, Query(link): Query<Link>| {
            show(page, &app, language, &link.token).await
        },
    )
    .post(
        async move |State(app): State<AppState>,
                    language: Language,
                    origin: Origin,
                    Form(sent): Form<Sent>| {
            submit(page, &app, language, &origin, sent).await
        },
    )
}

/// What a link carries.
#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    token: String,
}

/// What a page's form sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    token: String,
    password: Option<String>,
}

impl Validate for Sent {
    fn validate(&self, _: &mut Errors) {}
}

async fn show(of: Page, app: &AppState, language: Language, token: &str) -> Response {
    let texts = texts::of(of, language);
    let form = form(of, app, language, token, false).await;
    let body = html! {
        p { (texts.lead) }
        (form)
    };
    answer(StatusCode::OK, language, texts.title, &body)
}

async fn submit(
    of: Page,
    app: &AppState,
    language: Language,
    origin: &Origin,
    sent: Sent,
) -> Response {
    let texts = texts::of(of, language);
    let token = sent.token.clone();
    let Err(problem) = of.act(app, sent, origin).await else {
        let body = html! { p role="status" { (texts.done) } };
        return answer(StatusCode::OK, language, texts.title, &body);
    };
    let form = match problem.code() {
        "token_invalid" => html! {},
        _ => form(of, app, language, &token, true).await,
    };
    let body = html! {
        p.bad #refusal role="alert" { (texts::problem(problem.code(), language)) }
        (form)
    };
    answer(problem.status(), language, texts.title, &body)
}

fn answer(status: StatusCode, language: Language, title: &str, body: &Markup) -> Response {
    let page = layout::Page {
        status,
        language: language.tag(),
        title,
        form_leads_to: None,
        content: html! {
            h1 { (title) }
            (body)
        },
    };
    page.into_response()
}

/// The form, which goes to the address that it was read from.
async fn form(
    of: Page,
    app: &AppState,
    language: Language,
    token: &str,
    was_refused: bool,
) -> Markup {
    let fewest = of.fewest_characters(app, token).await;
    let described = if was_refused { "hint refusal" } else { "hint" };
    html! {
        form method="post" {
            input type="hidden" name="token" value=(token);
            @if let Some(fewest) = fewest {
                @let (label, hint) = texts::password(language, fewest);
                label for="password" { (label) }
                input #password type="password" name="password" required minlength=(fewest) autocomplete="new-password"
                    aria-describedby=(described) aria-invalid=[was_refused.then_some("true")];
                p.soft #hint { (hint) }
            }
            button type="submit" { (texts::of(of, language).button) }
        }
    }
}
