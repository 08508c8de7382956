//! Several SCIM operations in one request, and lists in another order.

use bz_testkit::{Client, Role, Tenant, TestResponse};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    scim::{GROUPS, USERS, assert_error, directory, path, post},
    support::start,
};

const BULK: &str = "/scim/v2/Bulk";

async fn bulk(client: &Client, body: Value) -> TestResponse {
    post(client, BULK, body).await
}

fn user(name: &str, bulk_id: &str) -> Value {
    let data = json!({ "userName": format!("{name}@acme.test"), "displayName": name });
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data })
}

fn statuses(answer: &Value) -> Vec<&str> {
    let all = answer["Operations"].as_array().unwrap();
    all.iter()
        .map(|one| one["status"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn users_and_the_group_that_names_them_are_made_in_one_request_whatever_their_order() {
    let app = start().await;
    let client = directory(&app);
    let members = json!([{ "value": "bulkId:ada" }, { "value": "bulkId:bob" }]);
    let group = json!({ "displayName": "Crew", "members": members });
    let operations = json!([
        { "method": "POST", "path": "/Groups", "bulkId": "crew", "data": group },
        user("ada", "ada"),
        user("bob", "bob"),
        { "method": "PATCH", "path": "/Users/bulkId:ada", "data": {
            "Operations": [{ "op": "replace", "path": "displayName", "value": "Ada L." }] } },
    ]);
    let answer = bulk(&client, json!({ "Operations": operations }))
        .await
        .assert_status(200);
    assert_eq!(answer.header("content-type"), Some("application/scim+json"));
    let answer = answer.json();
    assert_eq!(
        answer["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"])
    );
    assert_eq!(statuses(&answer), ["201", "201", "201", "200"]);
    let first = &answer["Operations"][0];
    assert_eq!(
        (&first["bulkId"], &first["method"]),
        (&json!("crew"), &json!("POST"))
    );
    let location = first["location"]
        .as_str()
        .unwrap()
        .strip_prefix("https://identity.test")
        .unwrap();
    let group = client.get(location).await.assert_status(200);
    assert_eq!(group.header("etag"), first["version"].as_str());
    assert_eq!(group.json()["members"].as_array().unwrap().len(), 2);
    let ada = client
        .get(&format!(
            "{USERS}?filter=userName%20eq%20%22ada@acme.test%22"
        ))
        .await;
    assert_eq!(ada.json()["Resources"][0]["displayName"], "Ada L.");
}

#[tokio::test]
async fn what_fails_is_said_and_leaves_the_others_until_there_are_too_many_errors() {
    let app = start().await;
    let client = directory(&app);
    let bad = json!({ "method": "POST", "path": "/Users", "bulkId": "x", "data": {} });
    let gone = json!({ "method": "DELETE", "path": "/Users/01990000-0000-7000-8000-000000000000" });
    let lost = json!({ "method": "DELETE", "path": "/Users/bulkId:nobody" });
    let operations = json!([bad, gone, lost, user("ada", "ada")]);
    let answer = bulk(&client, json!({ "Operations": operations }))
        .await
        .assert_status(200)
        .json();
    let got = statuses(&answer);
    assert_eq!(got, ["400", "404", "409", "201"]);
    for failed in &answer["Operations"].as_array().unwrap()[..3] {
        assert_eq!(failed["response"]["status"], failed["status"], "{failed}");
        assert!(failed["response"]["detail"].is_string(), "{failed}");
    }
    assert!(answer["Operations"][0].get("location").is_none());
    let operations = json!([bad, user("ada", "ada"), user("bob", "bob")]);
    let body = json!({ "failOnErrors": 2, "Operations": operations });
    let answer = bulk(&client, body).await.assert_status(200).json();
    assert_eq!(
        statuses(&answer),
        ["400", "409"],
        "ada is there, and bob is not tried"
    );
}

#[tokio::test]
async fn a_version_is_held_against_the_resource() {
    let app = start().await;
    let client = directory(&app);
    let made = post(&client, GROUPS, json!({ "displayName": "Crew" }))
        .await
        .json();
    let path = path(GROUPS, &made).replace("/scim/v2", "");
    let delete = |version: &str| json!({ "Operations": [{ "method": "DELETE", "path": path, "version": version }] });
    let stale = bulk(&client, delete("\"7\"")).await.json();
    assert_eq!(statuses(&stale), ["412"]);
    let done = bulk(&client, delete(made["meta"]["version"].as_str().unwrap()))
        .await
        .json();
    assert_eq!(statuses(&done), ["204"]);
}

#[tokio::test]
async fn a_bulk_is_refused_whole_when_it_makes_no_sense_or_is_too_large() {
    let app = start().await;
    let client = directory(&app);
    let with = |change: Value| {
        let mut operation = user("ada", "ada");
        for (name, value) in change.as_object().unwrap() {
            operation[name] = value.clone();
        }
        json!({ "Operations": [operation] })
    };
    for (body, scim_type) in [
        (json!({}), "invalidSyntax"),
        (json!({ "Operations": [1] }), "invalidSyntax"),
        (with(json!({ "method": "GET" })), "invalidSyntax"),
        (with(json!({ "bulkId": null })), "invalidSyntax"),
        (with(json!({ "path": "/Bulk" })), "invalidSyntax"),
        (with(json!({ "path": "/Users?filter=x" })), "invalidSyntax"),
        (
            json!({ "failOnErrors": 0, "Operations": [] }),
            "invalidValue",
        ),
    ] {
        assert_error(&bulk(&client, body).await, 400, Some(scim_type));
    }
    // A path leads to nothing but users and groups.
    for path in ["/Users/../../../auth/me", "/UsersX", "/Users/x/y"] {
        let body = json!({ "Operations": [{ "method": "DELETE", "path": path }] });
        assert_eq!(
            statuses(&bulk(&client, body).await.json())[0].get(..1),
            Some("4"),
            "{path}"
        );
    }
    let many: Vec<Value> = (0..101)
        .map(|n| user(&format!("u{n}"), &n.to_string()))
        .collect();
    assert_error(
        &bulk(&client, json!({ "Operations": many })).await,
        413,
        Some("tooMany"),
    );
    let large = json!({ "Operations": [], "x": "x".repeat(256 * 1024) });
    assert_error(&bulk(&client, large).await, 413, None);
    let config = client.get("/scim/v2/ServiceProviderConfig").await.json();
    let expected = json!({ "supported": true, "maxOperations": 100, "maxPayloadSize": 262_144 });
    assert_eq!(
        (&config["bulk"], &config["sort"]),
        (&expected, &json!({ "supported": true }))
    );
}

#[tokio::test]
async fn a_bulk_does_nothing_that_its_caller_may_not_do_and_nothing_to_other_tenants() {
    let app = start().await;
    let theirs = Tenant::Globex.user(Role::Member);
    let body =
        json!({ "Operations": [{ "method": "DELETE", "path": format!("/Users/{theirs}") }] });
    assert_error(&bulk(&app.anonymous, body.clone()).await, 401, None);
    assert_error(&bulk(&app.acme.member, body.clone()).await, 403, None);
    let answer = bulk(&directory(&app), body).await.assert_status(200).json();
    assert_eq!(statuses(&answer), ["404"]);
}

#[tokio::test]
async fn lists_come_in_the_order_that_is_asked_for() {
    let app = start().await;
    let client = directory(&app);
    for (name, external) in [("bob", Some("2")), ("Ada", Some("1")), ("eve", None)] {
        let mut body = json!({ "userName": format!("{name}@acme.test"), "displayName": name });
        if let Some(external) = external {
            body["externalId"] = json!(external);
        }
        post(&client, USERS, body).await.assert_status(201);
        app.clock.advance(TimeDelta::seconds(1));
    }
    let names = async |query: &str| -> Vec<String> {
        let filter = "filter=displayName%20eq%20%22ada%22%20or%20displayName%20eq%20%22bob%22%20or%20displayName%20eq%20%22eve%22";
        let page = client
            .get(&format!("{USERS}?{filter}&{query}"))
            .await
            .assert_status(200)
            .json();
        let all = page["Resources"].as_array().unwrap();
        all.iter()
            .map(|user| user["displayName"].as_str().unwrap().to_owned())
            .collect()
    };
    for (query, expected) in [
        ("", ["bob", "Ada", "eve"]),
        ("sortBy=displayName", ["Ada", "bob", "eve"]),
        (
            "sortBy=DISPLAYNAME&sortOrder=descending",
            ["eve", "bob", "Ada"],
        ),
        (
            "sortBy=urn:ietf:params:scim:schemas:core:2.0:User:userName&sortOrder=ascending",
            ["Ada", "bob", "eve"],
        ),
        ("sortBy=externalId", ["Ada", "bob", "eve"]),
        (
            "sortBy=externalId&sortOrder=descending",
            ["eve", "bob", "Ada"],
        ),
        (
            "sortBy=meta.created&sortOrder=descending",
            ["eve", "Ada", "bob"],
        ),
        ("sortBy=emails.type", ["bob", "Ada", "eve"]),
        ("sortOrder=descending", ["bob", "Ada", "eve"]),
    ] {
        assert_eq!(names(query).await, expected, "{query}");
    }
    for query in [
        "sortBy=nothing",
        "sortBy=name&sortOrder=x",
        "sortBy=userName;--",
    ] {
        let refused = client.get(&format!("{USERS}?{query}")).await;
        assert_error(&refused, 400, Some("invalidValue"));
    }
    let members = client.get(&format!("{GROUPS}?sortBy=members")).await;
    assert_error(&members, 400, Some("invalidValue"));
}

/// What the fuzzer found: texts and instants that Postgres does not know.
#[tokio::test]
async fn what_the_database_cannot_hold_is_a_bad_filter() {
    let app = start().await;
    let client = directory(&app);
    for filter in [
        "userName%20eq%20%22a%5Cu0000b%22",
        "meta.created%20gt%20%22-100000-01-01T00:00:00Z%22",
        "meta.created%20gt%20%22%2B200000-01-01T00:00:00Z%22",
    ] {
        let refused = client.get(&format!("{USERS}?filter={filter}")).await;
        assert_error(&refused, 400, Some("invalidFilter"));
    }
}
