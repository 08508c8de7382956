use std::time::Duration;

use bz_kernel::{ExposeSecret, platform};
use bz_service::config::{CoreConfig, Env, reference};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn complete() -> Vec<(&'static str, &'static str)> {
    vec![
        ("DATABASE_URL", "postgres://crm_api:pw@db:5432/bizosaas"),
        ("PLATFORM_SECRET", SECRET),
    ]
}

fn with(more: &[(&'static str, &'static str)]) -> Env {
    Env::from_map(complete().into_iter().chain(more.iter().copied()))
}

fn problems(mut env: Env) -> Vec<String> {
    let read = CoreConfig::read(&mut env, &platform::CRM);
    let problems = env
        .finish()
        .err()
        .map(|problems| problems.0)
        .unwrap_or_default();
    assert!(
        read.is_some() || !problems.is_empty(),
        "nothing was read and nobody is told why"
    );
    problems.iter().map(ToString::to_string).collect()
}

fn read(mut env: Env) -> CoreConfig {
    let config = CoreConfig::read(&mut env, &platform::CRM);
    env.finish().unwrap();
    config.unwrap()
}

#[test]
fn the_documented_defaults_load_with_the_two_required_values() {
    let config = read(with(&[]));
    assert_eq!(config.server.listen, vec!["0.0.0.0:8004".parse().unwrap()]);
    assert_eq!(config.server.admin, "0.0.0.0:9004".parse().unwrap());
    assert_eq!(config.server.drain_delay, Duration::from_secs(5));
    assert_eq!(config.siblings.identity.as_str(), "http://127.0.0.1:8001/");
    assert!(config.redis_url.is_none());
}

#[test]
fn every_problem_is_told_at_once_and_no_secret_among_them() {
    let told = problems(Env::from_map([
        ("PLATFORM_SECRET", "hunter2"),
        ("POSTGRES_HOST", "db"),
        ("PORT", "80000"),
        ("DRAIN_DELAY", "5"),
        ("REDIS_URL", "http://hunter2@cache"),
        ("IDENTITY_URL", "identity:8001"),
        ("LOG_FORMAT", "yaml"),
        ("DB_POOL_SIZE", "0"),
        ("BODY_LIMITS", "5"),
    ]));
    insta::assert_snapshot!(told.join("\n"), @r#"
    PORT: "80000" is not a whole number; write a whole number in range
    DRAIN_DELAY: "5" is not a duration; write a number and its unit, such as 250ms, 5s or 2m
    LOG_FORMAT: "yaml" is not a json or pretty; write json or pretty
    POSTGRES_PASSWORD: is required with POSTGRES_HOST; it has no default
    DB_POOL_SIZE: "0" is not a whole number; write 1 to 1000
    REDIS_URL: write redis://host:6379/0
    PLATFORM_SECRET: must have at least 32 bytes
    IDENTITY_URL: "identity:8001" is not a URL; write an address such as http://127.0.0.1:8001
    BODY_LIMITS: is unknown; did you mean BODY_LIMIT?
    "#);
}

#[test]
fn an_empty_environment_lacks_exactly_the_values_without_a_default() {
    let told = problems(Env::from_map::<String, String>([]));
    insta::assert_snapshot!(told.join("\n"), @r"
    DATABASE_URL: is required; set it, or POSTGRES_HOST and POSTGRES_PASSWORD
    PLATFORM_SECRET: is required; set PLATFORM_SECRET or PLATFORM_SECRET_FILE to a secret
    ");
}

#[test]
fn secrets_come_from_files_and_a_value_beside_the_file_is_a_problem() {
    let path = std::env::temp_dir().join(format!("bz-secret-{}", std::process::id()));
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    let file = path.to_str().unwrap();
    let config = read(Env::from_map([
        ("DATABASE_URL", "postgres://db/bizosaas"),
        ("PLATFORM_SECRET_FILE", file),
    ]));
    assert_eq!(
        config.platform_secret.derive("x"),
        read(with(&[])).platform_secret.derive("x"),
        "the newline at the end of the file is no part of the secret"
    );

    let told = problems(Env::from_map(
        complete()
            .into_iter()
            .chain([("PLATFORM_SECRET_FILE", file)]),
    ));
    assert_eq!(
        told,
        ["PLATFORM_SECRET: is set twice; unset PLATFORM_SECRET or PLATFORM_SECRET_FILE"]
    );
    std::fs::remove_file(&path).unwrap();

    let told = problems(Env::from_map([
        ("DATABASE_URL", "postgres://db/x"),
        ("PLATFORM_SECRET_FILE", "/nowhere"),
    ]));
    assert_eq!(told.len(), 1);
    assert!(
        told[0].contains("PLATFORM_SECRET_FILE (/nowhere) cannot be read"),
        "{told:?}"
    );
}

#[test]
fn the_database_can_be_given_in_parts_and_the_role_defaults_to_the_services_own() {
    let parts = [
        ("POSTGRES_HOST", "db.local"),
        ("POSTGRES_PASSWORD", "p@ss/word"),
        ("PLATFORM_SECRET", SECRET),
    ];
    let config = read(Env::from_map(parts));
    assert_eq!(
        config.database_url.expose_secret(),
        "postgres://crm_api:p%40ss%2Fword@db.local:5432/bizosaas"
    );

    let config = read(Env::from_map([
        ("DATABASE_URL", "postgres://db/bizosaas"),
        ("PLATFORM_SECRET", SECRET),
    ]));
    assert_eq!(
        config.database_url.expose_secret(),
        "postgres://crm_api@db/bizosaas"
    );

    let told = problems(with(&[("POSTGRES_HOST", "db")]));
    assert_eq!(
        told,
        ["DATABASE_URL: is set together with POSTGRES_HOST; keep one of them"]
    );
}

#[test]
fn the_address_that_kubernetes_puts_in_the_place_of_a_port_is_one() {
    let linked = ("POSTGRES_PORT", "tcp://10.43.0.7:5433");
    let parts = [
        ("POSTGRES_HOST", "db"),
        ("POSTGRES_PASSWORD", "pw"),
        ("PLATFORM_SECRET", SECRET),
        linked,
    ];
    let config = read(Env::from_map(parts));
    assert_eq!(
        config.database_url.expose_secret(),
        "postgres://crm_api:pw@db:5433/bizosaas"
    );
    assert_eq!(problems(with(&[("CACHE_PORT", "tcp://x")])).len(), 1);
}

#[test]
fn redis_can_be_given_in_parts() {
    let config = read(with(&[("CACHE_HOST", "cache"), ("CACHE_PASSWORD", "pw")]));
    assert_eq!(
        config.redis_url.unwrap().expose_secret(),
        "redis://:pw@cache:6379"
    );
}

#[test]
fn an_empty_value_is_the_same_as_none_and_foreign_variables_are_left_alone() {
    let config = read(with(&[
        ("PORT", ""),
        ("PATH", "/bin"),
        ("REDIS_PORT", "tcp://10.0.0.1:6379"),
        ("PORTAGE", "x"),
    ]));
    assert_eq!(config.server.listen.len(), 1);
    assert_eq!(config.server.listen[0].port(), 8004);
}

#[test]
fn nothing_that_prints_the_configuration_shows_a_secret() {
    let mut env = with(&[("REDIS_URL", "redis://:topsecret@cache")]);
    let config = CoreConfig::read(&mut env, &platform::CRM).unwrap();
    let printed = format!("{config:?} {env:?} {} {:?}", env.effective(), env.rows());
    for secret in [SECRET, "topsecret", "crm_api:pw"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert_eq!(env.effective()["REDIS_URL"], "set, not shown");
    assert_eq!(env.effective()["PORT"], "8004");
}

#[test]
fn the_reference_lists_every_variable_with_its_default() {
    let text = reference::markdown(&[
        ("All services", reference::core_rows(&platform::CRM)),
        ("none", vec![]),
    ]);
    assert!(
        text.contains("| `PLATFORM_SECRET` | secret | **required** |"),
        "{text}"
    );
    assert!(
        text.contains("| `DRAIN_DELAY` | duration | `5s` |"),
        "{text}"
    );
    assert!(
        text.contains("| `PORT` | whole number | `8001 to 8005` |"),
        "{text}"
    );
    assert!(!text.contains("## none"), "{text}");
}
