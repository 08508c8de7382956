use bz_auth::Caller;
use bz_http::{Errors, Json, Problem, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most questions at once.
const MOST_CHECKS: usize = 100;

/// What is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckPermissions {
    /// 1 to 100 questions.
    #[schema(min_items = 1, max_items = 100)]
    checks: Vec<Check>,
}

/// One question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    /// The permission: `leads:write`.
    #[schema(example = "leads:write", max_length = 100)]
    permission: String,
}

impl Validate for CheckPermissions {
    fn validate(&self, errors: &mut Errors) {
        if self.checks.is_empty() || self.checks.len() > MOST_CHECKS {
            errors.add("/checks", "out_of_range", "must have 1 to 100 entries");
            return;
        }
        for (at, check) in self.checks.iter().enumerate() {
            let name = &check.permission;
            let parts = name.split_once(':');
            let is_name = |part: &str| {
                !part.is_empty()
                    && part.bytes().all(|b| {
                        b.is_ascii_lowercase() || b.is_ascii_digit() || b"-*_".contains(&b)
                    })
            };
            if name.len() > 100 || !parts.is_some_and(|(of, action)| is_name(of) && is_name(action))
            {
                let message = "must be <resource>:<action>, for example leads:write";
                errors.add(format!("/checks/{at}/permission"), "invalid_value", message);
            }
        }
    }
}

/// The answers, in the order of the questions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckedPermissions {
    /// One for each question.
    results: Vec<Checked>,
}

/// One answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Checked {
    /// The permission that was asked for.
    permission: String,
    /// Whether the caller has it.
    allowed: bool,
}

/// May I? For services and front ends that do not read tokens themselves.
#[utoipa::path(
    post, path = "/api/authz/check", tag = "roles",
    request_body = CheckPermissions,
    responses(
        (status = 200, description = "The answers", body = CheckedPermissions),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn check_permissions(
    caller: Caller,
    Json(request): Json<CheckPermissions>,
) -> Result<Json<CheckedPermissions>, Problem> {
    let answer = |check: Check| Checked {
        allowed: caller.permissions.allow(&check.permission),
        permission: check.permission,
    };
    Ok(Json(CheckedPermissions {
        results: request.checks.into_iter().map(answer).collect(),
    }))
}
