//! Groups, and what SCIM asks of every operation.

use bz_kernel::ExposeSecret;
use bz_testkit::{Role, Tenant};
use http::Method;
use serde_json::json;

use crate::{
    rights::revocations,
    scim::{GROUPS, USERS, assert_error, directory, patch, path, post, send},
    support::{client_program, start},
};

#[tokio::test]
async fn a_group_is_a_role_whose_members_the_directory_names() {
    let app = start().await;
    let client = directory(&app);
    let member = Tenant::Acme.user(Role::Member);
    let group =
        json!({ "displayName": "Sales", "externalId": "g-1", "members": [{ "value": member }] });
    let made = post(&client, GROUPS, group).await.assert_status(201).json();
    let path = path(GROUPS, &made);
    let user = json!({
        "value": member, "$ref": format!("https://identity.test{USERS}/{member}"), "type": "User",
    });
    assert_eq!(
        (&made["members"], &made["externalId"]),
        (&json!([user]), &json!("g-1"))
    );
    assert_eq!(revocations(&app, member).await, 1);
    let role = format!("/api/roles/{}", made["id"].as_str().unwrap());
    let allow = json!({ "name": "Sales", "permissions": ["leads:write", "users:manage"] });
    app.acme.owner.put(&role, allow).await.assert_status(200);
    // A directory does not say who administers: the group allows more than work now.
    let viewer = Tenant::Acme.user(Role::Viewer);
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": viewer }] }]);
    assert_error(&patch(&client, &path, add.clone()).await, 403, None);
    patch(&app.acme.owner, &path, add).await.assert_status(200);
    let remove = json!([{ "op": "remove", "path": format!("members[value eq \"{member}\"]") }]);
    let left = patch(&client, &path, remove)
        .await
        .assert_status(200)
        .json();
    assert_eq!(left["members"][0]["value"], json!(viewer));
    let found = client.get(&format!("{GROUPS}?filter=members%20eq%20%22{viewer}%22"));
    assert_eq!(found.await.assert_status(200).json()["totalResults"], 1);
    let replaced = send(
        &client,
        Method::PUT,
        &path,
        json!({ "displayName": "Sellers" }),
    )
    .await;
    assert!(replaced.assert_status(200).json().get("members").is_none());
    let owner = json!({ "displayName": "Owner" });
    assert_error(
        &post(&client, GROUPS, owner).await,
        400,
        Some("invalidValue"),
    );
    client.delete(&path).await.assert_status(204);
    assert_error(&client.get(&path).await, 404, None);
}

#[tokio::test]
async fn every_operation_asks_for_a_token_and_the_permission() {
    let app = start().await;
    let id = Tenant::Acme.user(Role::Member);
    let operations = [
        ("GET", "/ServiceProviderConfig".to_owned()),
        ("GET", "/ResourceTypes".to_owned()),
        ("GET", "/ResourceTypes/User".to_owned()),
        ("GET", "/Schemas".to_owned()),
        ("GET", "/Schemas/x".to_owned()),
    ];
    let both = ["Users", "Groups"].into_iter().flat_map(|kind| {
        let one = format!("/{kind}/{id}");
        [
            ("GET", format!("/{kind}")),
            ("POST", format!("/{kind}")),
            ("GET", one.clone()),
            ("PUT", one.clone()),
            ("PATCH", one.clone()),
            ("DELETE", one),
        ]
    });
    for (method, path) in operations.into_iter().chain(both) {
        let (method, path): (Method, _) = (method.parse().unwrap(), format!("/scim/v2{path}"));
        let body = json!({ "userName": "x@acme.test", "displayName": "x", "Operations": [] });
        let anonymous = send(&app.anonymous, method.clone(), &path, body.clone()).await;
        assert_error(&anonymous, 401, None);
        assert!(anonymous.header("www-authenticate").is_some());
        assert_error(
            &send(&app.acme.member, method, &path, body).await,
            403,
            None,
        );
    }
}

#[tokio::test]
async fn what_is_no_scim_is_refused_in_its_own_form() {
    let app = start().await;
    let client = directory(&app);
    let table = [
        (json!([]), 400, Some("invalidSyntax")),
        (json!({}), 400, Some("invalidValue")),
        (json!({ "userName": 1 }), 400, Some("invalidValue")),
        (
            json!({ "userName": "no address" }),
            400,
            Some("invalidValue"),
        ),
        (
            json!({ "userName": "x".repeat(300) }),
            400,
            Some("invalidValue"),
        ),
        (
            json!({ "userName": "a\u{0}@acme.test" }),
            400,
            Some("invalidValue"),
        ),
        (
            json!({ "userName": "a@acme.test", "active": "maybe" }),
            400,
            Some("invalidValue"),
        ),
        (
            json!({ "userName": "a@acme.test", "emails": [1] }),
            400,
            Some("invalidValue"),
        ),
    ];
    for (body, status, scim_type) in table {
        assert_error(&post(&client, USERS, body).await, status, scim_type);
    }
    let half = client
        .request(Method::POST, USERS)
        .body("application/scim+json", "{\"a\":");
    assert_error(&half.await, 400, Some("invalidSyntax"));
    let form = client
        .request(Method::POST, USERS)
        .form(&[("userName", "a@acme.test")]);
    assert_error(&form.await, 415, None);
    let user = format!("{USERS}/{}", Tenant::Acme.user(Role::Member));
    let read_only = json!([{ "op": "replace", "path": "id", "value": "x" }]);
    assert_error(
        &patch(&client, &user, read_only).await,
        400,
        Some("mutability"),
    );
    assert_error(&client.get("/scim/v2/Nothing").await, 404, None);
    assert_error(&client.delete("/scim/v2/Schemas").await, 405, None);
    assert_error(
        &client.get(&format!("{USERS}?count=x")).await,
        400,
        Some("invalidValue"),
    );
}

/// The real client: every check of `scim2-tester` (PyPI).
#[tokio::test]
async fn scim2_tester_finds_no_fault() {
    let Some(python) = client_program("venv/bin/python") else {
        return;
    };
    let app = start().await;
    let base = app.listen().await.join("/scim/v2").unwrap();
    let client = directory(&app);
    let token = client.token().unwrap().expose_secret().to_owned();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/scim_tester.py");
    let run = tokio::process::Command::new(python)
        .args([script, base.as_str(), &token])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    eprintln!("{said}{}", String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && said.contains(" SUCCESS="));
    assert!(!said.contains("FAILED"));
}
