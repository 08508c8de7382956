//! How well the understanding does on data that its authors did not write. The floors are what it reaches; raise them
//! when it gets better. A binary of its own: it needs no database.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod compounds;
mod dates;
mod intents;
mod languages;
mod phrasings;
mod shared;
mod speed;
mod times;
mod titles;
mod vocabulary;
