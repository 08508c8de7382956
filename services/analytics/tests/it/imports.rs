//! Files of numbers: what is read, what is refused, and that nothing is counted twice.

use std::time::Duration;

use analytics::Analytics;
use bz_testkit::{TestApp, wait_until};
use serde_json::{Value, json};

use crate::source_support::{import, loaded, packed, read, upload_source, workbook};

const FACTS: &str = "SELECT day, dims ->> 'campaign' AS campaign, currency, measures FROM analytics.facts ORDER BY day, 2";

fn euros() -> Value {
    json!({ "currency": "EUR" })
}

#[tokio::test]
async fn a_file_of_facts_is_loaded_and_its_days_are_replaced_when_they_are_restated() {
    let app = TestApp::<Analytics>::start().await;
    let source = upload_source(&app.acme.owner, "google-ads", euros()).await;
    let first = "Day,Campaign name,Impr.,Clicks,Spend,Notes\n\
                 2026-03-01,a,1000,10,\"1,234.50\",x\n2026-03-01,b,10,0,0.10,\n2026-03-02,a,5,1,1,\n";
    let answer = loaded(&app.acme.member, &source, first).await;
    assert_eq!(
        (&answer["rows_total"], &answer["left_out"]),
        (&json!(3), &json!(["Notes"]))
    );
    assert_eq!(
        read(&app, FACTS).await,
        json!([
            { "day": "2026-03-01", "campaign": "a", "currency": "EUR", "measures": { "impressions": 1000, "clicks": 10, "cost": 123450 } },
            { "day": "2026-03-01", "campaign": "b", "currency": "EUR", "measures": { "impressions": 10, "clicks": 0, "cost": 10 } },
            { "day": "2026-03-02", "campaign": "a", "currency": "EUR", "measures": { "impressions": 5, "clicks": 1, "cost": 100 } },
        ])
    );
    loaded(&app.acme.member, &source, first).await;
    let restated = "date,campaign,cost\n2026-03-01,a,1000\n";
    loaded(&app.acme.member, &source, restated).await;
    assert_eq!(
        read(&app, FACTS).await,
        json!([
            { "day": "2026-03-01", "campaign": "a", "currency": "EUR", "measures": { "cost": 100000 } },
            { "day": "2026-03-02", "campaign": "a", "currency": "EUR", "measures": { "impressions": 5, "clicks": 1, "cost": 100 } },
        ])
    );
    assert_eq!(
        read(&app, "SELECT version FROM analytics.tenant_data").await,
        json!([{ "version": 3 }])
    );
}

#[tokio::test]
async fn a_spreadsheet_and_a_packed_file_are_read_like_a_plain_one() {
    let app = TestApp::<Analytics>::start().await;
    let source = upload_source(&app.acme.owner, "google-ads", euros()).await;
    // 46082 is 2026-03-01.
    let sheet = workbook(&[
        &["Date", "Campaign", "Clicks", "Cost"],
        &["#46082", "a", "3", "12.34"],
        &["#46083.5", "b", "4", "0.1"],
    ]);
    let xlsx = app
        .acme
        .member
        .post(&format!("/api/analytics/imports?source_id={source}"), ())
        .body(
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            sheet,
        );
    let answer = xlsx.await.assert_status(202).json();
    assert_eq!(answer["run"]["status"], "succeeded", "{answer}");
    let expected = json!([
        { "day": "2026-03-01", "campaign": "a", "currency": "EUR", "measures": { "clicks": 3, "cost": 1234 } },
        { "day": "2026-03-02", "campaign": "b", "currency": "EUR", "measures": { "clicks": 4, "cost": 10 } },
    ]);
    assert_eq!(read(&app, FACTS).await, expected);

    let plain = "date;campaign;clicks;cost\n2026-03-01;a;3;12.34\n2026-03-02;b;4;0.10\n";
    loaded(&app.acme.member, &source, packed(plain.as_bytes())).await;
    assert_eq!(read(&app, FACTS).await, expected);

    let broken = import(
        &app.acme.member,
        &format!("source_id={source}"),
        b"PK\x03\x04nonsense".to_vec(),
    )
    .await;
    assert_eq!(
        broken.assert_problem(422, "validation_failed").json()["errors"][0]["code"],
        "not_xlsx"
    );
}

#[tokio::test]
async fn a_dry_run_tells_the_first_fifty_faults_with_their_rows_and_loads_nothing() {
    let app = TestApp::<Analytics>::start().await;
    let source = upload_source(&app.acme.owner, "google-ads", euros()).await;
    let mut file = String::from(
        "date,campaign,clicks,cost\n2026-03-01,a,1,1\n2026-02-30,a,1,1\n2026-03-01,\"b,\n c\",x,1\n",
    );
    file.push_str(&"01.03.2026,a,1,1\n".repeat(60));
    let query = format!("source_id={source}&dry_run=true");
    let answer = import(&app.acme.member, &query, file.clone())
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&answer["rows_total"], &answer["rows_faulty"]),
        (&json!(63), &json!(62))
    );
    let faults = answer["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 50);
    assert_eq!(
        (
            &faults[0]["row"],
            &faults[0]["field"],
            &faults[0]["code"],
            &faults[0]["value"]
        ),
        (
            &json!(3),
            &json!("date"),
            &json!("not_a_date"),
            &json!("2026-02-30")
        )
    );
    assert_eq!(
        (&faults[1]["row"], &faults[1]["field"], &faults[1]["code"]),
        (&json!(4), &json!("clicks"), &json!("not_a_number"))
    );
    assert_eq!(answer["run"], Value::Null);

    // The same file in earnest is refused as a whole, with the same faults.
    let refused = import(&app.acme.member, &format!("source_id={source}"), file).await;
    let problem = refused.assert_problem(422, "validation_failed").json();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 50);
    assert_eq!(problem["errors"][0]["pointer"], "/rows/3/date");
    assert_eq!(problem["rows"], answer["faults"]);
    for table in ["facts", "source_runs", "source_run_pieces", "tenant_data"] {
        let count = read(&app, &format!("SELECT count(*) FROM analytics.{table}")).await;
        assert_eq!(count, json!([{ "count": 0 }]), "{table}");
    }
}

#[tokio::test]
async fn a_mapping_that_does_not_fit_is_told_with_what_there_is() {
    let app = TestApp::<Analytics>::start().await;
    let source = upload_source(&app.acme.owner, "google-ads", euros()).await;
    let send = async |mapping: Value, file: &str| {
        let mapping = url::form_urlencoded::byte_serialize(mapping.to_string().as_bytes())
            .collect::<String>();
        import(
            &app.acme.member,
            &format!("source_id={source}&dry_run=true&mapping={mapping}"),
            file,
        )
        .await
    };
    let file = "Tag,Kampagne,Klicks\n2026-03-01,a,1\n";
    let wrong =
        json!({ "Day": "date", "Kampagne": "campain", "Klicks": "clicks", "Tag": "clicks" });
    let problem = send(wrong, file)
        .await
        .assert_problem(422, "validation_failed")
        .json();
    let errors: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            (
                error["pointer"].as_str().unwrap(),
                error["code"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        errors,
        [
            ("/mapping/Day", "no_such_column"),
            ("/mapping/Kampagne", "no_such_field"),
            ("/mapping/Klicks", "repeated_field"),
            ("/mapping", "missing_field"),
        ]
    );
    assert!(
        problem["errors"][1]["message"]
            .as_str()
            .unwrap()
            .contains("campaign"),
        "{problem}"
    );
    let right = json!({ "Tag": "date", "Kampagne": "campaign", "Klicks": "clicks" });
    send(right, file).await.assert_status(200);
}

#[tokio::test]
async fn the_same_key_loads_a_file_once_and_answers_the_same_run() {
    let app = TestApp::<Analytics>::start().await;
    let source = upload_source(&app.acme.owner, "google-ads", euros()).await;
    let file = "date,clicks\n2026-03-01,1\n";
    let send = async |file: &str| {
        let request = app
            .acme
            .member
            .post(&format!("/api/analytics/imports?source_id={source}"), ());
        request
            .header("idempotency-key", "k")
            .body("text/csv", file.as_bytes().to_vec())
            .await
    };
    let first = send(file).await.assert_status(202).json();
    let again = send(file).await.assert_status(202).json();
    assert_eq!(first["run"]["id"], again["run"]["id"]);
    assert_eq!(
        read(&app, "SELECT count(*) FROM analytics.source_runs").await,
        json!([{ "count": 1 }])
    );
    send("date,clicks\n2026-03-01,2\n")
        .await
        .assert_problem(422, "idempotency_key_reused");
    let path = format!("/api/datasources/{source}/runs");
    let runs = app.acme.viewer.get(&path).await.assert_status(200).json();
    assert_eq!(runs["items"].as_array().unwrap().len(), 1);
    let run = format!(
        "/api/analytics/imports/{}",
        first["run"]["id"].as_str().unwrap()
    );
    assert_eq!(
        app.acme.viewer.get(&run).await.assert_status(200).json(),
        runs["items"][0]
    );
}

#[tokio::test]
async fn a_large_file_is_loaded_by_the_worker_as_a_whole() {
    let mut app = TestApp::<Analytics>::start().await;
    let source = upload_source(&app.acme.owner, "search-console", json!({})).await;
    let mut file = String::from("date,query,clicks,impressions,position\n");
    for n in 0..20_001 {
        file.push_str(&format!("2026-02-{:02},q{},1,10,2.5\n", n % 28 + 1, n / 2));
    }
    let answer = import(&app.acme.member, &format!("source_id={source}"), file)
        .await
        .assert_status(202)
        .json();
    assert_eq!(answer["run"]["status"], "queued");
    assert_eq!(
        read(&app, "SELECT count(*) FROM analytics.facts").await,
        json!([{ "count": 0 }])
    );
    app.start_jobs();
    let path = format!(
        "/api/analytics/imports/{}",
        answer["run"]["id"].as_str().unwrap()
    );
    let run = async || app.acme.viewer.get(&path).await.assert_status(200).json();
    wait_until(
        async || run().await["status"] == "succeeded",
        Duration::from_secs(30),
    )
    .await;
    let run = run().await;
    assert_eq!(
        (&run["rows_total"], &run["rows_done"]),
        (&json!(20_001), &json!(20_001))
    );
    let sums = "SELECT sum((measures ->> 'clicks')::bigint) AS clicks, sum((measures ->> 'position_weighted_sum')::numeric) AS position \
                FROM analytics.facts";
    assert_eq!(
        read(&app, sums).await,
        json!([{ "clicks": 20_001, "position": 500_025.0 }])
    );
    assert_eq!(
        read(&app, "SELECT count(*) FROM analytics.source_run_pieces").await,
        json!([{ "count": 0 }])
    );
}

#[tokio::test]
async fn orders_and_deals_are_replaced_by_their_number() {
    let app = TestApp::<Analytics>::start().await;
    let owner = &app.acme.owner;
    let shop = upload_source(
        owner,
        "orders",
        json!({ "currency": "EUR", "timezone": "Asia/Kolkata" }),
    )
    .await;
    let orders = "Order,Order date,Customer,SKU,Qty,Price,Country\n\
                  1,2026-03-01 01:00:00,ada,x,2,10.00,IN\n1,2026-03-01 01:00:00,ada,y,1,5.50,IN\n2,2026-03-01 09:00,bob,x,-1,10,IN\n";
    loaded(owner, &shop, orders).await;
    loaded(owner, &shop, orders).await;
    let seen = "SELECT order_id, ordered_at, units, gross_minor, refund_minor, is_order, dims, \
                  (SELECT count(*) FROM analytics.order_lines AS l WHERE l.order_id = o.order_id) AS lines \
                FROM analytics.orders AS o ORDER BY 1";
    let in_india = json!({ "country": "IN" });
    assert_eq!(
        read(&app, seen).await,
        json!([
            { "order_id": "1", "ordered_at": "2026-02-28T19:30:00+00:00", "units": 3, "gross_minor": 2550, "refund_minor": 0,
              "is_order": true, "dims": in_india, "lines": 2 },
            { "order_id": "2", "ordered_at": "2026-03-01T03:30:00+00:00", "units": 0, "gross_minor": 0, "refund_minor": 1000,
              "is_order": false, "dims": in_india, "lines": 1 },
        ])
    );

    let sales = upload_source(owner, "deals", json!({ "date_format": "%d/%m/%Y" })).await;
    let deals = "Deal ID,Create date,Close date,Deal stage,Amount,Currency,Probability\n\
                 7,01/02/2026,15/02/2026,Closed Won,1200.50,usd,\n8,02/02/2026,,Offer,10,USD,40\n";
    loaded(owner, &sales, deals).await;
    loaded(owner, &sales, deals).await;
    let seen = "SELECT deal_id, stage, outcome, amount_minor, currency, probability, closed_at FROM analytics.deals ORDER BY 1";
    assert_eq!(
        read(&app, seen).await,
        json!([
            { "deal_id": "7", "stage": "Closed Won", "outcome": "won", "amount_minor": 120050, "currency": "USD", "probability": 100,
              "closed_at": "2026-02-15T00:00:00+00:00" },
            { "deal_id": "8", "stage": "Offer", "outcome": "open", "amount_minor": 1000, "currency": "USD", "probability": 40,
              "closed_at": null },
        ])
    );
}

#[tokio::test]
async fn a_viewer_may_not_bring_files_and_what_is_no_table_is_refused() {
    let app = TestApp::<Analytics>::start().await;
    let source = upload_source(&app.acme.owner, "google-ads", json!({})).await;
    let query = format!("source_id={source}");
    import(&app.acme.viewer, &query, "date,clicks\n2026-03-01,1\n")
        .await
        .assert_problem(403, "forbidden");
    let code = async |file: &[u8]| {
        let refused = import(&app.acme.member, &query, file.to_vec()).await;
        refused.assert_problem(422, "validation_failed").json()["errors"][0]["code"].clone()
    };
    assert_eq!(code(b"").await, "no_rows");
    assert_eq!(code(b"date,clicks\n").await, "no_rows");
    assert_eq!(
        code(b"date,clicks\n2026-03-01,1,2\n").await,
        "too_many_cells"
    );
    assert_eq!(code(b"date,date,clicks\n").await, "repeated_heading");
    // Money without a currency.
    assert_eq!(code(b"date,cost\n2026-03-01,1\n").await, "required");
    let json = app
        .acme
        .member
        .post(
            &format!("/api/analytics/imports?{query}"),
            json!({ "rows": [] }),
        )
        .await;
    json.assert_problem(415, "unsupported_media_type");
}
