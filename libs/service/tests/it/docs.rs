use axum::http::{HeaderMap, StatusCode, header};
use bz_service::docs::Docs;
use utoipa::openapi::OpenApiBuilder;

fn docs() -> Docs {
    Docs::new(|| OpenApiBuilder::new().build())
}

async fn text(docs: &Docs, path: &str) -> String {
    let response = docs.answer(path, &HeaderMap::new()).unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    String::from_utf8(
        axum::body::to_bytes(response.into_body(), 1 << 20)
            .await
            .unwrap()
            .to_vec(),
    )
    .unwrap()
}

#[tokio::test]
async fn the_page_loads_with_and_without_the_slash_and_everything_it_names_is_there() {
    let docs = docs();
    let page = text(&docs, "/docs").await;
    assert_eq!(text(&docs, "/docs/").await, page);
    let named: Vec<_> = page
        .split('"')
        .filter(|part| part.starts_with("/docs/"))
        .collect();
    assert!(named.len() >= 3, "{page}");
    for asset in named {
        let response = docs.answer(asset, &HeaderMap::new()).unwrap();
        assert_eq!(
            response.headers()[header::CONTENT_ENCODING],
            "gzip",
            "{asset}"
        );
    }
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "the page needs the internet"
    );
}

#[tokio::test]
async fn the_document_is_not_sent_again_to_who_has_it() {
    let docs = docs();
    let first = docs.answer("/openapi.json", &HeaderMap::new()).unwrap();
    assert_eq!(first.headers()[header::CONTENT_TYPE], "application/json");
    let known =
        HeaderMap::from_iter([(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone())]);
    assert_eq!(
        docs.answer("/openapi.json", &known).unwrap().status(),
        StatusCode::NOT_MODIFIED
    );
    assert!(
        text(&docs, "/openapi.json")
            .await
            .starts_with("{\"openapi\"")
    );
}

#[test]
fn other_paths_are_not_its_business() {
    for path in ["/docs/none.js", "/docs2", "/openapi.yaml", "/"] {
        assert!(docs().answer(path, &HeaderMap::new()).is_none(), "{path}");
    }
}
