//! Routes and their documentation.

use axum::{body::Body, http::Request};
use bz_http::{Routes, routes};
use bz_kernel::platform;
use tower::ServiceExt;
use utoipa::{ToSchema, openapi::OpenApi};

mod first {
    #[derive(utoipa::ToSchema)]
    #[expect(dead_code, reason = "only documented")]
    pub(super) struct Note {
        text: String,
    }
}

mod second {
    #[derive(utoipa::ToSchema)]
    #[expect(dead_code, reason = "only documented")]
    pub(super) struct Note {
        number: u32,
    }
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "only documented")]
struct Wanted {
    note: first::Note,
}

#[utoipa::path(get, path = "/notes", responses((status = 200, body = first::Note)))]
async fn list_notes() -> &'static str {
    "all"
}

#[utoipa::path(post, path = "/notes", request_body = Wanted, responses((status = 200, body = first::Note)))]
async fn create_note() -> &'static str {
    "made"
}

#[utoipa::path(get, path = "/numbers", responses((status = 200, body = second::Note)))]
async fn list_numbers() -> &'static str {
    "numbers"
}

fn document(routes: &Routes) -> OpenApi {
    routes.document(bz_http::openapi::base(&platform::CRM, "Notes."))
}

#[tokio::test]
async fn each_operation_of_a_path_is_answered_and_documented() {
    let routes: Routes = Routes::new().routes(routes!(list_notes, create_note));
    let json = serde_json::to_value(document(&routes)).unwrap();
    let operations = json["paths"]["/notes"].as_object().unwrap();
    assert_eq!(operations.keys().collect::<Vec<_>>(), ["get", "post"]);
    assert!(json["components"]["schemas"]["Note"]["properties"]["text"].is_object());
    let router = routes.into_router();
    for (method, answer) in [("GET", "all"), ("POST", "made")] {
        let request = Request::builder().method(method).uri("/notes");
        let request = request.body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 100).await;
        assert_eq!(body.unwrap(), answer);
    }
}

#[test]
#[should_panic(expected = "two types are called Note")]
fn two_types_of_one_name_are_refused() {
    let routes = Routes::new().routes(routes!(list_notes));
    document(&routes.routes(routes!(list_numbers)));
}

#[test]
#[should_panic(expected = "/numbers among the operations of /notes")]
fn operations_of_two_paths_are_no_path() {
    let _ = Routes::<()>::new().routes(routes!(list_notes, list_numbers));
}
