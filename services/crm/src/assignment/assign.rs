//! New leads get their owners.

use std::collections::HashMap;

use bz_http::Problem;
use bz_kernel::LeadId;

use super::{
    choose::{self, Turn},
    give::give,
    store,
};
use crate::{leads::Lead, records::Work};

/// Gives leads that were just created owners by the tenant's rules, in the same transaction. One that has an owner, or that
/// no rule fits, stays as it is. For everything that creates leads: requests, forms, imports.
///
/// # Errors
/// Those of the database.
pub(crate) async fn assign(work: &mut Work<'_>, leads: &mut [Lead]) -> Result<(), Problem> {
    let free: Vec<&Lead> = leads
        .iter()
        .filter(|lead| lead.owner_id.is_none())
        .collect();
    if free.is_empty() {
        return Ok(());
    }
    let rules = store::rules(work.app, work.tx).await?;
    if rules.is_empty() {
        return Ok(());
    }
    let picked = choose::pick(work, &free, &rules, Turn::Take).await?;
    let given = free.into_iter().zip(picked);
    let given: Vec<_> = given
        .filter_map(|(lead, picked)| Some((lead, picked?)))
        .collect();
    if given.is_empty() {
        return Ok(());
    }
    let mut given: HashMap<LeadId, Lead> = give(work, &given, true)
        .await?
        .into_iter()
        .map(|lead| (lead.id, lead))
        .collect();
    for lead in leads {
        if let Some(given) = given.remove(&lead.id) {
            *lead = given;
        }
    }
    Ok(())
}
