//! Checks of a whole service in one line each. They walk the catalog or the OpenAPI document by themselves, so a new table
//! or endpoint is checked without anybody thinking of it.

pub mod isolation;
