use std::time::{Duration, Instant};

use bz_kernel::platform::SERVICES;
use reqwest::Method;

use crate::support::{Installation, send};

#[tokio::test]
async fn a_platform_is_ready_soon_after_its_start() {
    let installation = Installation::migrated().await;
    let began = Instant::now();
    let _platform = installation.up().await;
    let took = began.elapsed();
    println!("ready after {} ms (debug build)", took.as_millis());
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn the_node_ports_answer_as_the_apis_do() {
    let installation = Installation::migrated().await;
    let _platform = installation.up_with(&["--nodeports"]).await;
    let api = installation.anonymous();
    for service in SERVICES {
        let mut names = Vec::new();
        for port in [service.port, service.node_port] {
            let health = api.at_port(Method::GET, installation.ports.of(port), "/health");
            names.push(send(health).await.with_status(200)["service"].clone());
        }
        assert_eq!(names, [service.health_name, service.health_name]);
    }
}
