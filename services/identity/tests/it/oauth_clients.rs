//! The API of OAuth clients.

use bz_testkit::TestResponse;
use serde_json::{Value, json};

use crate::{
    provider::{Application, Browser, token},
    support::{IdentityApp, start},
};

fn request() -> Value {
    json!({ "name": "Superset", "redirect_uris": ["https://superset.example.com/cb"] })
}

async fn create(app: &IdentityApp) -> Value {
    let created = app.acme.owner.post("/api/oauth-clients", request()).await;
    created.assert_status(201).json()
}

fn path(client: &Value) -> String {
    format!("/api/oauth-clients/{}", client["id"].as_str().unwrap())
}

fn without_secret(client: &Value) -> Value {
    let mut client = client.clone();
    client.as_object_mut().unwrap().remove("client_secret");
    client
}

#[tokio::test]
async fn a_client_is_created_read_changed_and_deleted() {
    let app = start().await;
    let owner = &app.acme.owner;
    let created = create(&app).await;
    assert!(created["client_id"].as_str().unwrap().starts_with("oc_"));
    assert!(
        created["client_secret"]
            .as_str()
            .unwrap()
            .starts_with("ocs_")
    );
    assert_eq!(
        created["allowed_scopes"],
        json!(["openid", "profile", "email"])
    );
    assert_eq!(created["grant_types"], json!(["authorization_code"]));
    let read = owner.get(&path(&created)).await.assert_status(200);
    assert_eq!(
        (read.json(), read.header("etag")),
        (without_secret(&created), Some("\"1\""))
    );
    let listed = owner
        .get("/api/oauth-clients")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        listed,
        json!({ "items": [without_secret(&created)], "next_cursor": null })
    );
    let mapping = json!({ "claim": "groups", "roles": { "owner": "Admin" } });
    let change = json!({ "name": "BI", "role_claim_mapping": mapping, "grant_types": ["authorization_code", "refresh_token"] });
    let changed = owner
        .patch(&path(&created), change)
        .header("if-match", "\"1\"")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (
            &changed["name"],
            &changed["role_claim_mapping"],
            &changed["version"]
        ),
        (&json!("BI"), &mapping, &json!(2))
    );
    let stale = owner
        .patch(&path(&created), json!({ "name": "x" }))
        .header("if-match", "\"1\"")
        .await;
    stale.assert_problem(412, "precondition_failed");
    let cleared = owner
        .patch(&path(&created), json!({ "role_claim_mapping": null }))
        .await
        .json();
    assert_eq!(
        (&cleared["role_claim_mapping"], &cleared["name"]),
        (&Value::Null, &json!("BI"))
    );
    owner.delete(&path(&created)).await.assert_status(204);
    owner
        .get(&path(&created))
        .await
        .assert_problem(404, "not_found");
    owner
        .delete(&path(&created))
        .await
        .assert_problem(404, "not_found");
    let actions: Vec<String> =
        sqlx::query_scalar("SELECT action FROM identity.audit_log ORDER BY action")
            .fetch_all(&mut app.database.admin().await)
            .await
            .unwrap();
    let all =
        ["created", "deleted", "updated", "updated"].map(|verb| format!("oauth_client.{verb}"));
    assert_eq!(actions, all);
}

#[tokio::test]
async fn the_same_creation_sent_again_gets_the_same_client_and_secret() {
    let app = start().await;
    let send = async || -> TestResponse {
        let request = app.acme.owner.post("/api/oauth-clients", request());
        request
            .header("idempotency-key", "k1")
            .await
            .assert_status(201)
    };
    let (first, second) = (send().await, send().await);
    assert_eq!(first.json(), second.json());
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    let kept: Vec<u8> = sqlx::query_scalar("SELECT body FROM identity.idempotency_keys")
        .fetch_one(&mut app.database.admin().await)
        .await
        .unwrap();
    assert!(!String::from_utf8(kept).unwrap().contains("ocs_"));
}

#[tokio::test]
async fn two_secrets_are_good_after_a_rotation_and_never_three() {
    let app = start().await;
    let client = Application::register(&app).await;
    let path = format!("/api/oauth-clients/{}/rotate-secret", client.id);
    let rotate = async || {
        let rotated = app
            .acme
            .owner
            .post(&path, json!({}))
            .await
            .assert_status(200)
            .json();
        assert_eq!(rotated["has_previous_secret"], true);
        Application {
            secret: rotated["client_secret"].as_str().unwrap().to_owned(),
            ..client.clone()
        }
    };
    let second = rotate().await;
    let third = rotate().await;
    let mut browser = Browser::new(&app);
    for (client, status) in [(&client, 401), (&second, 200), (&third, 200)] {
        let code = browser.code(&client.request(&[]), "owner@acme.test").await;
        token(&app, &client.redemption(&code))
            .await
            .assert_status(status);
    }
    let public = Application::with(&app, json!({ "token_endpoint_auth_method": "none" })).await;
    let path = format!("/api/oauth-clients/{}/rotate-secret", public.id);
    app.acme
        .owner
        .post(&path, json!({}))
        .await
        .assert_problem(409, "client_without_secret");
    let nobodys = path.replace(&public.id, "019b76da-a800-7000-8000-00000000dead");
    app.acme
        .owner
        .post(&nobodys, json!({}))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn what_ends_with_a_client_is_all_that_it_had() {
    let app = start().await;
    let client = Application::register(&app).await;
    let tokens = client.tokens(&app, "owner@acme.test").await;
    let path = format!("/api/oauth-clients/{}", client.id);
    app.acme.owner.delete(&path).await.assert_status(204);
    client
        .refresh(&app, &tokens["refresh_token"], "")
        .await
        .assert_status(401);
    let bearer = app
        .anonymous
        .with_token(tokens["access_token"].as_str().unwrap());
    bearer.get("/oauth2/userinfo").await.assert_status(401);
    let revoked: i64 =
        sqlx::query_scalar("SELECT count(*) FROM identity.revocations WHERE kind = 'session'")
            .fetch_one(&mut app.database.admin().await)
            .await
            .unwrap();
    assert_eq!(revoked, 1);
}

#[tokio::test]
async fn clients_are_for_those_who_may_manage_them_in_their_own_tenant() {
    let app = start().await;
    let created = create(&app).await;
    let (path, rotate) = (path(&created), format!("{}/rotate-secret", path(&created)));
    for member in [&app.acme.member, &app.acme.viewer] {
        member
            .get("/api/oauth-clients")
            .await
            .assert_problem(403, "forbidden");
        member
            .post("/api/oauth-clients", request())
            .await
            .assert_problem(403, "forbidden");
        member.get(&path).await.assert_problem(403, "forbidden");
        member
            .patch(&path, json!({}))
            .await
            .assert_problem(403, "forbidden");
        member.delete(&path).await.assert_problem(403, "forbidden");
        member
            .post(&rotate, json!({}))
            .await
            .assert_problem(403, "forbidden");
    }
    let theirs = &app.globex.owner;
    assert_eq!(
        theirs.get("/api/oauth-clients").await.json()["items"],
        json!([])
    );
    theirs.get(&path).await.assert_problem(404, "not_found");
    theirs
        .patch(&path, json!({}))
        .await
        .assert_problem(404, "not_found");
    theirs.delete(&path).await.assert_problem(404, "not_found");
    theirs
        .post(&rotate, json!({}))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_its_place() {
    let app = start().await;
    let refused = [
        (json!({ "name": "" }), "/name"),
        (json!({ "name": "a\nb" }), "/name"),
        (json!({ "redirect_uris": [] }), "/redirect_uris"),
        (
            json!({ "redirect_uris": ["https://a.example/", "http://a.example/"] }),
            "/redirect_uris/1",
        ),
        (
            json!({ "post_logout_redirect_uris": ["javascript:alert(1)"] }),
            "/post_logout_redirect_uris/0",
        ),
        (json!({ "grant_types": ["refresh_token"] }), "/grant_types"),
        (
            json!({ "grant_types": ["authorization_code", "client_credentials"] }),
            "/grant_types/1",
        ),
        (
            json!({ "allowed_scopes": ["openid", "everything"] }),
            "/allowed_scopes/1",
        ),
        (json!({ "allowed_scopes": [] }), "/allowed_scopes"),
        (
            json!({ "token_endpoint_auth_method": "magic" }),
            "/token_endpoint_auth_method",
        ),
        (
            json!({ "role_claim_mapping": { "claim": "sub", "roles": {} } }),
            "/role_claim_mapping/claim",
        ),
        (json!({ "client_secret": "mine" }), "/client_secret"),
        (json!({ "tenant_id": "x" }), "/tenant_id"),
    ];
    let created = create(&app).await;
    for (fields, pointer) in refused {
        let mut body = request();
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = app.acme.owner.post("/api/oauth-clients", body).await;
        let problem = answer.assert_problem(422, "validation_failed").json();
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{fields}");
        let answer = app.acme.owner.patch(&path(&created), fields.clone()).await;
        answer.assert_problem(422, "validation_failed");
    }
}
