//! The CRM through its real routes, on a real database, with the weak login.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod leads;
mod performance;
mod todos;
mod whole_service;
