//! Which roles somebody may give away.

use bz_auth::Caller;
use bz_http::{Errors, Problem};
use http::StatusCode;

/// The built-in roles, each with everything that those before it have.
const RANKS: [&str; 4] = ["viewer", "member", "admin", "owner"];

/// Adds what is wrong with a list of roles: there is one, and it is a built-in one.
pub(crate) fn check_roles(roles: &[String], errors: &mut Errors) {
    if roles.len() != 1 {
        errors.add("/roles", "out_of_range", "must have exactly one role");
    }
    for (at, role) in roles.iter().take(RANKS.len()).enumerate() {
        if rank(role).is_none() {
            let message = "must be owner, admin, member or viewer";
            errors.add(format!("/roles/{at}"), "unknown_role", message);
        }
    }
}

/// Goes on if the caller has everything that the roles give: nobody makes somebody mightier than themselves.
///
/// # Errors
/// 403 `privilege_escalation`.
pub(crate) fn check_escalation(caller: &Caller, roles: &[String]) -> Result<(), Problem> {
    let own = caller
        .claims
        .roles
        .iter()
        .filter_map(|role| rank(role))
        .max();
    let wanted = roles.iter().filter_map(|role| rank(role)).max();
    if wanted <= own {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "privilege_escalation",
        "Nobody gives away more than they have",
    )
    .detail("Choose a role that is not above your own."))
}

fn rank(role: &str) -> Option<usize> {
    RANKS.iter().position(|known| *known == role)
}
