//! OpenAI's own client for Python against the running service with the real model.

use bz_kernel::ExposeSecret;

use crate::{models::with_models, programs};

#[tokio::test]
async fn openais_python_client_works_with_the_models_within_the_process() {
    let Some(python) = programs::python("openai") else {
        return;
    };
    let Some(app) = with_models().await else {
        return;
    };
    let url = app.listen().await;
    let token = app.acme.viewer.token().unwrap().expose_secret();
    let url = url.as_str().trim_end_matches('/');
    programs::is_content(&python, "openai_client.py", &[url, token]).await;
}
