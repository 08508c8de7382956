//! `GET /api/dashboards/{id}/data`: all tiles from one snapshot.

use std::collections::{BTreeMap, BTreeSet};

use analytics::{
    Analytics,
    sources::{
        Load,
        facts::{self, Fact},
    },
};
use bz_tenant::TenantScope;
use bz_testkit::{NOW, Tenant, TestApp};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::boards::{board, card, create, path};

/// Writes what advertising cost on one day of February 2026, in cents, and how often it was clicked.
pub(crate) async fn advertised(
    app: &TestApp<Analytics>,
    day_of_month: u32,
    cost: i64,
    clicks: i64,
) {
    let day = NaiveDate::from_ymd_opt(2026, 2, day_of_month).unwrap();
    let numbers = [
        ("cost", cost),
        ("clicks", clicks),
        ("impressions", clicks * 10),
        ("conversions", 2),
        ("conversion_value", cost * 3),
    ];
    let fact = Fact {
        day,
        currency: "EUR".into(),
        dims: BTreeMap::from([
            ("campaign".into(), "Spring".into()),
            ("device".into(), "phone".into()),
        ]),
        measures: numbers
            .map(|(name, value)| (name.to_owned(), Decimal::from(value)))
            .into(),
    };
    let load = Load {
        source_id: Uuid::from_u128(7),
        load_id: Uuid::from_u128(u128::from(day_of_month)),
        at: NOW,
    };
    let mut tx = app
        .db()
        .tenant(&TenantScope::new(app.acme.id(), None))
        .await
        .unwrap();
    facts::replace(
        &mut tx,
        &load,
        "google-ads",
        &BTreeSet::from([day]),
        vec![fact],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

fn value(data: &Value, tile: usize) -> &Value {
    &data["tiles"][tile]["frame"]["rows"][0]["values"][0]
}

#[tokio::test]
async fn all_tiles_are_answered_from_one_snapshot() {
    let app = TestApp::<Analytics>::start().await;
    advertised(&app, 3, 12_34, 100).await;
    advertised(&app, 4, 20_00, 50).await;
    let made = create(&app.acme.member, board()).await;
    let data = app
        .acme
        .viewer
        .get(&format!("{}/data", path(&made)))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (value(&data, 0), value(&data, 1)),
        (&json!("32.34"), &json!("150"))
    );
    assert_eq!(
        (
            &data["name"],
            &data["tiles"][0]["id"],
            &data["view"]["timezone"]
        ),
        (
            &json!("Advertising"),
            &json!("cost"),
            &json!("Europe/Berlin")
        )
    );
    let versions: BTreeSet<String> = data["tiles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tile| tile["frame"]["meta"]["data_version"].to_string())
        .collect();
    assert_eq!(versions, BTreeSet::from([data["data_version"].to_string()]));
}

#[tokio::test]
async fn a_tile_that_cannot_be_answered_has_its_own_problem() {
    let app = TestApp::<Analytics>::start().await;
    advertised(&app, 3, 12_34, 100).await;
    let mut wanted = board();
    let tiles = wanted["tiles"].as_array_mut().unwrap();
    tiles.insert(0, json!({
        "id": "back", "title": "Came back", "chart": "cohort_grid", "query": { "retention": { "granularity": "day", "periods": 2 } },
        "layout": { "x": 0, "y": 2, "w": 6, "h": 4 }
    }));
    let made = create(&app.acme.member, wanted).await;
    let filter = "%5B%7B%22dimension%22%3A%22campaign%22%2C%22operator%22%3A%22in%22%2C%22values%22%3A%5B%22Spring%22%5D%7D%5D";
    let data = app
        .acme
        .viewer
        .get(&format!("{}/data?filters={filter}", path(&made)))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        data["tiles"][0]["problem"]["errors"][0]["code"],
        "filters_do_not_apply"
    );
    assert_eq!(data["tiles"][0]["frame"], Value::Null);
    assert_eq!(
        (value(&data, 1), &data["tiles"][1]["problem"]),
        (&json!("12.34"), &Value::Null)
    );
    let data = app
        .acme
        .viewer
        .get(&format!("{}/data", path(&made)))
        .await
        .json();
    assert_eq!(data["tiles"][0]["problem"], Value::Null);
    assert_eq!(data["tiles"][0]["frame"]["columns"][1]["key"], "period");
}

#[tokio::test]
async fn an_answer_that_the_client_has_is_304_until_data_dashboard_or_view_change() {
    let app = TestApp::<Analytics>::start().await;
    advertised(&app, 3, 12_34, 100).await;
    let made = create(&app.acme.member, board()).await;
    let data = format!("{}/data", path(&made));
    let tag = async |url: &str| {
        let answer = app.acme.viewer.get(url).await.assert_status(200);
        answer.header("etag").unwrap().to_owned()
    };
    let first = tag(&data).await;
    let again = app
        .acme
        .viewer
        .get(&data)
        .header("if-none-match", &first)
        .await;
    let again = again.assert_status(304);
    assert!(again.text().is_empty());
    let other_view = tag(&format!("{data}?preset=last_7_days")).await;
    assert_ne!(other_view, first);
    advertised(&app, 5, 1_00, 1).await;
    let written = tag(&data).await;
    assert_ne!(written, first);
    app.acme
        .viewer
        .get(&data)
        .header("if-none-match", &first)
        .await
        .assert_status(200);
    let mut renamed = board();
    renamed["name"] = json!("Renamed");
    app.acme
        .member
        .put(&path(&made), renamed)
        .await
        .assert_status(200);
    assert_ne!(tag(&data).await, written);
}

#[tokio::test]
async fn tiles_tell_which_alerts_fire_for_their_numbers() {
    let app = TestApp::<Analytics>::start().await;
    advertised(&app, 10, 5_000, 40).await;
    let member = &app.acme.member;
    let made = create(member, board()).await;
    let data = format!("{}/data", path(&made));
    let quiet = app.acme.viewer.get(&data).await.assert_status(200);
    assert_eq!(quiet.json()["tiles"][0].get("alerts"), None);
    let phone = json!([{ "dimension": "device", "operator": "in", "values": ["phone"] }]);
    let mut of_phones = crate::alerts::wanted();
    of_phones["name"] = json!("Phones cost too much");
    of_phones["definition"]["filters"] = phone.clone();
    for alert in [crate::alerts::wanted(), of_phones] {
        member.post("/api/alerts", alert).await.assert_status(201);
    }
    sqlx::query("UPDATE analytics.alerts SET state = 'firing'")
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    let told = app.acme.viewer.get(&data);
    let told = told.header("if-none-match", quiet.header("etag").unwrap());
    let told = told.await.assert_status(200).json();
    let names = |tile: &Value| -> Vec<Value> {
        let alerts = tile["alerts"].as_array().into_iter().flatten();
        alerts.map(|alert| alert["name"].clone()).collect()
    };
    let tiles = told["tiles"].as_array().unwrap();
    let both = [json!("Cost too high"), json!("Phones cost too much")];
    let seen = names(&tiles[0]);
    assert!(
        seen.len() == 2 && both.iter().all(|name| seen.contains(name)),
        "{seen:?}"
    );
    assert_eq!(tiles[0]["alerts"][0]["metric"], "google-ads.cost");
    assert!(names(&tiles[1]).is_empty());
    // Of a part of the numbers only what is about it is told.
    let filters: String = phone
        .to_string()
        .bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect();
    let part = app.acme.viewer.get(&format!("{data}?filters={filters}"));
    let part = part.await.assert_status(200).json();
    assert_eq!(names(&part["tiles"][0]), [both[1].clone()]);
    // Whoever has a link is told of none.
    let link = member.post(
        &format!("{}/share", path(&made)),
        json!({ "name": "Client" }),
    );
    let link = link.await.assert_status(201).json();
    let shown = app.anonymous.get(link["api_path"].as_str().unwrap()).await;
    let shown = shown.assert_status(200).json();
    assert!(
        shown["tiles"]
            .as_array()
            .unwrap()
            .iter()
            .all(|tile| names(tile).is_empty())
    );
}

#[tokio::test]
async fn filters_that_the_database_cannot_store_are_refused() {
    let app = TestApp::<Analytics>::start().await;
    let made = create(&app.acme.member, board()).await;
    for filters in [
        r#"[{"dimension":"device","operator":"in","values":["a\u0000b"]}]"#,
        "{}",
        "none",
    ] {
        let filters: String = filters.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let data = format!("{}/data?filters={filters}", path(&made));
        let refused = app.acme.viewer.get(&data).await;
        refused.assert_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn an_answer_without_numbers_because_of_the_database_is_not_kept_by_its_tag() {
    let app = TestApp::<Analytics>::start().await;
    advertised(&app, 10, 5_000, 40).await;
    let made = create(&app.acme.member, board()).await;
    let data = format!("{}/data", path(&made));
    let whole = app.acme.viewer.get(&data).await.assert_status(200);
    assert!(whole.header("etag").is_some());
    let mut admin = app.database.admin().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE analytics.facts IN ACCESS EXCLUSIVE MODE")
        .execute(&mut admin)
        .await
        .unwrap();
    let failed = app.acme.viewer.get(&data).await.assert_status(200);
    assert_eq!(failed.json()["tiles"][0]["problem"]["status"], 503);
    assert_eq!(failed.header("etag"), None);
    sqlx::raw_sql("ROLLBACK").execute(&mut admin).await.unwrap();
    let again = app.acme.viewer.get(&data).await.assert_status(200);
    assert_eq!(again.json()["tiles"], whole.json()["tiles"]);
}

#[tokio::test]
async fn the_request_says_which_days() {
    let app = TestApp::<Analytics>::start().await;
    advertised(&app, 3, 12_34, 100).await;
    advertised(&app, 4, 20_00, 50).await;
    let made = create(&app.acme.member, board()).await;
    let data = format!("{}/data", path(&made));
    let one = app
        .acme
        .viewer
        .get(&format!(
            "{data}?from=2026-02-04&to=2026-02-04&compare=previous_period"
        ))
        .await
        .assert_status(200)
        .json();
    assert_eq!(value(&one, 0), "20");
    assert_eq!(one["tiles"][0]["frame"]["rows"][0]["previous"][0], "12.34");
    let none = app
        .acme
        .viewer
        .get(&format!(
            "{data}?from=2026-02-04&to=2026-02-04&compare=none"
        ))
        .await
        .json();
    assert_eq!(none["tiles"][0]["frame"]["compared"], Value::Null);
    for query in [
        "from=2026-02-04",
        "to=2026-02-04",
        "from=2026-02-04&to=2026-02-03",
        "preset=last_week&from=2026-02-04&to=2026-02-05",
        "preset=someday",
        "timezone=Nowhere",
        "compare=twice",
        "filters=nonsense",
        "filters=%5B%7B%7D%5D",
        "colour=red",
    ] {
        let refused = app.acme.viewer.get(&format!("{data}?{query}")).await;
        refused.assert_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn another_tenants_numbers_are_not_there_and_reading_needs_the_right() {
    let app = TestApp::<Analytics>::start().await;
    let made = create(&app.acme.member, board()).await;
    let data = format!("{}/data", path(&made));
    app.globex
        .owner
        .get(&data)
        .await
        .assert_problem(404, "not_found");
    let nobody = app
        .anonymous
        .with_token(app.tokens.without_role(Tenant::Acme));
    nobody.get(&data).await.assert_problem(403, "forbidden");
    app.acme
        .member
        .delete(&path(&made))
        .await
        .assert_status(204);
    app.acme
        .viewer
        .get(&data)
        .await
        .assert_problem(404, "not_found");
    // The same dashboard of the other tenant shows that tenant's numbers: none.
    advertised(&app, 3, 12_34, 100).await;
    let mut own = board();
    own["tiles"] = json!([card("cost", "google-ads.cost", (0, 0))]);
    let theirs = create(&app.globex.member, own).await;
    let shown = app
        .globex
        .viewer
        .get(&format!("{}/data", path(&theirs)))
        .await
        .json();
    assert!(!shown.to_string().contains("12.34"), "{shown}");
}
