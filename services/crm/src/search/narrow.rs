//! The filters of a search, one a type: which records it looks at. They are evaluated here, under the policies of the API
//! role, and not by the functions that read the documents.

use std::collections::{BTreeMap, HashSet};

use bz_auth::Caller;
use bz_http::{Errors, Problem};
use bz_tenant::TenantTx;
use uuid::Uuid;

use super::{
    sent::Sent,
    store::{self, Found},
};
use crate::{
    app::AppState,
    records::{
        RecordType, custom,
        filter::{Context, Filter},
        list::context,
        sql::Sql,
    },
};

/// The most records that pass and are looked at alone. When more do, the best that are found are held against the filters.
const FEW: usize = 10_000;

/// What must hold of the records of a type.
pub(super) type Filters = Vec<(&'static RecordType, Filter)>;

/// The types to look at, and what must hold of their records: the types of the filters when none is named.
///
/// # Errors
/// 422 for a name that is no type of record, and for a filter of a type that is not looked at.
pub(super) fn scope(
    sent: Sent,
    names: &[String],
    filters: BTreeMap<String, Filter>,
) -> Result<(Vec<&'static RecordType>, Filters), Problem> {
    let filtered: Vec<String> = filters.keys().cloned().collect();
    let types = store::types(
        sent,
        "types",
        if names.is_empty() {
            filtered.as_slice()
        } else {
            names
        },
    );
    // A wrong name in the filter is one there, whatever types were named.
    let of_filters = match filtered.is_empty() {
        true => Vec::new(),
        false => store::types(sent, "filter", &filtered)?,
    };
    let types = types?;
    if let Some(other) = of_filters
        .iter()
        .find(|record| !types.iter().any(|known| known.name == record.name))
    {
        let mut errors = Errors::default();
        let text = "is of a type that is not among types";
        sent.fault(
            &mut errors,
            "filter",
            &format!("/{}", other.name),
            "unexpected",
            text,
        );
        return Err(Problem::validation(errors));
    }
    // Both are in the order of the names.
    let filters = of_filters.into_iter().zip(filters.into_values());
    Ok((types, filters.collect()))
}

/// Which records a search looks at.
pub(super) struct Narrow<'a> {
    filters: &'a Filters,
    /// All that pass, when they are few.
    pub among: Option<Vec<Uuid>>,
}

impl<'a> Narrow<'a> {
    /// Looks for what passes.
    ///
    /// # Errors
    /// 422 with everything that is wrong with the filters.
    pub(super) async fn of(
        (app, tx, caller): (&AppState, &mut TenantTx, &Caller),
        sent: Sent,
        (types, filters): (&[&'static RecordType], &'a Filters),
    ) -> Result<Self, Problem> {
        let known = custom::definitions(app, tx).await?;
        let mut errors = Errors::default();
        for (record, filter) in filters {
            let Err(problem) = filter.check(context(record, &known, caller)) else {
                continue;
            };
            for fault in problem.document().errors {
                let at = fault.pointer.unwrap_or_default();
                let at = format!("/{}{at}", record.name);
                sent.fault(&mut errors, "filter", &at, fault.code, fault.message);
            }
        }
        if !errors.is_empty() {
            return Err(Problem::validation(errors));
        }
        let mut narrow = Self {
            filters,
            among: None,
        };
        // A type without a filter passes whole, which is never few.
        if filters.is_empty() || filters.len() < types.len() {
            return Ok(narrow);
        }
        let mut among = Vec::new();
        for (record, filter) in filters {
            let left = FEW + 1 - among.len();
            let context = context(record, &known, caller);
            among.extend(passing(tx, context, filter, None, left).await?);
            if among.len() > FEW {
                return Ok(narrow);
            }
        }
        narrow.among = Some(among);
        Ok(narrow)
    }

    /// Whether what is found must still be held against the filters.
    pub(super) const fn is_open(&self) -> bool {
        self.among.is_none() && !self.filters.is_empty()
    }

    /// Takes out what does not pass.
    pub(super) async fn keep(
        &self,
        (app, tx, caller): (&AppState, &mut TenantTx, &Caller),
        found: &mut Vec<Found>,
    ) -> Result<(), Problem> {
        if !self.is_open() {
            return Ok(());
        }
        let known = custom::definitions(app, tx).await?;
        for (record, filter) in self.filters {
            let of_type = found.iter().filter(|hit| hit.record_type == record.name);
            let ids: Vec<Uuid> = of_type.map(|hit| hit.record_id).collect();
            let (context, most) = (context(record, &known, caller), ids.len());
            let passed = passing(tx, context, filter, Some(ids), most).await?;
            let passed: HashSet<Uuid> = passed.into_iter().collect();
            found.retain(|hit| hit.record_type != record.name || passed.contains(&hit.record_id));
        }
        Ok(())
    }
}

/// Records that a filter lets through: of these, or of all.
async fn passing(
    tx: &mut TenantTx,
    context: Context<'_>,
    filter: &Filter,
    of: Option<Vec<Uuid>>,
    most: usize,
) -> Result<Vec<Uuid>, Problem> {
    let table = context.record.table;
    let mut sql = Sql::new(format!(
        "-- {table}.passing\nSELECT id FROM {table} WHERE deleted_at IS NULL"
    ));
    if let Some(ids) = of {
        sql.push(" AND id = ANY(").bind(ids).push(")");
    }
    filter.push(context, &mut sql)?;
    sql.push(" LIMIT ").bind(most as i64);
    let ids: Vec<(Uuid,)> = sql.fetch_all(tx).await?;
    Ok(ids.into_iter().map(|(id,)| id).collect())
}
