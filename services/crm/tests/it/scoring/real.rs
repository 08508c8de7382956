//! Real leads with real outcomes, from the first to the last step through the API, against the numbers that the library
//! reaches.

use std::collections::HashSet;
use std::path::Path;
use std::time::Instant;

use bz_scoring::Metrics;
use bz_testkit::{TestApp, wait_until};
use crm::Crm;
use serde_json::{Map, Value, json};

use super::{PATIENCE, define, ended, inserted, trained};

/// Leads that are created one by one through the API; the others are inserted as an import does.
const ONE_BY_ONE: usize = 100;

struct Table {
    keys: Vec<String>,
    numbers: Vec<bool>,
    rows: Vec<Vec<String>>,
    test: HashSet<usize>,
}

impl Table {
    fn read() -> Option<Self> {
        let folder = |above: &Path| above.join("shared/data/lead-scoring");
        let found = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .map(folder)
            .find(|folder| folder.is_dir());
        let Some(folder) = found else {
            println!("skipped: no shared data");
            return None;
        };
        let text = std::fs::read_to_string(folder.join("bank-additional-full.csv")).unwrap();
        let cells = |line: &str| {
            line.split(';')
                .map(|cell| cell.trim_matches('"').to_owned())
                .collect::<Vec<_>>()
        };
        let mut lines = text.lines();
        let keys: Vec<String> = cells(lines.next().unwrap())
            .iter()
            .map(|name| name.replace('.', "_"))
            .collect();
        let rows: Vec<Vec<String>> = lines.map(cells).collect();
        let number = |at: usize| rows.iter().all(|row| row[at].parse::<f64>().is_ok());
        let test = std::fs::read_to_string(folder.join("split_bank_test_rows.txt")).unwrap();
        Some(Self {
            numbers: (0..keys.len()).map(number).collect(),
            keys,
            rows,
            test: test.lines().map(|line| line.parse().unwrap()).collect(),
        })
    }

    /// The columns that are features: all but the outcome, and the one that is known only after it.
    fn columns(&self) -> impl Iterator<Item = usize> {
        (0..self.keys.len() - 1).filter(|at| self.keys[*at] != "duration")
    }

    fn custom(&self, row: usize) -> Value {
        let cell = |at: usize| {
            let text = &self.rows[row][at];
            if self.numbers[at] {
                json!(text.parse::<f64>().unwrap())
            } else {
                json!(text)
            }
        };
        let custom: Map<String, Value> = self
            .columns()
            .map(|at| (self.keys[at].clone(), cell(at)))
            .collect();
        custom.into()
    }

    fn won(&self, row: usize) -> bool {
        self.rows[row].last().is_some_and(|last| last == "yes")
    }
}

#[tokio::test]
async fn a_tenants_own_data_gives_a_model_as_good_as_the_librarys() {
    let Some(table) = Table::read() else { return };
    let mut app = TestApp::<Crm>::start().await;
    let fields: Vec<(&str, &str, &str, &str)> = table
        .columns()
        .map(|at| {
            let key = table.keys[at].as_str();
            (
                key,
                key,
                if table.numbers[at] { "number" } else { "text" },
                "include",
            )
        })
        .collect();
    define(&app, &fields).await;
    let training: Vec<usize> = (0..table.rows.len())
        .filter(|row| !table.test.contains(row))
        .collect();
    let (some, others) = training.split_at(ONE_BY_ONE);
    for row in some {
        app.clock.advance(chrono::TimeDelta::milliseconds(1));
        let lead = json!({ "first_name": "x", "external_id": row.to_string(), "custom": table.custom(*row) });
        app.acme
            .member
            .post("/api/leads", lead)
            .await
            .assert_status(201);
    }
    let others: Vec<(String, Value)> = others
        .iter()
        .map(|row| (row.to_string(), table.custom(*row)))
        .collect();
    inserted(&app, bz_testkit::NOW, &others).await;
    app.clock.advance(chrono::TimeDelta::hours(1));
    let outcomes: Vec<(String, bool)> = training
        .iter()
        .map(|row| (row.to_string(), table.won(*row)))
        .collect();
    ended(&app, &outcomes).await;

    let start = Instant::now();
    app.start_jobs();
    let done = trained(&app).await;
    println!("trained in {:?}: {done}", start.elapsed());
    let start = Instant::now();
    let (probabilities, won) = scored(&app, &table).await;
    println!("scored {} leads in {:?}", won.len(), start.elapsed());
    let metrics = Metrics::of(&probabilities, &won).unwrap();
    println!("{metrics:?}");
    assert!(
        metrics.roc_auc >= 0.8157 && metrics.ece <= 0.011,
        "{metrics:?}"
    );
    assert!(
        metrics.log_loss <= 0.2620 && metrics.brier <= 0.0738 && metrics.pr_auc >= 0.4963,
        "{metrics:?}"
    );
    let card = app.acme.viewer.get("/api/scoring/model").await.json();
    assert_eq!(
        (&card["mode"], &card["training"]["rows"]),
        (&json!("gbdt"), &json!(training.len()))
    );

    let unscored = async || {
        let sql = "SELECT count(*) FROM crm.leads WHERE score_mode IS DISTINCT FROM 'gbdt'";
        let left: i64 = sqlx::query_scalar(sql)
            .fetch_one(&mut app.database.admin().await)
            .await
            .unwrap();
        left
    };
    wait_until(async || unscored().await == 0, PATIENCE * 5).await;
    println!("all leads scored {:?} after the training", start.elapsed());
}

/// The test rows through the API.
async fn scored(app: &TestApp<Crm>, table: &Table) -> (Vec<f64>, Vec<bool>) {
    let mut test: Vec<usize> = table.test.iter().copied().collect();
    test.sort_unstable();
    let mut probabilities = Vec::new();
    for rows in test.chunks(1_000) {
        let leads: Vec<Value> = rows
            .iter()
            .map(|row| json!({ "custom": table.custom(*row) }))
            .collect();
        let answer = app
            .acme
            .viewer
            .post("/api/scoring/score?factors=0", json!({ "leads": leads }))
            .await;
        let answer = answer.assert_status(200).json();
        let items = answer["items"].as_array().unwrap().iter();
        probabilities.extend(items.map(|item| item["probability"].as_f64().unwrap()));
    }
    (
        probabilities,
        test.iter().map(|row| table.won(*row)).collect(),
    )
}
