//! Lists of the other services, read page by page.

use bz_http::client::{Call, SiblingError};
use serde::{Deserialize, de::DeserializeOwned};

/// Pages read, a hundred items each: nobody names one thing among more.
const PAGES: usize = 5;

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

/// The items of a list, at whose path a query begins with the size of a page; `call` asks for one.
pub(crate) async fn all<T: DeserializeOwned>(
    path: &str,
    call: impl Fn(&str) -> Call,
) -> Result<Vec<T>, SiblingError> {
    let mut items = Vec::new();
    let mut next = String::new();
    for _ in 0..PAGES {
        let page: Page<T> = call(&format!("{path}{next}")).send().await?;
        items.extend(page.items);
        let Some(cursor) = page.next_cursor else {
            break;
        };
        // A cursor is base64url text: nothing in it needs escaping.
        next = format!("&cursor={cursor}");
    }
    Ok(items)
}
