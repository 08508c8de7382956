//! What a client asks of a list: how many items, behind which cursor.

use bz_kernel::page::{DEFAULT_LIMIT, MAX_LIMIT};
use bz_kernel::{CursorSealer, TenantId};
use serde::de::DeserializeOwned;

use crate::Problem;

/// `limit` and `cursor` as they were sent.
#[derive(Debug, Clone, Default)]
pub struct PageQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// A page to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// Items a page.
    pub limit: u16,
    /// The position behind which the page starts; none for the first page.
    pub after: Option<K>,
}

impl PageQuery {
    /// What the query parameters said.
    #[must_use]
    pub const fn new(limit: Option<u16>, cursor: Option<String>) -> Self {
        Self { limit, cursor }
    }

    /// Checks both. `list` names the list and its filters: a cursor opens only for the list it came from.
    ///
    /// # Errors
    /// 422 for a limit out of range or a cursor of another list.
    pub fn open<K: DeserializeOwned>(
        self,
        sealer: &CursorSealer,
        tenant: TenantId,
        list: &str,
    ) -> Result<PageRequest<K>, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if limit == 0 || limit > MAX_LIMIT {
            return Err(Problem::invalid_parameter(
                "limit",
                "out_of_range",
                format!("must be 1 to {MAX_LIMIT}"),
            ));
        }
        let after = self
            .cursor
            .map(|cursor| sealer.open(tenant, list, &cursor))
            .transpose()
            .map_err(|_| {
                Problem::invalid_parameter(
                    "cursor",
                    "invalid_cursor",
                    "must be the next_cursor of the same list, unchanged",
                )
            })?;
        Ok(PageRequest { limit, after })
    }
}
