//! Templates: listed, read with what the tenant lacks, made into dashboards.

use std::collections::BTreeSet;

use analytics::{
    Analytics,
    catalogue::{Catalogue, Dataset, Storage},
    sources::{
        Load,
        facts::{self, Fact},
    },
};
use bz_tenant::TenantScope;
use bz_testkit::{NOW, Tenant, TestApp};
use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{board_data::advertised, boards::path};

#[tokio::test]
async fn all_templates_are_listed_with_their_layer_and_version() {
    let app = TestApp::<Analytics>::start().await;
    let listed = app
        .acme
        .viewer
        .get("/api/templates")
        .await
        .assert_status(200)
        .json();
    let items = listed["items"].as_array().unwrap();
    for slug in [
        "google-ads",
        "facebook-ads",
        "linkedin-ads",
        "ga4",
        "search-console",
        "ecommerce",
        "ecommerce-cohorts",
        "hubspot-crm",
        "paid-media",
        "tiktok-ads",
        "microsoft-ads",
        "email",
        "social-organic",
        "local",
        "growth",
        "agency-overview",
    ] {
        let found = items.iter().find(|item| item["slug"] == slug).unwrap();
        assert!(
            found["version"].as_i64().unwrap() >= 1 && found["tile_count"].as_i64().unwrap() >= 6,
            "{found}"
        );
        assert!(
            ["executive", "manager", "operational"].contains(&found["layer"].as_str().unwrap())
        );
    }
    let nobody = app
        .anonymous
        .with_token(app.tokens.without_role(Tenant::Acme));
    nobody
        .get("/api/templates")
        .await
        .assert_problem(403, "forbidden");
    nobody
        .get("/api/templates/ga4")
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_template_says_what_the_tenant_lacks() {
    let app = TestApp::<Analytics>::start().await;
    advertised(&app, 3, 12_34, 100).await;
    let read = app
        .acme
        .viewer
        .get("/api/templates/google-ads")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (
            &read["datasets"][0]["dataset"],
            &read["datasets"][0]["available"]
        ),
        (&json!("google-ads"), &json!(true))
    );
    // Only what the impression share is made of is not there.
    assert_eq!(read["missing"].as_array().unwrap().len(), 1);
    let missing = &read["missing"][0];
    assert_eq!(
        (&missing["measures"], &missing["no_data"], &missing["tiles"]),
        (
            &json!(["eligible_impressions"]),
            &json!(false),
            &json!(["impression-share"])
        )
    );
    let theirs = app
        .globex
        .viewer
        .get("/api/templates/google-ads")
        .await
        .json();
    assert_eq!(
        (
            &theirs["datasets"][0]["available"],
            &theirs["missing"][0]["no_data"]
        ),
        (&json!(false), &json!(true))
    );
    app.acme
        .viewer
        .get("/api/templates/nothing")
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn without_data_nothing_is_made_and_what_is_missing_is_listed() {
    let app = TestApp::<Analytics>::start().await;
    let refused = app
        .acme
        .member
        .post("/api/templates/hubspot-crm/instantiate", json!({}))
        .await;
    let refused = refused.assert_problem(422, "data_missing");
    let problem = refused.json();
    assert_eq!(
        (
            &problem["missing"][0]["dataset"],
            &problem["missing"][0]["no_data"]
        ),
        (&json!("deals"), &json!(true))
    );
    assert!(
        problem["errors"]
            .as_array()
            .is_some_and(|errors| !errors.is_empty())
    );
    // Leaving out what is missing would leave nothing.
    let refused = app
        .acme
        .member
        .post(
            "/api/templates/hubspot-crm/instantiate",
            json!({ "skip_missing": true }),
        )
        .await;
    refused.assert_problem(422, "data_missing");
    let listed = app.acme.viewer.get("/api/dashboards").await.json();
    assert_eq!(listed["items"], json!([]));
}

#[tokio::test]
async fn a_dashboard_is_made_of_what_there_is_and_shows_its_numbers() {
    let app = TestApp::<Analytics>::start().await;
    advertised(&app, 20, 12_34, 100).await;
    let url = "/api/templates/google-ads/instantiate";
    app.acme
        .member
        .post(url, json!({}))
        .await
        .assert_problem(422, "data_missing");
    let wanted = json!({ "name": "Search", "skip_missing": true });
    let send = async || {
        app.acme
            .member
            .post(url, &wanted)
            .header("idempotency-key", "k")
            .await
    };
    let made = send().await;
    assert_eq!(made.header("etag"), Some("\"1\""));
    let made = made.assert_status(201).json();
    let dashboard = &made["dashboard"];
    assert_eq!(
        (&dashboard["name"], &dashboard["template"]),
        (
            &json!("Search"),
            &json!({ "slug": "google-ads", "version": 1 })
        )
    );
    assert_eq!(made["missing"][0]["tiles"], json!(["impression-share"]));
    assert_eq!(send().await.json()["dashboard"]["id"], dashboard["id"]);
    let data = app
        .acme
        .viewer
        .get(&format!("{}/data", path(dashboard)))
        .await
        .assert_status(200)
        .json();
    for tile in data["tiles"].as_array().unwrap() {
        assert_eq!(tile["problem"], Value::Null, "{tile}");
        assert!(tile["frame"]["rows"].is_array(), "{tile}");
    }
    assert_eq!(data["tiles"][0]["frame"]["rows"][0]["values"][0], "12.34");
    // It is a dashboard as any other: it can be changed.
    let mut changed =
        json!({ "name": "Mine", "view": dashboard["view"], "tiles": dashboard["tiles"] });
    changed["tiles"].as_array_mut().unwrap().truncate(1);
    app.acme
        .member
        .put(&path(dashboard), changed)
        .await
        .assert_status(200);
}

/// A row with every measure and every dimension of a dataset, told apart by `which`.
fn fact(dataset: &Dataset, day: NaiveDate, which: u64) -> Fact {
    let measures = dataset.measures.iter().zip(1..);
    let dimensions = dataset.dimensions.iter();
    Fact {
        day,
        currency: "EUR".into(),
        dims: dimensions
            .map(|name| (name.clone(), format!("{name} {which}")))
            .collect(),
        measures: measures
            .map(|(measure, n)| {
                let name = measure.field.as_ref().unwrap_or(&measure.name);
                (name.clone(), Decimal::from(1_000 * n + 10 * which))
            })
            .collect(),
    }
}

/// A row on each of the last forty days in everything that is kept by day, by turns of two things.
async fn measured(app: &TestApp<Analytics>) {
    let days: BTreeSet<NaiveDate> = (1..=40)
        .map(|ago| NOW.date_naive() - Days::new(ago))
        .collect();
    let kept_by_day = Catalogue::builtin().datasets().iter();
    let kept_by_day = kept_by_day.filter(|dataset| dataset.storage == Storage::Facts);
    for (dataset, n) in kept_by_day.zip(1..) {
        let rows = days
            .iter()
            .zip(0..)
            .map(|(day, n)| fact(dataset, *day, n % 2));
        let load = Load {
            source_id: Uuid::from_u128(n),
            load_id: Uuid::from_u128(n),
            at: NOW,
        };
        let scope = TenantScope::new(app.acme.id(), None);
        let mut tx = app.db().tenant(&scope).await.unwrap();
        facts::replace(&mut tx, &load, &dataset.key, &days, rows.collect())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn every_tile_of_every_template_has_numbers_where_there_are_data() {
    let app = TestApp::<Analytics>::start().await;
    measured(&app).await;
    let listed = app.acme.viewer.get("/api/templates").await.json();
    let mut made = Vec::new();
    for template in listed["items"].as_array().unwrap() {
        let slug = template["slug"].as_str().unwrap();
        let url = format!("/api/templates/{slug}/instantiate");
        let wanted = json!({ "skip_missing": true });
        let answer = app.acme.member.post(&url, wanted).await;
        if answer.problem_code().is_some() {
            // Of orders and deals alone there is nothing.
            assert!(
                ["ecommerce", "ecommerce-cohorts", "hubspot-crm"].contains(&slug),
                "{slug}"
            );
            continue;
        }
        let dashboard = answer.assert_status(201).json()["dashboard"].clone();
        let data = app.acme.viewer.get(&format!("{}/data", path(&dashboard)));
        let data = data.await.assert_status(200).json();
        for tile in data["tiles"].as_array().unwrap() {
            let (id, frame) = (&tile["id"], &tile["frame"]);
            assert_eq!(tile["problem"], Value::Null, "{slug} {id}");
            let rows = frame["rows"].as_array().unwrap().iter();
            let values = rows.flat_map(|row| row["values"].as_array().unwrap());
            assert!(values.clone().any(Value::is_string), "{slug} {id}: {frame}");
        }
        made.push(slug.to_owned());
    }
    for slug in [
        "tiktok-ads",
        "microsoft-ads",
        "social-organic",
        "local",
        "growth",
        "agency-overview",
    ] {
        assert!(made.iter().any(|made| made == slug), "{slug}");
    }
}

#[tokio::test]
async fn making_one_needs_the_right_and_a_template_that_there_is() {
    let app = TestApp::<Analytics>::start().await;
    let url = "/api/templates/google-ads/instantiate";
    app.acme
        .viewer
        .post(url, json!({}))
        .await
        .assert_problem(403, "forbidden");
    app.anonymous
        .post(url, json!({}))
        .await
        .assert_problem(401, "unauthenticated");
    app.acme
        .member
        .post("/api/templates/nothing/instantiate", json!({}))
        .await
        .assert_problem(404, "not_found");
    for wrong in [
        json!({ "name": "" }),
        json!({ "view": { "timezone": "Nowhere" } }),
        json!({ "sources": [] }),
        json!([]),
    ] {
        app.acme
            .member
            .post(url, wrong)
            .await
            .assert_problem(422, "validation_failed");
    }
}
