//! Links to dashboards: made, shown without a login, ended.

use analytics::Analytics;
use bz_testkit::{Client, Tenant, TestApp};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    board_data::advertised,
    boards::{board, create, path},
};

async fn share(client: &Client, dashboard: &Value, wanted: Value) -> Value {
    let made = client
        .post(&format!("{}/share", path(dashboard)), wanted)
        .await;
    made.assert_status(201).json()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn a_link_shows_the_dashboard_without_a_login_as_data_and_as_a_page() {
    let app = TestApp::<Analytics>::start().await;
    advertised(&app, 3, 12_34, 100).await;
    let made = create(&app.acme.member, board()).await;
    let link = share(&app.acme.member, &made, json!({ "name": "Client" })).await;
    assert_eq!(link["expires_at"], "2026-04-01T09:00:00Z");
    let shown = app.anonymous.get(text(&link["api_path"])).await;
    let shown = shown.assert_status(200);
    let data = shown.json();
    assert_eq!(data["tiles"][0]["frame"]["rows"][0]["values"][0], "12.34");
    let known = app
        .anonymous
        .get(text(&link["api_path"]))
        .header("if-none-match", shown.header("etag").unwrap())
        .await;
    known.assert_status(304);
    // Neither the tenant nor the dashboard can be read out of it.
    assert!(!data.to_string().contains(text(&made["id"])));
    let page = app.anonymous.get(text(&link["path"])).await;
    let page = page.assert_status(200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .starts_with("default-src 'none'")
    );
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    let html = page.text();
    assert!(
        html.contains("<h1>Advertising</h1>") && html.contains("€12.34"),
        "{html}"
    );
    for foreign in ["<script", "src=", "<link", "@import"] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    let german = app
        .anonymous
        .get(&format!("{}?locale=de", text(&link["path"])))
        .await;
    assert!(german.text().contains("12,34"));
}

#[tokio::test]
async fn what_a_link_shows_is_fixed_when_it_is_made() {
    let app = TestApp::<Analytics>::start().await;
    advertised(&app, 3, 12_34, 100).await;
    advertised(&app, 4, 20_00, 50).await;
    let made = create(&app.acme.member, board()).await;
    let view = json!({ "range": { "from": "2026-02-04", "to": "2026-02-04" }, "compare": "none" });
    let link = share(
        &app.acme.member,
        &made,
        json!({ "name": "One day", "view": view }),
    )
    .await;
    let shown = app.anonymous.get(text(&link["api_path"])).await.json();
    assert_eq!(shown["tiles"][0]["frame"]["rows"][0]["values"][0], "20");
    let asked = format!("{}?from=2026-02-01&to=2026-02-28", text(&link["api_path"]));
    let shown = app.anonymous.get(&asked).await.json();
    assert_eq!(shown["tiles"][0]["frame"]["rows"][0]["values"][0], "20");
    app.anonymous
        .get(&format!("{}?filters=[]", text(&link["path"])))
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn a_link_ends_when_its_time_is_over_when_it_is_revoked_and_with_its_dashboard() {
    let app = TestApp::<Analytics>::start().await;
    let made = create(&app.acme.member, board()).await;
    let shows = async |link: &Value| {
        app.anonymous
            .get(text(&link["api_path"]))
            .await
            .status
            .as_u16()
    };
    let short = share(
        &app.acme.member,
        &made,
        json!({ "name": "A day", "expires_in_days": 1 }),
    )
    .await;
    // Links are listed by when they were made.
    app.clock.advance(TimeDelta::milliseconds(1));
    let long = share(
        &app.acme.member,
        &made,
        json!({ "name": "A year", "expires_in_days": 366 }),
    )
    .await;
    app.clock.advance(TimeDelta::milliseconds(1));
    let gone = share(&app.acme.member, &made, json!({ "name": "Revoked" })).await;
    assert_eq!(
        (shows(&short).await, shows(&long).await, shows(&gone).await),
        (200, 200, 200)
    );
    let revoke = format!("{}/shares/{}", path(&made), text(&gone["id"]));
    app.acme.member.delete(&revoke).await.assert_status(204);
    app.acme.member.delete(&revoke).await.assert_status(204);
    app.clock.advance(TimeDelta::days(1));
    assert_eq!(
        (shows(&short).await, shows(&long).await, shows(&gone).await),
        (410, 200, 410)
    );
    let listed = app
        .acme
        .member
        .get(&format!("{}/shares", path(&made)))
        .await
        .assert_status(200)
        .json();
    let names: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| text(&link["name"]))
        .collect();
    assert_eq!(names, ["Revoked", "A year", "A day"]);
    assert!(listed["items"][0]["revoked_at"].is_string());
    // The address in the list opens the same.
    assert_eq!(shows(&listed["items"][1]).await, 200);
    app.acme
        .member
        .delete(&path(&made))
        .await
        .assert_status(204);
    assert_eq!(shows(&long).await, 410);
    let page = app
        .anonymous
        .get(text(&long["path"]))
        .header("accept", "text/html")
        .await;
    let page = page.assert_status(410);
    assert!(page.text().contains("The link has ended"));
    app.anonymous
        .get(text(&long["path"]))
        .await
        .assert_problem(410, "link_ended");
}

#[tokio::test]
async fn links_that_nobody_made_show_nothing() {
    let app = TestApp::<Analytics>::start().await;
    let made = create(&app.acme.member, board()).await;
    let link = share(&app.acme.member, &made, json!({ "name": "x" })).await;
    let good = text(&link["api_path"]);
    let mut changed = good.to_owned();
    changed.replace_range(40..41, if &good[40..41] == "A" { "B" } else { "A" });
    let cut = &good[..good.len() - 4];
    for forged in [
        changed.as_str(),
        cut,
        "/api/shared/x",
        "/api/shared/AAAA",
        "/api/shared/%00",
    ] {
        app.anonymous
            .get(forged)
            .await
            .assert_problem(404, "not_found");
    }
    // A link opens one thing only: it is no token.
    let secret = good.strip_prefix("/api/shared/").unwrap();
    let as_token = app.anonymous.with_token(secret.to_owned());
    as_token
        .get("/api/dashboards")
        .await
        .assert_problem(401, "unauthenticated");
}

#[tokio::test]
async fn the_same_request_twice_makes_one_link() {
    let app = TestApp::<Analytics>::start().await;
    let made = create(&app.acme.member, board()).await;
    let url = format!("{}/share", path(&made));
    let send = async || {
        let sent = app
            .acme
            .member
            .post(&url, json!({ "name": "x" }))
            .header("idempotency-key", "k");
        sent.await.assert_status(201).json()
    };
    let (first, again) = (send().await, send().await);
    assert_eq!(first["id"], again["id"]);
    app.anonymous
        .get(text(&again["api_path"]))
        .await
        .assert_status(200);
    // What is kept of the answer opens nothing.
    let mut admin = app.database.admin().await;
    let kept: Vec<u8> = sqlx::query_scalar(
        "SELECT body FROM analytics.idempotency_keys WHERE operation = 'dashboards.share'",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert!(
        !String::from_utf8(kept).unwrap().contains("/shared/ey")
            && !again["path"].as_str().unwrap().is_empty()
    );
}

#[tokio::test]
async fn another_tenants_dashboard_cannot_be_shared_and_a_viewer_shares_none() {
    let app = TestApp::<Analytics>::start().await;
    let made = create(&app.acme.member, board()).await;
    let link = share(&app.acme.member, &made, json!({ "name": "x" })).await;
    let wanted = json!({ "name": "x" });
    let (url, list) = (
        format!("{}/share", path(&made)),
        format!("{}/shares", path(&made)),
    );
    let one = format!("{list}/{}", text(&link["id"]));
    app.globex
        .owner
        .post(&url, &wanted)
        .await
        .assert_problem(404, "not_found");
    app.globex
        .owner
        .get(&list)
        .await
        .assert_problem(404, "not_found");
    app.globex
        .owner
        .delete(&one)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .viewer
        .post(&url, &wanted)
        .await
        .assert_problem(403, "forbidden");
    app.acme
        .viewer
        .get(&list)
        .await
        .assert_problem(403, "forbidden");
    app.acme
        .viewer
        .delete(&one)
        .await
        .assert_problem(403, "forbidden");
    let nobody = app
        .anonymous
        .with_token(app.tokens.without_role(Tenant::Acme));
    nobody
        .post(&url, &wanted)
        .await
        .assert_problem(403, "forbidden");
    app.anonymous
        .get(text(&link["api_path"]))
        .await
        .assert_status(200);
    for wrong in [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": "x", "expires_in_days": 0 }),
        json!({ "name": "x", "expires_in_days": 367 }),
        json!({ "name": "x", "password": "y" }),
    ] {
        app.acme
            .member
            .post(&url, wrong)
            .await
            .assert_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn what_people_write_stays_text_on_the_page() {
    let app = TestApp::<Analytics>::start().await;
    let mut wanted = board();
    wanted["name"] = json!("<script>alert(1)</script>");
    wanted["description"] = json!("\"><img src=x onerror=alert(2)>");
    wanted["tiles"][0]["title"] = json!("a & b </h2><svg onload=alert(3)>");
    let made = create(&app.acme.member, wanted).await;
    let link = share(&app.acme.member, &made, json!({ "name": "x" })).await;
    let page = app.anonymous.get(text(&link["path"])).await;
    let html = page.text();
    for raw in ["<script", "<img", "<svg onload"] {
        assert!(!html.contains(raw), "{raw}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && html.contains("a &amp; b"));
}

#[tokio::test]
async fn one_network_opens_links_so_often_and_another_still_may() {
    let app = TestApp::<Analytics>::start().await;
    let made = create(&app.acme.member, board()).await;
    let link = share(&app.acme.member, &made, json!({ "name": "Client" })).await;
    let open = async |path: &str, ip: &str| {
        let path = text(&link[path]);
        app.anonymous.get(path).from(ip.parse().unwrap()).await
    };
    for _ in 0..60 {
        open("api_path", "203.0.113.7").await.assert_status(200);
        open("path", "203.0.113.7").await.assert_status(200);
    }
    for path in ["api_path", "path"] {
        let refused = open(path, "203.0.113.7").await;
        let refused = refused.assert_problem(429, "rate_limited");
        assert!(refused.header("retry-after").is_some());
        open(path, "203.0.113.8").await.assert_status(200);
    }
}
