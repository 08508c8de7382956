//! Every permission that an operation of the platform asks for.

use std::sync::LazyLock;

use serde::Serialize;
use utoipa::ToSchema;

/// Made from the OpenAPI documents of all services by a test; one line for each operation: the permission, the service,
/// the method and the path.
const LISTED: &str = include_str!("catalog.txt");

static CATALOG: LazyLock<Vec<Listed>> = LazyLock::new(|| read(LISTED));

/// A permission, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Listed {
    /// The name: `<resource>:<action>`.
    #[schema(example = "leads:write")]
    pub(crate) name: String,
    /// The services that ask for it.
    pub(crate) services: Vec<String>,
    /// The operations that need it.
    #[schema(example = json!(["POST /api/leads"]))]
    pub(crate) operations: Vec<String>,
}

/// All of them, by name.
pub(crate) fn all() -> &'static [Listed] {
    &CATALOG
}

/// Whether a role may name it: a permission of the catalogue, all of one resource (`leads:*`), or all reading or writing
/// (`*:read`, `*:write`). All of everything is the built-in roles' alone.
pub(crate) fn is_grantable(name: &str) -> bool {
    match name.rsplit_once(':') {
        Some(("*", action)) => matches!(action, "read" | "write"),
        Some((resource, "*")) => all().iter().any(|listed| {
            listed
                .name
                .rsplit_once(':')
                .is_some_and(|(of, _)| of == resource)
        }),
        _ => all().iter().any(|listed| listed.name == name),
    }
}

fn read(text: &str) -> Vec<Listed> {
    let mut all: Vec<Listed> = Vec::new();
    for line in text.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(name), Some(service), Some(operation)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        if all.last().is_none_or(|last| last.name != name) {
            all.push(Listed {
                name: name.to_owned(),
                services: Vec::new(),
                operations: Vec::new(),
            });
        }
        if let Some(last) = all.last_mut() {
            last.operations.push(operation.to_owned());
            if last.services.last().is_none_or(|last| last != service) {
                last.services.push(service.to_owned());
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_names_what_is_in_the_catalogue_and_no_more() {
        for name in ["leads:read", "leads:*", "roles:manage", "*:read", "*:write"] {
            assert!(is_grantable(name), "{name}");
        }
        for name in [
            "",
            "leads",
            "leads:fly",
            "nothing:*",
            "*:*",
            "*:manage",
            "*",
            ":",
            "leads:read ",
            "events:read",
        ] {
            assert!(!is_grantable(name), "{name}");
        }
    }

    #[test]
    fn each_permission_is_listed_once_with_its_operations() {
        let read = read("a:read crm GET /a\na:read chat GET /b\nb:write crm POST /b\n\n");
        let shown: Vec<_> = read
            .iter()
            .map(|listed| {
                (
                    listed.name.as_str(),
                    listed.services.len(),
                    listed.operations.len(),
                )
            })
            .collect();
        assert_eq!(shown, [("a:read", 2, 2), ("b:write", 1, 1)]);
    }
}
