//! Words typed with errors: which are found, whose they are, and when they are forgotten.

use bz_testkit::TestApp;
use crm::Crm;
use serde_json::json;
use sqlx::query_scalar;

use crate::search::{ada, found, make};

#[tokio::test]
async fn errors_of_all_kinds_are_found_and_what_is_only_a_little_alike_is_not() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    make(member, "/api/leads", ada()).await;
    make(
        member,
        "/api/contacts",
        json!({ "first_name": "Donald", "last_name": "Knuth", "city": "Lissabon" }),
    )
    .await;
    for query in [
        "donlad",
        "dnoald",
        "donal",
        "donnald",
        "donadl%20knuht",
        "don%20ald",
        "kunth",
        "knuuth",
        "lisabon",
        "lissabom",
    ] {
        let path = format!("q={query}&mode=text");
        assert_eq!(found(member, &path).await, ["Donald Knuth"], "{query}");
    }
    for query in ["ronald%20reagan", "knuth%20lovelase", "kitchen"] {
        let path = format!("q={query}&mode=text");
        assert!(found(member, &path).await.is_empty(), "{query}");
    }
}

#[tokio::test]
async fn words_are_of_one_tenant_and_forgotten_with_the_last_document_that_has_them() {
    let app = TestApp::<Crm>::start().await;
    let mut admin = app.database.admin().await;
    let (acme, globex) = (&app.acme.member, &app.globex.member);
    let mut words = async |word: &str| -> i64 {
        let count = "SELECT count(*) FROM crm.search_words WHERE word = $1";
        let count = query_scalar(count).bind(word).fetch_one(&mut admin);
        count.await.unwrap()
    };
    let first = make(acme, "/api/leads", ada()).await;
    let second = json!({ "first_name": "Ada", "last_name": "Lovelace", "company_name": "Analytical Engines" });
    let second = make(acme, "/api/leads", second).await;
    assert_eq!(words("lovelace").await, 1);
    assert!(found(globex, "q=lovelase&mode=text").await.is_empty());
    make(globex, "/api/leads", ada()).await;
    assert_eq!(words("lovelace").await, 2);

    let purge = async || {
        let mut tx = app.db().system().await.unwrap();
        let purge = "SELECT crm.purge_search_words(1000)";
        let looked_at: i64 = query_scalar(purge).fetch_one(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();
        looked_at
    };
    let path = format!("/api/leads/{first}");
    acme.delete(&path).await.assert_status(204);
    assert!(purge().await > 0);
    assert_eq!(words("lovelace").await, 2, "another lead has it");
    let path = format!("/api/leads/{second}");
    let renamed = json!({ "last_name": "Byron" });
    acme.patch(&path, renamed).await.assert_status(200);
    assert_eq!(purge().await, 1, "only what the change took away");
    assert_eq!(words("lovelace").await, 1, "the other tenant's");
    assert_eq!(words("byron").await, 1);
    assert_eq!(words("analytical").await, 2);
    assert_eq!(found(acme, "q=bryon&mode=text").await, ["Ada Byron"]);
}
