//! Programs that others wrote for the Model Context Protocol: PyPI's `mcp`, as a client of the running service.

use std::path::{Path, PathBuf};

use bz_kernel::ExposeSecret;
use tokio::process::Command;

use crate::mcp::Office;

/// The Python of `TEST_CLIENTS`, if it has the package `mcp`.
pub(crate) fn python() -> Option<PathBuf> {
    let root = std::env::var_os("TEST_CLIENTS");
    let venv = root.map(|root| Path::new(&root).join("venv"));
    let has_mcp = |venv: &PathBuf| {
        let libraries = std::fs::read_dir(venv.join("lib")).ok();
        let mut libraries = libraries.into_iter().flatten().flatten();
        libraries.any(|python| python.path().join("site-packages/mcp").is_dir())
    };
    let found = venv.filter(has_mcp).map(|venv| venv.join("bin/python"));
    if found.is_none() {
        println!("skipped: TEST_CLIENTS has no Python with the package mcp");
    }
    found
}

/// A program of `tests/clients`.
pub(crate) fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(name)
}

#[tokio::test]
async fn pythons_client_finds_and_calls_the_tools_in_both_forms_of_the_protocol() {
    let Some(python) = python() else { return };
    let office = Office::open().await;
    let url = office.app.listen().await;
    let url = url.as_str().trim_end_matches('/');
    let token = |client: &bz_testkit::Client| client.token().unwrap().expose_secret().to_owned();
    let ran = Command::new(python)
        .arg(program("mcp_client.py"))
        .args([
            url,
            &token(&office.app.acme.member),
            &token(&office.app.acme.viewer),
        ])
        .output()
        .await
        .unwrap();
    let (said, wrong) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert!(
        ran.status.success() && said.contains("all good"),
        "{said}\n{wrong}"
    );
    // One for each form; what was deleted is gone.
    assert_eq!(office.crm.all(), ["auto", "legacy"]);
}
