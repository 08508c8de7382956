//! The first account of an installation in which nobody may register.

use std::io::Write;
use std::process::{Output, Stdio};

use bz_kernel::platform::IDENTITY;
use serde_json::json;

use crate::support::{Installation, PASSWORD};

fn create(installation: &Installation, arguments: &[&str], password: &str) -> Output {
    let mut command = installation.command(&[&["create-owner"], arguments].concat());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(password.as_bytes()).unwrap();
    drop(input);
    child.wait_with_output().unwrap()
}

#[tokio::test]
async fn the_operator_makes_an_owner_who_can_log_in_where_nobody_may_register() {
    let mut installation = Installation::migrated().await;
    installation.set("REGISTRATION_POLICY", "verified");
    let email = "ada@acme.example";
    let made = create(
        &installation,
        &["--email", email, "--tenant-name", "Acme"],
        &format!("{PASSWORD}\n"),
    );
    assert!(made.status.success(), "{made:?}");
    let said = String::from_utf8(made.stdout).unwrap();
    assert_eq!(said, "made the tenant acme and its owner, who can log in\n");

    let again = create(&installation, &["--email", email], PASSWORD);
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(said.contains("has a tenant already"), "{said}");

    let bad = create(&installation, &["--email", "ada"], "short");
    let said = String::from_utf8(bad.stderr).unwrap();
    assert!(said.contains("email is not an e-mail address"), "{said}");
    assert!(said.contains("password "), "{said}");
    assert!(!said.contains("short"), "{said}");

    let _platform = installation.up().await;
    let body = json!({ "email": email, "password": PASSWORD });
    let login = installation
        .anonymous()
        .post(&IDENTITY, "/auth/login", body)
        .await;
    login.with_status(200);
}
