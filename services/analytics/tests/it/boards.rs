//! Dashboards that people make: written, read, changed, copied, deleted.

use analytics::Analytics;
use bz_testkit::{Client, Tenant, TestApp};
use serde_json::{Value, json};

/// A tile of one metric.
pub(crate) fn card(id: &str, metric: &str, (x, y): (u8, u16)) -> Value {
    json!({
        "id": id, "title": id, "chart": "score_card", "query": { "numbers": { "metrics": [metric] } },
        "layout": { "x": x, "y": y, "w": 3, "h": 2 }
    })
}

/// A dashboard of two cards.
pub(crate) fn board() -> Value {
    json!({
        "name": "Advertising", "description": "What it costs",
        "view": { "range": { "from": "2026-02-01", "to": "2026-02-28" }, "timezone": "Europe/Berlin" },
        "tiles": [card("cost", "google-ads.cost", (0, 0)), card("clicks", "google-ads.clicks", (3, 0))]
    })
}

pub(crate) async fn create(client: &Client, board: Value) -> Value {
    client
        .post("/api/dashboards", board)
        .await
        .assert_status(201)
        .json()
}

pub(crate) fn path(board: &Value) -> String {
    format!("/api/dashboards/{}", board["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_dashboard_is_made_read_listed_and_deleted() {
    let app = TestApp::<Analytics>::start().await;
    let made = app.acme.member.post("/api/dashboards", board()).await;
    let made = made.assert_status(201);
    assert_eq!(made.header("etag"), Some("\"1\""));
    let made = made.json();
    assert_eq!(made["tiles"], board()["tiles"]);
    assert_eq!(made["view"]["compare"], "previous_period");
    let read = app.acme.viewer.get(&path(&made)).await;
    let read = read.assert_status(200);
    assert_eq!(
        (read.json(), read.header("etag")),
        (made.clone(), Some("\"1\""))
    );
    let listed = app
        .acme
        .viewer
        .get("/api/dashboards")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (
            &listed["items"][0]["name"],
            &listed["items"][0]["tile_count"]
        ),
        (&json!("Advertising"), &json!(2))
    );
    app.acme
        .member
        .delete(&path(&made))
        .await
        .assert_status(204);
    app.acme
        .viewer
        .get(&path(&made))
        .await
        .assert_problem(404, "not_found");
    app.acme
        .member
        .delete(&path(&made))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_list_goes_on_where_the_page_before_ended() {
    let app = TestApp::<Analytics>::start().await;
    for n in 0..3 {
        let mut wanted = board();
        wanted["name"] = json!(format!("board {n}"));
        create(&app.acme.member, wanted).await;
    }
    let first = app.acme.viewer.get("/api/dashboards?limit=2").await.json();
    let names = |page: &Value| -> Vec<Value> {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["name"].clone())
            .collect()
    };
    assert_eq!(names(&first).len(), 2);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = app
        .acme
        .viewer
        .get(&format!("/api/dashboards?limit=2&cursor={cursor}"))
        .await
        .json();
    assert_eq!(
        (names(&second).len(), &second["next_cursor"]),
        (1, &Value::Null)
    );
    let elsewhere = app
        .globex
        .viewer
        .get(&format!("/api/dashboards?cursor={cursor}"))
        .await;
    elsewhere.assert_problem(422, "validation_failed");
    assert_eq!(
        names(&app.globex.viewer.get("/api/dashboards").await.json()),
        Vec::<Value>::new()
    );
}

#[tokio::test]
async fn the_same_request_twice_makes_one_dashboard() {
    let app = TestApp::<Analytics>::start().await;
    let send = async |body: Value| {
        app.acme
            .member
            .post("/api/dashboards", body)
            .header("idempotency-key", "k")
            .await
    };
    let (first, again) = (send(board()).await, send(board()).await);
    let again = again.assert_status(201);
    assert_eq!(first.assert_status(201).json(), again.json());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    send(json!({ "name": "Other" }))
        .await
        .assert_problem(422, "idempotency_key_reused");
    let listed = app.acme.viewer.get("/api/dashboards").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_change_is_made_on_the_version_that_was_read() {
    let app = TestApp::<Analytics>::start().await;
    let made = create(&app.acme.member, board()).await;
    let change = async |tag: &str| {
        let wanted = json!({ "name": "Renamed", "tiles": [] });
        app.acme
            .member
            .put(&path(&made), wanted)
            .header("if-match", tag)
            .await
    };
    let changed = change("\"1\"").await;
    let changed = changed.assert_status(200);
    assert_eq!(
        (&changed.json()["version"], changed.header("etag")),
        (&json!(2), Some("\"2\""))
    );
    assert_eq!(changed.json()["tiles"], json!([]));
    let late = change("\"1\"").await;
    let late = late.assert_problem(412, "precondition_failed");
    assert_eq!(late.header("etag"), Some("\"2\""));
    let gone = app
        .acme
        .member
        .delete(&path(&made))
        .header("if-match", "\"1\"")
        .await;
    gone.assert_problem(412, "precondition_failed");
    app.acme
        .member
        .delete(&path(&made))
        .header("if-match", "\"2\"")
        .await
        .assert_status(204);
}

#[tokio::test]
async fn a_copy_stands_for_itself() {
    let app = TestApp::<Analytics>::start().await;
    let made = create(&app.acme.member, board()).await;
    let duplicate = format!("{}/duplicate", path(&made));
    let copy = app
        .acme
        .member
        .post(&duplicate, json!({}))
        .header("idempotency-key", "k")
        .await;
    let copy = copy.assert_status(201).json();
    assert_eq!(
        (&copy["name"], &copy["tiles"], &copy["version"]),
        (&json!("Copy of Advertising"), &made["tiles"], &json!(1))
    );
    assert_ne!(copy["id"], made["id"]);
    let again = app
        .acme
        .member
        .post(&duplicate, json!({}))
        .header("idempotency-key", "k")
        .await;
    assert_eq!(again.json()["id"], copy["id"]);
    app.acme
        .member
        .delete(&path(&made))
        .await
        .assert_status(204);
    app.acme.viewer.get(&path(&copy)).await.assert_status(200);
    app.acme
        .member
        .post(&duplicate, json!({ "name": "Second" }))
        .await
        .assert_problem(404, "not_found");
    let duplicate = format!("{}/duplicate", path(&copy));
    let named = app
        .acme
        .member
        .post(&duplicate, json!({ "name": "Second" }))
        .await
        .json();
    assert_eq!(named["name"], "Second");
    app.acme
        .member
        .post(&duplicate, json!({ "name": "" }))
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn another_tenants_dashboard_is_not_there_and_a_viewer_changes_nothing() {
    let app = TestApp::<Analytics>::start().await;
    let made = create(&app.acme.member, board()).await;
    let other = &app.globex.owner;
    other
        .get(&path(&made))
        .await
        .assert_problem(404, "not_found");
    other
        .put(&path(&made), board())
        .await
        .assert_problem(404, "not_found");
    other
        .delete(&path(&made))
        .await
        .assert_problem(404, "not_found");
    other
        .post(&format!("{}/duplicate", path(&made)), json!({}))
        .await
        .assert_problem(404, "not_found");
    let viewer = &app.acme.viewer;
    viewer
        .post("/api/dashboards", board())
        .await
        .assert_problem(403, "forbidden");
    viewer
        .put(&path(&made), board())
        .await
        .assert_problem(403, "forbidden");
    viewer
        .delete(&path(&made))
        .await
        .assert_problem(403, "forbidden");
    viewer
        .post(&format!("{}/duplicate", path(&made)), json!({}))
        .await
        .assert_problem(403, "forbidden");
    let nobody = app
        .anonymous
        .with_token(app.tokens.without_role(Tenant::Acme));
    nobody
        .get("/api/dashboards")
        .await
        .assert_problem(403, "forbidden");
    nobody
        .get(&path(&made))
        .await
        .assert_problem(403, "forbidden");
}

/// A dashboard with one tile that is changed.
fn with_tile(change: impl FnOnce(&mut Value)) -> Value {
    let mut wanted = board();
    change(&mut wanted["tiles"][1]);
    wanted
}

#[tokio::test]
async fn what_is_wrong_with_a_dashboard_is_told_with_its_place() {
    let app = TestApp::<Analytics>::start().await;
    let query = |query: Value| move |tile: &mut Value| tile["query"] = json!({ "numbers": query });
    let cases = [
        (json!({ "name": "" }), "/name", "invalid_text"),
        (
            with_tile(|tile| tile["id"] = json!("cost")),
            "/tiles/1/id",
            "repeated",
        ),
        (
            with_tile(|tile| tile["id"] = json!("A b")),
            "/tiles/1/id",
            "invalid_id",
        ),
        (
            with_tile(|tile| tile["layout"]["x"] = json!(2)),
            "/tiles/1/layout",
            "overlaps",
        ),
        (
            with_tile(|tile| tile["layout"]["x"] = json!(10)),
            "/tiles/1/layout",
            "out_of_range",
        ),
        (
            with_tile(|tile| tile["layout"]["h"] = json!(0)),
            "/tiles/1/layout",
            "out_of_range",
        ),
        (
            with_tile(query(json!({ "metrics": ["google-ads.rosa"] }))),
            "/tiles/1/query/numbers/metrics/0",
            "unknown_metric",
        ),
        (
            with_tile(|tile| tile["chart"] = json!("line")),
            "/tiles/1/chart",
            "chart_does_not_fit",
        ),
        (
            with_tile(|tile| tile["chart"] = json!("cohort_grid")),
            "/tiles/1/chart",
            "chart_does_not_fit",
        ),
        (
            with_tile(|tile| tile["chart"] = json!("pie")),
            "/tiles/1/chart",
            "invalid_value",
        ),
        (
            with_tile(|tile| tile["query"] = json!({ "sql": "DROP TABLE facts" })),
            "/tiles/1/query",
            "invalid_value",
        ),
        (
            with_tile(|tile| tile["query"] = json!({ "cohorts": { "periods": 0 } })),
            "/tiles/1/query/cohorts/periods",
            "out_of_range",
        ),
        (
            json!({ "name": "x", "view": { "timezone": "Nowhere" } }),
            "/view/timezone",
            "unknown_time_zone",
        ),
        (
            json!({ "name": "x", "view": { "range": { "from": "2026-02-02", "to": "2026-02-01" } } }),
            "/view/range",
            "invalid_range",
        ),
        (
            json!({ "name": "x", "owner": "me" }),
            "/owner",
            "unknown_field",
        ),
    ];
    for (wanted, pointer, code) in cases {
        let refused = app.acme.member.post("/api/dashboards", &wanted).await;
        let refused = refused.assert_problem(422, "validation_failed");
        let errors = refused.json()["errors"].clone();
        let told = errors
            .as_array()
            .unwrap()
            .iter()
            .any(|error| error["pointer"] == pointer && error["code"] == code);
        assert!(told, "{pointer} {code}: {errors}");
    }
    let near = app
        .acme
        .member
        .post(
            "/api/dashboards",
            with_tile(query(json!({ "metrics": ["google-ads.rosa"] }))),
        )
        .await;
    assert!(near.text().contains("google-ads.roas"), "{}", near.text());
    let many: Vec<Value> = (0..51)
        .map(|n| card(&format!("t{n}"), "google-ads.cost", (0, n * 2)))
        .collect();
    let refused = app
        .acme
        .member
        .post("/api/dashboards", json!({ "name": "x", "tiles": many }))
        .await;
    refused.assert_problem(422, "validation_failed");
}
