//! How long a search takes in a tenant of 150,000 leads beside another of the same size, under the API role.
#![expect(
    clippy::disallowed_methods,
    reason = "how many leads is asked of whoever measures"
)]

use std::time::{Duration, Instant};

use bz_testkit::TestApp;
use crm::Crm;
use sqlx::{Executor, query_scalar};

/// Leads of each tenant: `SEARCH_LEADS`, or few enough for every run of the tests.
fn leads() -> i32 {
    std::env::var("SEARCH_LEADS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(5_000)
}

const FILL: &str = "INSERT INTO crm.leads (tenant_id, id, first_name, last_name, email, email_norm, phone, phone_norm, \
       company_name, city, created_by, created_at, updated_at) \
     SELECT t, gen_random_uuid(), (ARRAY['Ada','Grace','Alan','Linus','Barbara','Edsger','Donald','Margaret'])[1 + n % 8], \
       initcap(l), 'u' || n || '@' || l || '.example', 'u' || n || '@' || l || '.example', '+4930' || (1000000 + n), \
       '4930' || (1000000 + n), initcap(l) || ' Industries ' || n % 997, (ARRAY['Berlin','Hamburg','Wien','Lyon'])[1 + n % 4], \
       t, now(), now() \
     FROM (SELECT n, (ARRAY['ba','ro','ne','ka','li','mo','ta','ves','der','stein'])[1 + n % 10] \
             || (ARRAY['son','berg','man','ov','ski','ter','wil','hart','gra','fel'])[1 + n / 10 % 10] \
             || (ARRAY['nor','dal','quin','zel','pat','rick','mor','gan','sul','van'])[1 + n / 100 % 10] AS l \
           FROM generate_series($2::int, $3::int) AS n) AS s, unnest($1::uuid[]) AS t";

async fn filled(app: &TestApp<Crm>) {
    let mut admin = app.database.admin().await;
    sqlx::query("SET crm.search_at_once = 1000000")
        .execute(&mut admin)
        .await
        .unwrap();
    let tenants = [app.acme.id().as_uuid(), app.globex.id().as_uuid()];
    let started = Instant::now();
    for start in (1..=leads()).step_by(5_000) {
        let fill = sqlx::query(FILL)
            .bind(tenants.as_slice())
            .bind(start)
            .bind((start + 4_999).min(leads()));
        fill.execute(&mut admin).await.unwrap();
    }
    println!(
        "2 x {} leads written with their documents in {:?}",
        leads(),
        started.elapsed()
    );
    admin
        .execute("VACUUM ANALYZE crm.search_documents")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_search_takes_milliseconds_and_its_statements_use_the_indexes() {
    let app = TestApp::<Crm>::start().await;
    filled(&app).await;
    let mut all: Vec<Duration> = Vec::new();
    let text = [
        "ada%20baberg",
        "barbara",
        "stein",
        "u77@",
        "030%201000077",
        "steinskidal%20industries",
        "grace%20rohart",
        "industries%2042",
        "teinski",
        "katergan",
    ];
    let typed = ["ba", "bar", "grace%20r", "steins", "lin"];
    for (what, path, queries) in [
        ("search", "/api/search?mode=text&q=", &text[..]),
        ("suggest", "/api/search/suggest?q=", &typed[..]),
    ] {
        let mut times = Vec::new();
        for round in 0..6 {
            for query in queries {
                let started = Instant::now();
                app.acme
                    .member
                    .get(&format!("{path}{query}"))
                    .await
                    .assert_status(200);
                // The first round warms the caches and prepares the statements.
                if round > 0 {
                    times.push(started.elapsed());
                }
            }
        }
        times.sort_unstable();
        let at = |part: usize| times[(times.len() - 1) * part / 100];
        println!(
            "{what}: p50 {:?}, p95 {:?}, longest {:?}",
            at(50),
            at(95),
            at(100)
        );
        all.push(at(95));
    }
    // A scan of all documents of a large tenant takes longer than this on any machine.
    assert!(
        all.iter().all(|p95| *p95 < Duration::from_secs(1)),
        "{all:?}"
    );
}

#[tokio::test]
async fn the_statements_of_the_search_use_an_index() {
    let app = TestApp::<Crm>::start().await;
    filled(&app).await;
    let mut admin = app.database.admin().await;
    // As the owner of the functions, whose policy has no condition.
    admin.execute("SET ROLE crm_relay").await.unwrap();
    let tenant = app.acme.id().as_uuid();
    for (condition, index) in [
        (
            "words @@ '''baberg'''::tsquery",
            "search_documents_text_idx",
        ),
        (
            "words @@ '''+7700001'':*'::tsquery",
            "search_documents_text_idx",
        ),
        ("body LIKE '%teinski%'", "search_documents_text_idx"),
        ("title_norm = 'ada baberg'", "search_documents_title_idx"),
        (
            "title_norm >= 'ada b' AND title_norm < 'ada c'",
            "search_documents_title_idx",
        ),
        (
            "sort_norm >= 'bab' AND sort_norm < 'bac'",
            "search_documents_sort_idx",
        ),
    ] {
        let sql = format!(
            "EXPLAIN SELECT * FROM crm.search_documents WHERE tenant_id = '{tenant}' AND {condition} LIMIT 20"
        );
        let plan: Vec<String> = query_scalar(&sql).fetch_all(&mut admin).await.unwrap();
        let plan = plan.join("\n");
        assert!(
            plan.contains(index) && !plan.contains("Seq Scan"),
            "{condition}\n{plan}"
        );
    }
}
