//! OpenAI's own client for Python against the running service with the real model.

use bz_kernel::ExposeSecret;
use tokio::process::Command;

use crate::models::with_models;

#[tokio::test]
async fn openais_python_client_works_with_the_models_within_the_process() {
    let python = std::env::var_os("TEST_CLIENTS")
        .map(|root| std::path::Path::new(&root).join("venv/bin/python"))
        .filter(|python| python.exists());
    let Some(python) = python else {
        println!("skipped: TEST_CLIENTS has no venv/bin/python");
        return;
    };
    let Some(app) = with_models().await else {
        return;
    };
    let url = app.listen().await;
    let token = app.acme.viewer.token().unwrap().expose_secret();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/clients/openai_client.py"
    );
    let url = url.as_str().trim_end_matches('/');
    let ran = Command::new(python)
        .args([script, url, token])
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
