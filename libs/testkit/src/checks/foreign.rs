//! Whether an object of another tenant answers exactly like one that does not exist.

use bz_kernel::Rng;
use serde_json::Value;
use uuid::Uuid;

use super::Subject;
use crate::{Client, TestResponse, openapi::Operation};

/// What differs, one line each. `make` makes an object of the tenant of the client that it is given, for a path such as
/// `/api/leads/{id}`, and answers the values of the path's parameters; `None` when no object of a tenant stands there.
pub async fn differences(
    subject: &Subject<'_>,
    make: impl AsyncFn(&Client, &str) -> Option<Vec<String>>,
) -> Vec<String> {
    let rng = Rng::seeded(404);
    let mut differences = Vec::new();
    for operation in subject.document.operations() {
        if operation.path_parameters().next().is_none() {
            continue;
        }
        let Some(foreign) = make(&subject.globex.owner, &operation.path).await else {
            continue;
        };
        let trial = Trial {
            subject,
            operation: &operation,
            nobodys: replaced(&foreign, &rng),
            foreign,
        };
        let found = trial.run().await;
        differences.extend(
            found
                .into_iter()
                .map(|line| format!("{}: {line}", operation.name())),
        );
    }
    differences
}

struct Trial<'a> {
    subject: &'a Subject<'a>,
    operation: &'a Operation,
    foreign: Vec<String>,
    nobodys: Vec<String>,
}

impl Trial<'_> {
    async fn run(&self) -> Option<String> {
        if self.foreign == self.nobodys {
            return Some("the values given for its path have no id".to_owned());
        }
        let acme = &self.subject.acme.owner;
        let to_nobodys = self.call(acme, &self.nobodys).await;
        let to_foreign = self.call(acme, &self.foreign).await;
        if to_nobodys.status != 404 {
            return Some(format!(
                "an id that does not exist is no 404: {}",
                to_nobodys.describe()
            ));
        }
        let shown =
            |answer: &TestResponse, ids: &[String]| (answer.status, normalized(answer, ids));
        let (nothing, foreign) = (
            shown(&to_nobodys, &self.nobodys),
            shown(&to_foreign, &self.foreign),
        );
        if nothing != foreign {
            return Some(format!(
                "{}, but {}",
                to_nobodys.describe(),
                to_foreign.describe()
            ));
        }
        // The object was there all the time, and still is.
        let own = self.call(&self.subject.globex.owner, &self.foreign).await;
        (own.status == 404 || own.status.is_server_error()).then(|| {
            format!(
                "the object's own tenant gets no good answer: {}",
                own.describe()
            )
        })
    }

    async fn call(&self, client: &Client, path: &[String]) -> TestResponse {
        let uri = self.operation.uri(self.subject.document, path);
        self.operation.request(client, &uri).headed().await
    }
}

/// The same values with ids that nobody has.
fn replaced(values: &[String], rng: &Rng) -> Vec<String> {
    let fresh = |value: &String| match Uuid::parse_str(value) {
        Ok(_) => uuid::Builder::from_unix_timestamp_millis(1_772_442_000_000, &rng.bytes())
            .into_uuid()
            .to_string(),
        Err(_) => value.clone(),
    };
    values.iter().map(fresh).collect()
}

/// The body without what differs between any two requests.
fn normalized(answer: &TestResponse, ids: &[String]) -> Value {
    let mut text = String::from_utf8_lossy(&answer.body).into_owned();
    for id in ids {
        text = text.replace(id, "<id>");
    }
    let mut body: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| name != "request_id" && name != "instance");
    }
    body
}
