use std::path::Path;

use bz_kernel::platform::SERVICES;
use serde_json::Value;

use crate::support::Installation;

#[tokio::test]
async fn the_documents_printed_are_those_of_the_repository() {
    let installation = Installation::empty().await;
    let printed: Value = serde_json::from_str(&installation.print(&["openapi"])).unwrap();
    assert_eq!(printed.as_object().unwrap().len(), SERVICES.len());
    for service in SERVICES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(service.name)
            .join("openapi.json");
        let committed: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(printed[service.name] == committed, "{}", path.display());
    }
}
