//! Introspection and revocation, and users who are gone.

use bz_testkit::{Role, Tenant};
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    provider::{Application, Browser, introspect, owner, post, statuses, text, token},
    support::{address, start},
};

#[tokio::test]
async fn introspection_is_for_the_tenants_own_applications_that_have_a_secret() {
    let app = start().await;
    let client = Application::register(&app).await;
    let tokens = client.tokens(&app, &owner()).await;
    let (access, refresh) = (
        text(&tokens["access_token"]),
        text(&tokens["refresh_token"]),
    );
    let answer = introspect(&app, &client, access).await;
    assert_eq!(
        (
            &answer["active"],
            &answer["client_id"],
            &answer["token_type"],
            &answer["scope"]
        ),
        (
            &json!(true),
            &json!(client.client_id),
            &json!("Bearer"),
            &tokens["scope"]
        )
    );
    assert_eq!(
        introspect(&app, &client, refresh).await["token_type"],
        "refresh_token"
    );
    // Another application of the tenant may know of access tokens, which it may be sent; not of refresh tokens.
    let sibling = Application::register(&app).await;
    assert_eq!(introspect(&app, &sibling, access).await["active"], true);
    assert_eq!(
        introspect(&app, &sibling, refresh).await,
        json!({ "active": false })
    );
    let theirs = json!({ "name": "Theirs", "redirect_uris": ["https://a.example/"], "token_endpoint_auth_method": "client_secret_post" });
    let theirs = app
        .globex
        .owner
        .post("/api/oauth-clients", theirs)
        .await
        .json();
    let fields = [
        ("token", access),
        ("client_id", text(&theirs["client_id"])),
        ("client_secret", text(&theirs["client_secret"])),
    ];
    let foreign = post(&app, "/oauth2/introspect", &fields)
        .await
        .assert_status(200);
    assert_eq!(foreign.json(), json!({ "active": false }));

    let public = Application::with(&app, json!({ "token_endpoint_auth_method": "none" })).await;
    let nobody = [("token", access), ("client_id", &*public.client_id)];
    let answer = post(&app, "/oauth2/introspect", &nobody)
        .await
        .assert_status(401);
    assert_eq!(answer.json()["error"], "invalid_client");
    post(&app, "/oauth2/introspect", &fields[1..])
        .await
        .assert_status(400);
    post(&app, "/oauth2/introspect", &[("token", access)])
        .await
        .assert_status(401);
    app.clock.advance(TimeDelta::minutes(11));
    assert_eq!(
        introspect(&app, &client, access).await,
        json!({ "active": false })
    );
    assert_eq!(introspect(&app, &client, refresh).await["active"], true);
}

#[tokio::test]
async fn a_token_that_is_given_back_ends_its_session_if_it_is_the_clients_own() {
    let app = start().await;
    let client = Application::register(&app).await;
    let other = Application::register(&app).await;
    for kind in ["refresh_token", "access_token"] {
        let tokens = client.tokens(&app, &owner()).await;
        let revoke = async |by: &Application, token: &str| {
            let fields = [
                ("token", token),
                ("client_id", &by.client_id),
                ("client_secret", &by.secret),
            ];
            post(&app, "/oauth2/revoke", &fields)
                .await
                .assert_status(200);
        };
        revoke(&other, text(&tokens[kind])).await;
        revoke(&client, "garbage").await;
        revoke(
            &client,
            &text(&tokens["refresh_token"]).replace("rt1.", "rt1.A"),
        )
        .await;
        assert_eq!(
            introspect(&app, &client, text(&tokens["access_token"])).await["active"],
            true
        );
        revoke(&client, text(&tokens[kind])).await;
        revoke(&client, text(&tokens[kind])).await;
        assert_eq!(
            introspect(&app, &client, text(&tokens["access_token"])).await["active"],
            false
        );
        client
            .refresh(&app, &tokens["refresh_token"], "")
            .await
            .assert_status(400);
    }
    post(
        &app,
        "/oauth2/revoke",
        &[("token", "x"), ("client_id", &client.client_id)],
    )
    .await
    .assert_status(401);
}

#[tokio::test]
async fn a_user_who_is_disabled_or_gone_has_no_tokens() {
    let app = start().await;
    let client = Application::register(&app).await;
    let viewer = address(Tenant::Acme, Role::Viewer);
    let tokens = client.tokens(&app, &viewer).await;
    let mut browser = Browser::new(&app);
    let code = browser.code(&client.request(&[]), &viewer).await;
    sqlx::query("UPDATE identity.users SET status = 'disabled' WHERE email = $1")
        .bind(&viewer)
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    token(&app, &client.redemption(&code))
        .await
        .assert_status(400);
    client
        .refresh(&app, &tokens["refresh_token"], "")
        .await
        .assert_status(400);
    assert_eq!(statuses(&app, text(&tokens["access_token"])).await.1, 401);
    let page = browser
        .authorize(&client.request(&[]))
        .await
        .assert_status(200);
    assert!(page.text().contains("name=\"password\""));
}
