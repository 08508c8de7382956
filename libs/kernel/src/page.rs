//! The envelope of every list.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many items a list answers when the client names no limit.
pub const DEFAULT_LIMIT: u16 = 20;
/// The most items that a list answers in one page.
pub const MAX_LIMIT: u16 = 100;

/// One page of a list. The next page is asked for with `cursor=<next_cursor>`; `null` means that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items of this page, in the list's order.
    pub items: Vec<T>,
    /// Opaque cursor of the next page.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Cuts `limit + 1` fetched rows to a page: the extra row says that there is a next page, whose cursor `seal`
    /// makes from the last item shown.
    pub fn cut<R: Into<T>>(mut rows: Vec<R>, limit: u16, seal: impl FnOnce(&R) -> String) -> Self {
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let next_cursor = rows.last().filter(|_| more).map(seal);
        Self {
            items: rows.into_iter().map(Into::into).collect(),
            next_cursor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_page_with_a_row_behind_it_has_a_cursor() {
        let cut =
            |n: u32, limit| Page::<u32>::cut((0..n).collect::<Vec<u32>>(), limit, u32::to_string);
        assert_eq!(
            cut(3, 2),
            Page {
                items: vec![0, 1],
                next_cursor: Some("1".into())
            }
        );
        assert_eq!(
            cut(2, 2),
            Page {
                items: vec![0, 1],
                next_cursor: None
            }
        );
        assert_eq!(
            cut(0, 2),
            Page {
                items: vec![],
                next_cursor: None
            }
        );
    }
}
