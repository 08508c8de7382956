//! What the tests of records share.

use bz_kernel::UserId;
use bz_testkit::{Client, Role, Tenant, TestApp, TestResponse};
use chrono::TimeDelta;
use crm::Crm;
use serde_json::Value;

/// Creates something, a second after what was created before: ids are ordered by time.
pub async fn made(app: &TestApp<Crm>, client: &Client, path: &str, body: Value) -> Value {
    app.clock.advance(TimeDelta::seconds(1));
    client.post(path, body).await.assert_status(201).json()
}

/// A member text of a document.
pub fn text(document: &Value, name: &str) -> String {
    document[name].as_str().unwrap_or_default().to_owned()
}

/// One member of every item of a list.
pub async fn column(client: &Client, path: &str, name: &str) -> Vec<Value> {
    let page = client.get(path).await.assert_status(200).json();
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item[name].clone())
        .collect()
}

/// The same of all pages, two items each.
pub async fn all_pages(client: &Client, path: &str, name: &str) -> Vec<Value> {
    let first = format!(
        "{path}{}limit=2",
        if path.contains('?') { '&' } else { '?' }
    );
    let (mut seen, mut next) = (Vec::new(), first.clone());
    loop {
        let page = client.get(&next).await.assert_status(200).json();
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item[name].clone()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            return seen;
        };
        next = format!("{first}&cursor={cursor}");
    }
}

/// The parameters or pointers of a problem's faults, with their codes.
pub fn faults(response: &TestResponse) -> Vec<String> {
    let errors = response.json()["errors"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let fault = |error: &Value| {
        let place = error["parameter"].as_str().or(error["pointer"].as_str());
        format!("{} {}", place.unwrap_or_default(), text(error, "code"))
    };
    errors.iter().map(fault).collect()
}

/// Acme's user of a role, or the user with this number, who has that role.
pub fn user(app: &TestApp<Crm>, number: u128, role: &str) -> (UserId, Client) {
    let user = UserId::from_uuid(uuid::Uuid::from_u128(
        Tenant::Acme.user(Role::Viewer).as_uuid().as_u128() + 100 + number,
    ));
    let claims = app.tokens.user_claims(Tenant::Acme, user, &[role]);
    let client = app.acme.owner.with_token(app.tokens.sign(&claims));
    (user, client)
}
