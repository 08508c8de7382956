//! Programs that others wrote for the Model Context Protocol: PyPI's `mcp`, as a client of the running service.

use bz_kernel::ExposeSecret;

use crate::{mcp::Office, programs};

#[tokio::test]
async fn pythons_client_finds_and_calls_the_tools_in_both_forms_of_the_protocol() {
    let Some(python) = programs::python("mcp") else {
        return;
    };
    let office = Office::open().await;
    let url = office.app.listen().await;
    let url = url.as_str().trim_end_matches('/');
    let token = |client: &bz_testkit::Client| client.token().unwrap().expose_secret().to_owned();
    let member = token(&office.app.acme.member);
    let viewer = token(&office.app.acme.viewer);
    programs::is_content(&python, "mcp_client.py", &[url, &member, &viewer]).await;
    // One for each form; what was deleted is gone.
    assert_eq!(office.crm.all(), ["auto", "legacy"]);
}
