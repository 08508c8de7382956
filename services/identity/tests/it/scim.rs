use bz_testkit::{Client, Role, Tenant, TestResponse};
use http::Method;
use serde_json::{Value, json};

use crate::{
    roles::told,
    support::{IdentityApp, PASSWORD, address, login, refresh, start, with_rights},
};

pub(crate) const USERS: &str = "/scim/v2/Users";
pub(crate) const GROUPS: &str = "/scim/v2/Groups";

/// A directory that may provision and nothing else.
pub(crate) fn directory(app: &IdentityApp) -> Client {
    let viewer = Tenant::Acme.user(Role::Viewer);
    with_rights(app, viewer, &[], &["scim:manage"])
}

pub(crate) async fn send(client: &Client, method: Method, path: &str, body: Value) -> TestResponse {
    let request = client.request(method, path);
    request
        .body("application/scim+json", body.to_string())
        .await
}

pub(crate) async fn post(client: &Client, path: &str, body: Value) -> TestResponse {
    send(client, Method::POST, path, body).await
}

pub(crate) async fn patch(client: &Client, path: &str, operations: Value) -> TestResponse {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations,
    });
    send(client, Method::PATCH, path, body).await
}

#[track_caller]
pub(crate) fn assert_error(answer: &TestResponse, status: u16, scim_type: Option<&str>) {
    let body = answer.json();
    assert_eq!(
        (
            answer.status.as_u16(),
            &body["status"],
            body["scimType"].as_str()
        ),
        (status, &json!(status.to_string()), scim_type),
        "{}",
        answer.describe()
    );
    assert_eq!(answer.header("content-type"), Some("application/scim+json"));
    let schemas = json!(["urn:ietf:params:scim:api:messages:2.0:Error"]);
    assert_eq!(body["schemas"], schemas);
}

fn ada() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "Ada.L", "externalId": "x-1",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "emails": [{ "value": "old@acme.test" }, { "value": "Ada@acme.test", "primary": true }], "title": "ignored",
    })
}

pub(crate) fn path(collection: &str, resource: &Value) -> String {
    format!("{collection}/{}", resource["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_user_is_made_read_changed_and_deleted() {
    let app = start().await;
    let client = directory(&app);
    let answer = post(&client, USERS, ada()).await.assert_status(201);
    let made = answer.json();
    let path = path(USERS, &made);
    let location = format!("https://identity.test{path}");
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!(
        made,
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": made["id"], "userName": "Ada.L",
            "externalId": "x-1", "displayName": "Ada Lovelace", "active": true,
            "name": { "givenName": "Ada", "familyName": "Lovelace" },
            "emails": [{ "value": "ada@acme.test", "type": "work" }],
            "meta": {
                "resourceType": "User", "created": "2026-03-02T09:00:00.000000Z",
                "lastModified": "2026-03-02T09:00:00.000000Z", "location": location, "version": "\"2\"",
            },
        })
    );
    let read = client.get(&path).await.assert_status(200);
    assert_eq!(read.header("etag"), Some("\"2\""));
    assert_eq!(read.json(), made);
    let member = app
        .acme
        .viewer
        .get(&format!("/api/members/{}", made["id"].as_str().unwrap()));
    assert_eq!(
        member.await.assert_status(200).json()["roles"][0]["id"],
        "member"
    );
    // What directories send: names in any case, truth as text, parts by their names.
    let operations = json!([
        { "op": "Replace", "path": "displayname", "value": "Countess" },
        { "op": "Replace", "value": { "active": "False", "name.familyName": "King" } },
    ]);
    let changed = patch(&client, &path, operations)
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (
            &changed["displayName"],
            &changed["active"],
            &changed["name"]["familyName"]
        ),
        (&json!("Countess"), &json!(false), &json!("King"))
    );
    let minimal = json!({ "userName": "ada@acme.test" });
    let replaced = send(&client, Method::PUT, &path, minimal).await;
    let replaced = replaced.assert_status(200).json();
    assert!(replaced.get("name").is_none() && replaced.get("externalId").is_none());
    assert_eq!(replaced["active"], true);
    let stale = client.delete(&path).header("if-match", "\"2\"").await;
    assert_error(&stale, 412, None);
    client.delete(&path).await.assert_status(204);
    assert_error(&client.get(&path).await, 404, None);
    assert_eq!(
        told(&app, "user.%").await,
        [
            "user.created",
            "user.deleted",
            "user.disabled",
            "user.enabled"
        ]
    );
}

#[tokio::test]
async fn users_are_found_by_filters_and_read_in_pages() {
    let app = start().await;
    let client = directory(&app);
    post(&client, USERS, ada()).await.assert_status(201);
    let find = async |query: &str| -> (i64, Vec<String>) {
        let mut uri = url::form_urlencoded::Serializer::new(format!("{USERS}?"));
        for part in query.split('&') {
            let (name, value) = part.split_once('=').unwrap();
            uri.append_pair(name, value);
        }
        let page = client.get(&uri.finish()).await.assert_status(200).json();
        let users = page["Resources"].as_array().unwrap().iter();
        let names = users.map(|user| user["userName"].as_str().unwrap().to_owned());
        (page["totalResults"].as_i64().unwrap(), names.collect())
    };
    let table = [
        (r#"filter=userName eq "ADA.l""#, &["Ada.L"][..]),
        (r#"filter=externalId eq "x-1""#, &["Ada.L"]),
        (r#"filter=externalId eq "X-1""#, &[]),
        (
            r#"filter=emails[type eq "work" and value sw "ADA@"]"#,
            &["Ada.L"],
        ),
        (
            r#"filter=name.givenName co "d" and not (active eq false)"#,
            &["Ada.L"],
        ),
        (
            r#"filter=userName sw "owner" or userName ew "L""#,
            &["owner@acme.test", "Ada.L"],
        ),
        (r#"filter=externalId pr"#, &["Ada.L"]),
        (r#"filter=userName eq "owner@globex.test""#, &[]),
        (r#"filter=userName co "%""#, &[]),
        (r#"filter=userName eq "' OR 1=1 --""#, &[]),
        (r#"filter=meta.created gt "2027-01-01T00:00:00Z""#, &[]),
    ];
    for (query, expected) in table {
        let (total, mut names) = find(query).await;
        names.sort_unstable_by(|one, other| other.cmp(one));
        assert_eq!(names, expected, "{query}");
        assert_eq!(usize::try_from(total).unwrap(), expected.len(), "{query}");
    }
    assert_eq!(find("count=0").await, (5, vec![]));
    assert_eq!(find("startIndex=-5&count=-1").await, (5, vec![]));
    let (total, first) = find("startIndex=1&count=3").await;
    let (_, rest) = find("startIndex=4&count=3").await;
    assert_eq!((total, first.len(), rest.len()), (5, 3, 2));
    assert!(first.iter().all(|name| !rest.contains(name)));
    for wrong in [
        "userName",
        "shoeSize eq 1",
        "userName eq 1",
        "active co \"t\"",
        "a eq \"x",
    ] {
        let mut uri = url::form_urlencoded::Serializer::new(format!("{USERS}?"));
        let answer = client.get(&uri.append_pair("filter", wrong).finish()).await;
        assert_error(&answer, 400, Some("invalidFilter"));
    }
}

#[tokio::test]
async fn whoever_leaves_the_directory_is_out_at_once_but_for_the_last_owner() {
    let app = start().await;
    let client = directory(&app);
    for (role, deactivate) in [(Role::Member, true), (Role::Admin, false)] {
        let email = address(Tenant::Acme, role);
        let session = login(&app, &email, PASSWORD)
            .await
            .assert_status(200)
            .json();
        let path = format!("{USERS}/{}", Tenant::Acme.user(role));
        if deactivate {
            let off = json!([{ "op": "replace", "path": "active", "value": false }]);
            patch(&client, &path, off).await.assert_status(200);
        } else {
            client.delete(&path).await.assert_status(204);
        }
        assert_eq!(refresh(&app, &session["refresh_token"]).await.status, 401);
        login(&app, &email, PASSWORD)
            .await
            .assert_problem(401, "invalid_credentials");
    }
    let owner = format!("{USERS}/{}", Tenant::Acme.user(Role::Owner));
    assert_error(&client.delete(&owner).await, 409, None);
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    assert_error(&patch(&client, &owner, off).await, 409, None);
    // Nobody takes an owner over by giving them another address.
    let emails =
        json!([{ "op": "replace", "path": "emails", "value": [{ "value": "eve@acme.test" }] }]);
    assert_error(&patch(&client, &owner, emails).await, 403, None);
}

/// Pitfall 39: what SCIM answers tells nothing of other tenants: an address or a name that is taken there is free here,
/// and a user or a group of another tenant is answered like one that does not exist.
#[tokio::test]
async fn nothing_of_another_tenant_shows() {
    let app = start().await;
    let client = directory(&app);
    let taken_elsewhere = json!({ "userName": "member@globex.test" });
    post(&client, USERS, taken_elsewhere)
        .await
        .assert_status(201);
    let taken_here = json!({ "userName": "Member@acme.test" });
    assert_error(
        &post(&client, USERS, taken_here).await,
        409,
        Some("uniqueness"),
    );
    let group = json!({ "displayName": "Sales" });
    let foreign = post(&app.globex.owner, GROUPS, group.clone()).await;
    let foreign_group = path(GROUPS, &foreign.assert_status(201).json());
    post(&client, GROUPS, group.clone())
        .await
        .assert_status(201);
    assert_error(&post(&client, GROUPS, group).await, 409, Some("uniqueness"));
    let foreign_user = format!("{USERS}/{}", Tenant::Globex.user(Role::Member));
    let nobody = uuid::Uuid::max();
    let operations = json!([{ "op": "replace", "path": "externalId", "value": "x" }]);
    for (collection, foreign) in [(USERS, foreign_user), (GROUPS, foreign_group)] {
        let missing = format!("{collection}/{nobody}");
        let put = json!({ "userName": "x@acme.test", "displayName": "x" });
        for (one, other) in [
            (client.get(&foreign).await, client.get(&missing).await),
            (client.delete(&foreign).await, client.delete(&missing).await),
            (
                patch(&client, &foreign, operations.clone()).await,
                patch(&client, &missing, operations.clone()).await,
            ),
            (
                send(&client, Method::PUT, &foreign, put.clone()).await,
                send(&client, Method::PUT, &missing, put.clone()).await,
            ),
        ] {
            assert_error(&one, 404, None);
            assert_eq!(one.json(), other.json());
        }
    }
    let members = json!([{ "value": Tenant::Globex.user(Role::Member) }]);
    let group = json!({ "displayName": "Other", "members": members });
    assert_error(
        &post(&client, GROUPS, group).await,
        400,
        Some("invalidValue"),
    );
}
