//! The search over all types of records: words, parts of words, typing errors, phone numbers, addresses, domains, ids of
//! other systems, and meaning.
//!
//! What is searched are the documents in `search_documents`, which triggers write in the transaction of the change, and
//! after an import a job a moment later. Only functions of the database read them; they get here whose records the caller
//! sees. Errors of typing are found by the words of all documents, in `search_words`.

mod asked;
pub(crate) mod backlog;
mod find;
mod fragments;
mod meaning;
mod narrow;
mod run;
mod sent;
mod store;
mod suggest;
pub(crate) mod words;

use bz_http::{Routes, routes};

use crate::app::AppState;

pub(crate) use meaning::{Meaning, job};

bz_auth::permissions! {
    /// Search in the records that the user sees.
    SearchRead = "search:read",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(find::search_records, find::post_search))
        .routes(routes!(suggest::suggest_records))
}
