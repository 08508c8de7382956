//! The catalogue of permissions, which is made from the OpenAPI documents of all services.

use std::{collections::BTreeSet, path::Path};

use bz_service::Service;
use serde_json::Value;

use crate::support::{IdentityUnderTest, start};

/// Permissions that no OpenAPI document names, because their operations are described by a standard.
const BY_STANDARD: [&str; 1] = ["scim:manage identity * /scim/v2"];

fn lines(service: &str, document: &Value, into: &mut BTreeSet<String>) {
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let requirements = operation["security"].as_array().into_iter().flatten();
            let scopes = requirements.filter_map(|requirement| requirement["bearer"].as_array());
            for permission in scopes.flatten().filter_map(Value::as_str) {
                let method = method.to_uppercase();
                into.insert(format!("{permission} {service} {method} {path}"));
            }
        }
    }
}

/// `src/roles/catalog.txt` as the documents of all services make it. `BLESS=1` writes it.
#[test]
fn the_catalogue_has_every_permission_that_an_operation_of_any_service_names() {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut all = BTreeSet::from(BY_STANDARD.map(ToOwned::to_owned));
    for folder in std::fs::read_dir(services).unwrap() {
        let folder = folder.unwrap();
        let name = folder.file_name().into_string().unwrap();
        let document = folder.path().join("openapi.json");
        if name == "identity" || !document.exists() {
            continue;
        }
        let document = std::fs::read_to_string(document).unwrap();
        lines(&name, &serde_json::from_str(&document).unwrap(), &mut all);
    }
    let own = serde_json::to_value(IdentityUnderTest::openapi()).unwrap();
    lines("identity", &own, &mut all);
    let current: String = all.iter().map(|line| format!("{line}\n")).collect();
    let file = services.join("identity/src/roles/catalog.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &current).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        current,
        "run this test with BLESS=1, and compile again"
    );
}

#[tokio::test]
async fn the_catalogue_lists_permissions_of_all_services_with_their_operations() {
    let app = start().await;
    let page = app.acme.viewer.get("/api/permissions").await;
    let page = page.assert_status(200).json();
    assert_eq!(page["next_cursor"], Value::Null);
    let items = page["items"].as_array().unwrap();
    let find = |name: &str| items.iter().find(|item| item["name"] == name).unwrap();
    assert_eq!(find("leads:write")["services"], serde_json::json!(["crm"]));
    let operations = find("leads:write")["operations"].as_array().unwrap();
    assert!(
        operations.contains(&"POST /api/leads".into()),
        "{operations:?}"
    );
    for service in ["analytics", "chatbot", "ai-orchestrator", "crm", "identity"] {
        let of_service = |item: &&Value| {
            item["services"]
                .as_array()
                .unwrap()
                .contains(&service.into())
        };
        assert!(items.iter().any(|item| of_service(&item)), "{service}");
    }
    let nobody = app.tokens.without_role(bz_testkit::Tenant::Acme);
    let nobody = app.anonymous.with_token(nobody);
    nobody
        .get("/api/permissions")
        .await
        .assert_problem(403, "forbidden");
    app.anonymous
        .get("/api/permissions")
        .await
        .assert_problem(401, "unauthenticated");
}
