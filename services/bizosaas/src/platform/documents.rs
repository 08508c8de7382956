//! Documents made from the code: the OpenAPI documents and the configuration reference.

use std::collections::BTreeMap;
use std::process::ExitCode;

use ai_orchestrator::AiOrchestrator;
use analytics::Analytics;
use bz_service::Service;
use bz_service::config::{Env, Row, reference};
use chatbot::Chatbot;
use crm::Crm;
use identity::Identity;
use utoipa::openapi::OpenApi;

use crate::operator::{Needs, Operator};

/// Prints the OpenAPI documents of all services, by name.
pub(super) fn openapi() -> anyhow::Result<ExitCode> {
    let all: BTreeMap<&str, OpenApi> = BTreeMap::from([
        (Identity::INFO.name, Identity::openapi()),
        (AiOrchestrator::INFO.name, AiOrchestrator::openapi()),
        (Chatbot::INFO.name, Chatbot::openapi()),
        (Crm::INFO.name, Crm::openapi()),
        (Analytics::INFO.name, Analytics::openapi()),
    ]);
    println!("{}", serde_json::to_string_pretty(&all)?);
    Ok(ExitCode::SUCCESS)
}

/// Prints the configuration reference, which is `docs/configuration.md`.
pub(super) fn configuration() -> anyhow::Result<ExitCode> {
    print!("{}", configuration_reference());
    Ok(ExitCode::SUCCESS)
}

fn configuration_reference() -> String {
    reference::markdown(&[
        ("All services", reference::core_rows(Crm::INFO)),
        (Identity::INFO.name, own::<Identity>()),
        (AiOrchestrator::INFO.name, own::<AiOrchestrator>()),
        (Chatbot::INFO.name, own::<Chatbot>()),
        (Crm::INFO.name, own::<Crm>()),
        (Analytics::INFO.name, own::<Analytics>()),
        ("bizosaas", operator_rows()),
    ])
}

fn own<S: Service>() -> Vec<Row> {
    reference::own_rows::<S::Config>()
}

fn operator_rows() -> Vec<Row> {
    let mut env = Env::from_map::<String, String>([]);
    let _read = Operator::read(&mut env, Needs::BOOTSTRAP);
    env.rows().to_vec()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bz_kernel::platform::SERVICES;

    use super::*;

    fn repository(path: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(path);
        std::fs::read_to_string(path).unwrap_or_default()
    }

    #[test]
    fn the_readme_lists_every_service_with_its_ports() {
        let readme = repository("README.md");
        for service in SERVICES {
            let (name, port, node_port) = (service.name, service.port, service.node_port);
            let row = format!("| [{name}](services/{name}/README.md) | {port} | {node_port} |");
            assert!(readme.contains(&row), "README.md has no {row}");
        }
    }

    #[test]
    fn the_architecture_lists_every_library() {
        let architecture = repository("docs/architecture.md");
        let libs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../libs");
        for lib in std::fs::read_dir(libs).unwrap() {
            let row = format!("| `libs/{}` |", lib.unwrap().file_name().to_string_lossy());
            assert!(
                architecture.contains(&row),
                "docs/architecture.md has no {row}"
            );
        }
    }

    /// `BLESS=1` writes it.
    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "BLESS is for whoever runs the tests"
    )]
    fn the_configuration_reference_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
        let current = configuration_reference();
        if std::env::var("BLESS").is_ok() {
            std::fs::write(&path, &current).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == current,
            "docs/configuration.md is not current: run the tests with BLESS=1"
        );
    }
}
