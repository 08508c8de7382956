//! Whether every operation asks for a token and for a permission.

use bz_kernel::SecretString;

use super::{Subject, lists::Operations};
use crate::{
    Client, Role, Tenant, TestResponse,
    openapi::{Document, Operation},
};

/// What may be open, and why.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    /// Operations without a token: `public_operations.txt`.
    pub public: Operations,
    /// Operations with a token but without a role: `any_role_operations.txt`.
    pub any_role: Operations,
    /// Operations other than `GET` for which reading is enough: `viewer_operations.txt`.
    pub viewer: Operations,
}

impl Exceptions {
    /// The lists of a service.
    #[must_use]
    pub fn of_service(service: &str) -> Self {
        let list = |name| Operations::of_service(service, name);
        Self {
            public: list("public_operations"),
            any_role: list("any_role_operations"),
            viewer: list("viewer_operations"),
        }
    }
}

/// What is open without being listed, and what is listed without being open; one line each.
pub async fn gaps(subject: &Subject<'_>, exceptions: &Exceptions) -> Vec<String> {
    let operations = subject.document.operations();
    let mut gaps = Vec::new();
    if operations.is_empty() {
        gaps.push("the OpenAPI document has no operations".to_owned());
    }
    for (list, entries) in [
        ("public", &exceptions.public),
        ("any_role", &exceptions.any_role),
        ("viewer", &exceptions.viewer),
    ] {
        gaps.extend(
            entries
                .stale(&operations)
                .map(|name| format!("{name}: there is no such operation: remove it from {list}")),
        );
    }
    for operation in &operations {
        let found = if exceptions.public.has(operation) {
            public(subject, operation).await
        } else {
            guarded(subject, operation, exceptions).await
        };
        gaps.extend(
            found
                .into_iter()
                .map(|gap| format!("{}: {gap}", operation.name())),
        );
    }
    gaps
}

async fn public(subject: &Subject<'_>, operation: &Operation) -> Vec<String> {
    let answer = call(subject.document, subject.anonymous, operation).await;
    let asks = answer.problem_code().as_deref() == Some("unauthenticated");
    Vec::from_iter(
        asks.then(|| "asks for a token: remove it from public_operations.txt".to_owned()),
    )
}

async fn guarded(
    subject: &Subject<'_>,
    operation: &Operation,
    exceptions: &Exceptions,
) -> Vec<String> {
    let mut gaps = without_a_good_token(subject, operation).await;
    let nobody = subject.tokens.without_role(Tenant::Acme);
    let viewer = subject.tokens.user(Tenant::Acme, Role::Viewer);
    let any_role = exceptions.any_role.has(operation);
    let answer = answer_with(subject, operation, nobody).await;
    gaps.extend(undocumented(&answer, operation));
    let refused = answer.status == 403;
    match (refused, any_role) {
        (false, false) => gaps.push("is open to a user without a role".to_owned()),
        (true, true) => {
            gaps.push("asks for a role: remove it from any_role_operations.txt".to_owned());
        }
        _ => {}
    }
    if operation.changes_something() && !any_role {
        let refused = answer_with(subject, operation, viewer).await.status == 403;
        match (refused, exceptions.viewer.has(operation)) {
            (false, false) => gaps.push("is open to a viewer".to_owned()),
            (true, true) => {
                gaps.push("is closed to a viewer: remove it from viewer_operations.txt".to_owned());
            }
            _ => {}
        }
    }
    gaps
}

async fn without_a_good_token(subject: &Subject<'_>, operation: &Operation) -> Vec<String> {
    let tokens = subject.tokens;
    let bad: [(&str, SecretString); 4] = [
        ("garbage", "garbage".to_owned().into()),
        ("an expired token", tokens.expired()),
        ("a token signed by somebody else", tokens.forged()),
        (
            "a token for another audience",
            tokens.for_another_audience(),
        ),
    ];
    let mut gaps = Vec::new();
    let answer = call(subject.document, subject.anonymous, operation).await;
    gaps.extend(not_a_401(&answer).map(|gap| format!("without a token it {gap}")));
    for (what, token) in bad {
        let answer = call(
            subject.document,
            &subject.anonymous.with_token(token),
            operation,
        )
        .await;
        gaps.extend(not_a_401(&answer).map(|gap| format!("with {what} it {gap}")));
    }
    gaps
}

fn not_a_401(answer: &TestResponse) -> Option<String> {
    if answer.status != 401 {
        return Some(format!("answers {}", answer.status));
    }
    if answer.problem_code().is_none() {
        return Some("answers no problem".to_owned());
    }
    let challenge = answer.header("www-authenticate").is_some();
    (!challenge).then(|| "answers 401 without WWW-Authenticate".to_owned())
}

/// What the document says about the permission, when it is not what the operation asks for (RFC 6750 section 3: the
/// challenge names it).
fn undocumented(answer: &TestResponse, operation: &Operation) -> Option<String> {
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    let asked = challenge
        .split_once("scope=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(scope, _)| scope);
    let documented = operation.permission.as_deref();
    (asked != documented).then(|| match asked {
        Some(asked) => format!(
            r#"asks for {asked}, but its document says {}: write security(("bearer" = ["{asked}"]))"#,
            documented.unwrap_or("nothing")
        ),
        None => format!(
            "asks for no permission, but its document says {}",
            documented.unwrap_or_default()
        ),
    })
}

async fn answer_with(
    subject: &Subject<'_>,
    operation: &Operation,
    token: SecretString,
) -> TestResponse {
    let client = subject.anonymous.with_token(token);
    call(subject.document, &client, operation).await
}

/// A request with everything that the operation wants, so that nothing but the token decides.
async fn call(document: &Document, client: &Client, operation: &Operation) -> TestResponse {
    let uri = operation.uri(document, &operation.sample_path(document));
    operation.request(client, &uri).headed().await
}
