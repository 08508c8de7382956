//! Whether every operation answers nonsense with a problem of the client, never with one of its own.

use http::Method;
use serde_json::{Value, json};

use super::Subject;
use crate::{
    Client, TestResponse,
    client::TestRequest,
    openapi::{Document, Operation, Place, RequestBody, type_of},
};

/// A value that is longer than anything sensible and still fits in a request.
const LONG: usize = 20_000;

/// A request that makes no sense.
struct Nonsense {
    what: String,
    uri: String,
    body: Option<(String, Vec<u8>)>,
    /// Whether it must be refused; otherwise it only must not break anything.
    refused: bool,
}

/// What is answered wrongly, one line each.
pub async fn faults(subject: &Subject<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for operation in subject.document.operations() {
        for nonsense in all(subject.document, &operation) {
            let answer = send(&subject.acme.owner, &operation.method, &nonsense).await;
            if let Some(fault) = fault(&answer, nonsense.refused) {
                faults.push(format!(
                    "{} with {}: {fault}",
                    operation.name(),
                    nonsense.what
                ));
            }
        }
    }
    faults
}

async fn send(client: &Client, method: &Method, nonsense: &Nonsense) -> TestResponse {
    let request: TestRequest = client.request(method.clone(), &nonsense.uri);
    match &nonsense.body {
        Some((content_type, body)) => request.body(content_type, body.clone()).headed().await,
        None => request.headed().await,
    }
}

fn fault(answer: &TestResponse, refused: bool) -> Option<String> {
    let status = answer.status.as_u16();
    if status >= 500 {
        return Some(format!("its own fault: {}", answer.describe()));
    }
    if status < 400 {
        return refused.then(|| format!("accepted with {status}"));
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let whole = answer.problem_code().is_some()
        && body["status"] == status
        && body["request_id"].is_string();
    (!whole).then(|| format!("not a whole problem: {}", answer.describe()))
}

fn all(document: &Document, operation: &Operation) -> Vec<Nonsense> {
    let uri = operation.uri(document, &operation.sample_path(document));
    let mut all = paths(document, operation);
    all.extend(queries(operation, &uri));
    if let Some(body) = &operation.body {
        all.extend(
            bodies(body)
                .into_iter()
                .map(|(what, content_type, bytes, refused)| Nonsense {
                    what,
                    uri: uri.clone(),
                    body: Some((content_type, bytes)),
                    refused,
                }),
        );
    }
    all
}

fn paths(document: &Document, operation: &Operation) -> Vec<Nonsense> {
    let good = operation.sample_path(document);
    let long = "a".repeat(LONG);
    let mut all = Vec::new();
    for (n, parameter) in operation.path_parameters().enumerate() {
        let is_id = parameter.schema["format"] == "uuid";
        for value in ["not-an-id", "%00", "%FF", "-1", "%27%20OR%201%3D1", &long] {
            let mut path = good.clone();
            value.clone_into(&mut path[n]);
            all.push(Nonsense {
                what: format!("{} = {value:.20}", parameter.name),
                uri: operation.uri(document, &path),
                body: operation
                    .body
                    .as_ref()
                    .map(|body| (body.content_type.clone(), body.encode(&body.sample))),
                refused: is_id,
            });
        }
    }
    all
}

fn queries(operation: &Operation, uri: &str) -> Vec<Nonsense> {
    let with = |name: &str, value: &str, refused| Nonsense {
        what: format!("?{name}={value:.20}"),
        uri: format!(
            "{uri}{}{name}={value}",
            if uri.contains('?') { '&' } else { '?' }
        ),
        body: operation
            .body
            .as_ref()
            .map(|body| (body.content_type.clone(), body.encode(&body.sample))),
        refused,
    };
    let long = "a".repeat(LONG);
    let mut all = Vec::new();
    for parameter in operation
        .parameters
        .iter()
        .filter(|parameter| parameter.place == Place::Query)
    {
        let name = parameter.name.as_str();
        let is_number = matches!(type_of(&parameter.schema), "integer" | "number");
        for value in ["", "%00", "%FF", "%F0%9F%98%80", "a,b", &long] {
            all.push(with(name, value, is_number));
        }
        for value in ["0", "-1", "99999999999999999999999"] {
            all.push(with(name, value, name == "limit"));
        }
        if name == "cursor" {
            all.push(with(name, "bm90LWEtY3Vyc29y", true));
        }
    }
    all
}

type Body = (String, String, Vec<u8>, bool);

fn bodies(body: &RequestBody) -> Vec<Body> {
    let of = |what: &str, bytes: &[u8], refused| {
        (
            what.to_owned(),
            body.content_type.clone(),
            bytes.to_vec(),
            refused,
        )
    };
    let mut all = vec![
        of("bytes that are no text", b"\xff\xfe\x00", true),
        (
            "a media type that it does not take".to_owned(),
            "application/x-nonsense".to_owned(),
            body.encode(&body.sample),
            true,
        ),
    ];
    if body.content_type == "application/json" || body.content_type.ends_with("+json") {
        let takes_objects = body.schema["properties"].is_object();
        all.push(of("no body", b"", true));
        all.push(of("half a body", b"{\"a\":", true));
        all.push(of(
            "brackets without end",
            "[".repeat(LONG).as_bytes(),
            true,
        ));
        for (what, text) in [
            ("a list", "[]"),
            ("null", "null"),
            ("a text", "\"x\""),
            ("a number", "1e999"),
        ] {
            all.push(of(what, text.as_bytes(), takes_objects));
        }
        all.push(of("an empty object", b"{}", false));
        all.extend(
            members(body)
                .into_iter()
                .map(|(what, value, refused)| of(&what, &body.encode(&value), refused)),
        );
    }
    all
}

/// The sample with one member made wrong.
fn members(body: &RequestBody) -> Vec<(String, Value, bool)> {
    let with = |name: &str, value: Value| {
        let mut all = body.sample.clone();
        all[name] = value;
        all
    };
    let mut all = Vec::new();
    if body.sample.is_object() && body.schema["properties"].is_object() {
        let open = body.schema["additionalProperties"] != false;
        all.push((
            "an unknown member".to_owned(),
            with("no_such_member", json!(1)),
            !open,
        ));
    }
    for (name, schema) in body.properties() {
        let kind = type_of(&schema);
        let values = [
            (
                json!({ "no_such_member": [] }),
                matches!(kind, "string" | "integer" | "number" | "boolean" | "array"),
            ),
            (
                json!([{}]),
                matches!(kind, "string" | "integer" | "number" | "boolean" | "object"),
            ),
            (
                json!("\u{0}"),
                matches!(kind, "string" | "integer" | "number" | "boolean"),
            ),
            (
                json!("a".repeat(LONG)),
                matches!(kind, "integer" | "number" | "boolean"),
            ),
            (json!(-1), kind == "string"),
            (json!(99_999_999_999_999_999_999_f64), kind == "string"),
            (
                json!("0000-00-00T99:99:99Z"),
                matches!(kind, "integer" | "number" | "boolean"),
            ),
        ];
        for (value, refused) in values {
            let shown = value.to_string();
            all.push((format!("{name} = {shown:.20}"), with(&name, value), refused));
        }
    }
    all
}
