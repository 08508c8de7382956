//! A new lead gets its owner.

use bz_http::Problem;

use super::{
    choose::{self, Turn},
    store,
};
use crate::{leads::Lead, records::Work};

/// Gives a lead that was just created an owner by the tenant's rules, in the same transaction. One that has an owner, or that
/// no rule fits, stays as it is. For everything that creates leads: requests, forms, imports.
///
/// # Errors
/// Those of the database.
pub(crate) async fn assign(work: &mut Work<'_>, lead: Lead) -> Result<Lead, Problem> {
    if lead.owner_id.is_some() {
        return Ok(lead);
    }
    let rules = store::rules(work.app, work.tx).await?;
    if rules.is_empty() {
        return Ok(lead);
    }
    match choose::pick(work, &lead, &rules, Turn::Take).await? {
        Some(picked) => choose::give(work, lead, &picked, true).await,
        None => Ok(lead),
    }
}
