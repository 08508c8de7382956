//! Programs that others wrote, as clients of the running service.

use std::path::{Path, PathBuf};

use tokio::process::Command;

/// The Python of `TEST_CLIENTS`, if it has a package.
pub(crate) fn python(package: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TEST_CLIENTS");
    let venv = root.map(|root| Path::new(&root).join("venv"));
    let has_it = |venv: &PathBuf| {
        let libraries = std::fs::read_dir(venv.join("lib")).ok();
        let mut libraries = libraries.into_iter().flatten().flatten();
        libraries.any(|python| python.path().join("site-packages").join(package).is_dir())
    };
    let found = venv.filter(has_it).map(|venv| venv.join("bin/python"));
    if found.is_none() {
        println!("skipped: TEST_CLIENTS has no Python with the package {package}");
    }
    found
}

/// A program of `tests/clients`.
pub(crate) fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(name)
}

/// Runs a program of `tests/clients`, which must find that all is good.
pub(crate) async fn is_content(python: &Path, name: &str, arguments: &[&str]) {
    let ran = Command::new(python)
        .arg(program(name))
        .args(arguments)
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
}
