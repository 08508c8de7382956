use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use bz_kernel::{Clock, platform};
use bz_service::docs::Docs;
use bz_service::front::Front;
use bz_service::health::{DatabaseState, Findings, Health};
use bz_service::server::Handler;
use tower::util::BoxCloneSyncService;
use utoipa::openapi::OpenApiBuilder;

fn front() -> (Front, Arc<Health>) {
    let health = Arc::new(Health::new(&platform::CRM, Clock::system()));
    let docs = Docs::new(|| OpenApiBuilder::new().build());
    (Front::new(Arc::clone(&health), docs), health)
}

async fn ask(front: &Front, method: Method, path: &str) -> Response<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap();
    front.handle(request).await
}

#[tokio::test]
async fn before_the_routes_are_there_only_health_and_documentation_answer() {
    let (front, health) = front();
    assert_eq!(
        ask(&front, Method::GET, "/health/live").await.status(),
        StatusCode::OK
    );
    assert_eq!(
        ask(&front, Method::GET, "/openapi.json").await.status(),
        StatusCode::OK
    );
    let refused = ask(&front, Method::GET, "/api/x").await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        refused.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    assert!(refused.headers().contains_key(header::RETRY_AFTER));

    let routes = tower::service_fn(async |_| Ok::<_, Infallible>(Response::new(Body::empty())));
    front.install(BoxCloneSyncService::new(routes), None);
    health.update(&Findings {
        database: DatabaseState::Connected,
        ..Findings::unknown()
    });
    assert_eq!(
        ask(&front, Method::GET, "/api/x").await.status(),
        StatusCode::OK
    );
    assert_eq!(health.not_ready(), None);
}

#[tokio::test]
async fn health_and_documentation_can_only_be_read() {
    let (front, _) = front();
    for path in ["/health", "/health/ready", "/docs", "/openapi.json"] {
        let refused = ask(&front, Method::POST, path).await;
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(refused.headers()[header::ALLOW], "GET,HEAD", "{path}");
    }
    assert_eq!(
        ask(&front, Method::HEAD, "/docs").await.status(),
        StatusCode::OK
    );
}
