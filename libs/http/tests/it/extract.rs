//! What extractors accept, and how they refuse.

use axum::Router;
use axum::routing::{get as on_get, post as on_post, put as on_put};
use bz_http::layers::Stack;
use bz_http::{
    Errors, Form, IdempotencyKey, IfMatch, Json, Path, Problem, Query, Validate, Versioned,
};
use http::Request;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::support::{get, post, send, stacked};

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Lead {
    name: String,
    #[serde(default)]
    tags: Vec<String>,
}

impl Validate for Lead {
    fn validate(&self, errors: &mut Errors) {
        if self.name.is_empty() {
            errors.add("/name", "blank", "must not be empty");
        }
        if self.tags.len() > 1 {
            errors.add("/tags", "too_long", "must have at most one entry");
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    limit: Option<u8>,
    search: Option<String>,
}

fn app() -> Stack {
    let one = on_get(async |Path(id): Path<Uuid>| id.to_string());
    let change = on_put(async |if_match: IfMatch| -> Result<_, Problem> {
        if_match.check(3)?;
        Ok(Versioned(4, "changed"))
    });
    let filtered =
        async |Query(filter): Query<Filter>| format!("{:?} {:?}", filter.limit, filter.search);
    let keyed = async |key: IdempotencyKey| key.as_deref().unwrap_or("none").to_owned();
    let router = Router::new()
        .route(
            "/leads",
            on_post(async |Json(lead): Json<Lead>| Json(lead)).get(filtered),
        )
        .route("/leads/{id}", one.merge(change))
        .route(
            "/names/{name}",
            on_get(async |Path(name): Path<String>| name),
        )
        .route("/forms", on_post(async |Form(lead): Form<Lead>| Json(lead)))
        .route("/keys", on_post(keyed));
    stacked(router)
}

#[tokio::test]
async fn a_good_body_is_read_with_any_json_media_type() {
    let app = app();
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "application/ld+json",
    ] {
        let request = Request::post("/leads").header("content-type", kind);
        let answer = send(&app, request, r#"{"name":"Ada"}"#).await;
        assert_eq!(answer.status, 200, "{kind}");
        assert_eq!(answer.text(), r#"{"name":"Ada","tags":[]}"#);
    }
}

#[tokio::test]
async fn a_body_of_another_or_no_media_type_is_415() {
    let app = app();
    let request = Request::post("/leads").header("content-type", "text/plain");
    let body = r#"{"name":"Ada"}"#;
    send(&app, request, body)
        .await
        .problem(415, "unsupported_media_type");
    let request = Request::post("/leads");
    send(&app, request, body)
        .await
        .problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_body_that_is_no_json_is_400_with_its_line_and_column() {
    let answer = post(&app(), "/leads", "{\n\"name\": Ada}").await;
    let problem = answer.problem(400, "malformed_json");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("line 2, column 9")
    );
}

#[tokio::test]
async fn a_wrong_shape_is_422_with_a_pointer() {
    let app = app();
    let fault = async |body| post(&app, "/leads", body).await.fault();
    let expected = |place: &str, code: &str| (place.to_owned(), code.to_owned());
    assert_eq!(fault("{}").await, expected("/name", "required"));
    assert_eq!(
        fault(r#"{"name":7}"#).await,
        expected("/name", "invalid_value")
    );
    assert_eq!(
        fault(r#"{"name":"a","tags":["b",0]}"#).await,
        expected("/tags/1", "invalid_value")
    );
    assert_eq!(
        fault(r#"{"name":"a","nmae":1}"#).await,
        expected("/nmae", "unknown_field")
    );
    assert_eq!(
        fault(r#"{"name":"a\u0000"}"#).await,
        expected("", "nul_character")
    );
    let twice = fault(r#"{"name":"a","name":"b"}"#).await;
    assert_eq!(twice, expected("/name", "duplicate_field"));
    assert_eq!(fault("[]").await.0, "");
}

#[tokio::test]
async fn a_wrong_value_is_422_with_every_fault_at_once() {
    let answer = post(&app(), "/leads", r#"{"name":"","tags":["a","b"]}"#).await;
    let problem = answer.problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], "/name");
    assert_eq!(problem["errors"][1]["pointer"], "/tags");
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let body = Box::leak(format!(r#"{{"name":"{}"}}"#, "x".repeat(5000)).into_boxed_str());
    post(&app(), "/leads", body)
        .await
        .problem(413, "payload_too_large");
}

#[tokio::test]
async fn an_id_that_cannot_be_one_is_answered_like_one_that_does_not_exist() {
    let app = app();
    let id = "019b76da-a800-7000-8000-0000000000ac";
    assert_eq!(get(&app, &format!("/leads/{id}")).await.text(), id);
    for bad in [
        "/leads/7",
        "/leads/%FF",
        "/leads/%00",
        "/names/a%00b",
        "/names/%FF",
    ] {
        let answer = get(&app, bad).await;
        let missing = answer.problem(404, "not_found");
        assert_eq!(
            (&missing["detail"], &missing["errors"]),
            (&().into(), &().into()),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_bad_query_is_422_and_names_the_parameter() {
    let app = app();
    assert_eq!(
        get(&app, "/leads?limit=3&search=a%20b").await.text(),
        r#"Some(3) Some("a b")"#
    );
    let fault = async |query: &str| get(&app, &format!("/leads?{query}")).await.fault();
    let expected = |place: &str, code: &str| (place.to_owned(), code.to_owned());
    assert_eq!(
        fault("limit=many").await,
        expected("limit", "invalid_value")
    );
    assert_eq!(
        fault("limit=1&limit=2").await,
        expected("limit", "duplicate_field")
    );
    assert_eq!(fault("page=2").await, expected("page", "unknown_field"));
    assert_eq!(
        fault("search=a%00").await,
        expected("search", "nul_character")
    );
}

#[tokio::test]
async fn a_form_is_read_and_validated_like_a_body() {
    let app = app();
    let form = async |body: &'static str| {
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        send(
            &app,
            Request::post("/forms").header("content-type", kind),
            body,
        )
        .await
    };
    assert_eq!(form("name=Ada+L%C3%A4").await.json()["name"], "Ada Lä");
    assert_eq!(form("name=a#b").await.json()["name"], "a#b");
    assert_eq!(
        form("name=").await.fault(),
        ("/name".to_owned(), "blank".to_owned())
    );
    assert_eq!(
        form("").await.fault(),
        ("/name".to_owned(), "required".to_owned())
    );
    assert_eq!(form("name=a%00").await.fault().1, "nul_character");
    post(&app, "/forms", "{}")
        .await
        .problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_change_is_made_only_on_the_version_that_was_named() {
    let app = app();
    let change = async |tag: Option<&str>| {
        let request = Request::put("/leads/7");
        let request = match tag {
            Some(tag) => request.header("if-match", tag),
            None => request,
        };
        send(&app, request, "").await
    };
    for fine in [None, Some("*"), Some("\"3\""), Some("\"1\", \"3\"")] {
        let answer = change(fine).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("etag")),
            (200, Some("\"4\""))
        );
    }
    let stale = change(Some("\"2\"")).await;
    stale.problem(412, "precondition_failed");
    assert_eq!(stale.header("etag"), Some("\"3\""));
    let bare = change(Some("3")).await.fault();
    assert_eq!(bare, ("If-Match".to_owned(), "invalid_value".to_owned()));
}

#[tokio::test]
async fn an_idempotency_key_is_visible_ascii_of_at_most_255_characters() {
    let app = app();
    let keyed = async |key: &str| {
        send(
            &app,
            Request::post("/keys").header("idempotency-key", key),
            "",
        )
        .await
    };
    let longest = "k".repeat(255);
    assert_eq!(keyed(&longest).await.text(), longest);
    for bad in ["", "two words", &"k".repeat(256)] {
        assert_eq!(keyed(bad).await.fault().0, "Idempotency-Key");
    }
    assert_eq!(send(&app, Request::post("/keys"), "").await.text(), "none");
}
