//! Applying the schema.

use include_dir::{Dir, include_dir};

static MIGRATIONS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../migrations");

/// A file of `migrations/` as it was when this was compiled.
pub(crate) fn embedded_file(path: &str) -> Option<&'static str> {
    MIGRATIONS.get_file(path)?.contents_utf8()
}
