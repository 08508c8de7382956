//! Whose records a search finds, and what its functions do not reveal.

use bz_testkit::{Tenant, TestApp};
use crm::Crm;
use serde_json::json;

use crate::search::{ada, found, make};

#[tokio::test]
async fn nobody_finds_what_they_do_not_see() {
    let app = TestApp::<Crm>::start().await;
    make(
        &app.acme.owner,
        "/api/leads",
        json!({ "first_name": "Secret", "last_name": "Owners" }),
    )
    .await;
    make(
        &app.acme.member,
        "/api/leads",
        json!({ "first_name": "Secret", "last_name": "Members" }),
    )
    .await;
    make(
        &app.acme.owner,
        "/api/contacts",
        json!({ "first_name": "Secret", "last_name": "Contact" }),
    )
    .await;
    make(
        &app.globex.member,
        "/api/leads",
        json!({ "first_name": "Secret", "last_name": "Globex" }),
    )
    .await;
    let narrow = "INSERT INTO crm.record_access (tenant_id, role, record_type, reads, writes, updated_at) \
                  VALUES ($1, 'member', 'lead', 'own', 'own', now()), ($1, 'member', 'contact', 'none', 'none', now()), \
                         ($1, 'viewer', 'lead', 'team', 'none', now())";
    let mut admin = app.database.admin().await;
    sqlx::query(narrow)
        .bind(app.acme.id().as_uuid())
        .execute(&mut admin)
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;

    assert_eq!(
        found(&app.globex.member, "q=secret").await,
        ["Secret Globex"]
    );
    assert_eq!(found(&app.acme.owner, "q=secret").await.len(), 3);
    assert_eq!(
        found(&app.acme.member, "q=secret").await,
        ["Secret Members"]
    );
    let suggested = app
        .acme
        .member
        .get("/api/search/suggest?q=se")
        .await
        .assert_status(200)
        .json();
    assert_eq!(suggested["items"].as_array().unwrap().len(), 1);
    // Of a team only its own members see the records.
    assert_eq!(
        found(&app.acme.viewer, "q=secret").await,
        ["Secret Contact"]
    );
    let team = "WITH t AS (INSERT INTO crm.teams (tenant_id, id, name, created_at, updated_at) \
                  VALUES ($1, gen_random_uuid(), 'Sales', now(), now()) RETURNING id), \
                m AS (INSERT INTO crm.team_members (tenant_id, user_id, team_id) SELECT $1, $2, id FROM t) \
                UPDATE crm.leads SET team_id = t.id FROM t WHERE tenant_id = $1 AND last_name = 'Owners'";
    let viewer = Tenant::Acme.user(bz_testkit::Role::Viewer);
    let team = sqlx::query(team)
        .bind(app.acme.id().as_uuid())
        .bind(viewer.as_uuid());
    team.execute(&mut admin).await.unwrap();
    assert_eq!(found(&app.acme.viewer, "q=secret").await.len(), 2);
    // Without the permission of a type its records are not searched, whatever the search itself allows.
    let searcher = app.tokens.user_claims(Tenant::Acme, viewer, &[]);
    let searcher = bz_auth::Claims {
        entitlements: vec!["search:read".to_owned(), "contacts:read".to_owned()],
        ..searcher
    };
    let searcher = app.anonymous.with_token(app.tokens.sign(&searcher));
    assert_eq!(found(&searcher, "q=secret").await, ["Secret Contact"]);
}

#[tokio::test]
async fn the_functions_answer_nothing_without_a_tenant_and_the_table_nothing_at_all() {
    let app = TestApp::<Crm>::start().await;
    make(&app.acme.member, "/api/leads", ada()).await;
    for (call, code) in [
        (
            "SELECT count(*) FROM crm.search_text('ada', '{}', '{}', NULL, '{lead}', '{}', '{}', gen_random_uuid(), 10)",
            "42704",
        ),
        (
            "SELECT count(*) FROM crm.search_titles('ada', '{lead}', '{}', '{}', gen_random_uuid(), 10)",
            "42704",
        ),
        (
            "SELECT count(*) FROM crm.search_show('{lead}', '{}', '{lead}', '{}', '{}', gen_random_uuid())",
            "42704",
        ),
        (
            "SELECT count(*) FROM crm.search_near('[1]', 'm', '{lead}', '{}', '{}', gen_random_uuid(), 10, 10)",
            "42704",
        ),
        (
            "SELECT count(*) FROM crm.search_text('ada', '{}', '{}', NULL, '{lead}', '{}', '{}', gen_random_uuid(), 10, NULL)",
            "42704",
        ),
        (
            "SELECT count(*) FROM crm.search_near('[1]', 'm', '{lead}', '{}', '{}', gen_random_uuid(), 10, 10, NULL)",
            "42704",
        ),
        (
            "SELECT count(*) FROM crm.embedding_texts('{lead}', '{}')",
            "42704",
        ),
        ("SELECT crm.forget_search_documents(1)", "42704"),
        ("SELECT crm.forget_search_words(1)", "42704"),
        ("SELECT crm.forget_search_words_left(1)", "42704"),
        ("SELECT count(*) FROM crm.search_documents", "42501"),
        ("SELECT count(*) FROM crm.search_words", "42501"),
        ("SELECT count(*) FROM crm.search_words_left", "42501"),
        ("SELECT count(*) FROM crm.search_embeddings", "42501"),
    ] {
        let mut tx = app.db().system().await.unwrap();
        let error = sqlx::query_scalar::<_, i64>(call)
            .fetch_one(tx.conn())
            .await
            .unwrap_err();
        let found = error
            .as_database_error()
            .unwrap()
            .code()
            .unwrap()
            .into_owned();
        // A connection that had a tenant before has an empty setting.
        assert!(
            found == code || (code == "42704" && found == "22P02"),
            "{call}: {error}"
        );
    }
}
