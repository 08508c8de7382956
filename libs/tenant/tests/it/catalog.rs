//! Every rule of the schema, shown by something that breaks it and nothing else.

use bz_tenant::catalog::{self, Exceptions};
use bz_testkit::TestDb;
use sqlx::Executor;

use crate::support::NOTES;

/// What breaks a rule, after the table of notes was made by the rules: the rule, the object it must name, the SQL.
const BROKEN: &[(&str, &str, &str)] = &[
    ("tenant_column", "crm.loose", "SET ROLE crm_owner; CREATE TABLE crm.loose (id uuid PRIMARY KEY)"),
    ("tenant_column", "crm.notes", "ALTER TABLE crm.notes ALTER tenant_id DROP DEFAULT"),
    (
        "tenant_column",
        "crm.notes",
        "ALTER TABLE crm.notes DROP CONSTRAINT notes_pkey;
         ALTER TABLE crm.notes ALTER tenant_id DROP NOT NULL",
    ),
    ("row_security", "crm.notes", "ALTER TABLE crm.notes DISABLE ROW LEVEL SECURITY"),
    ("row_security", "crm.notes", "ALTER TABLE crm.notes NO FORCE ROW LEVEL SECURITY"),
    ("tenant_policy", "crm.notes", "DROP POLICY tenant_isolation ON crm.notes"),
    (
        // Without WITH CHECK, and evaluated for each row.
        "tenant_policy",
        "crm.notes",
        "DROP POLICY tenant_isolation ON crm.notes;
         CREATE POLICY tenant_isolation ON crm.notes
           USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    ),
    ("open_policy", "crm.notes.everybody", "CREATE POLICY everybody ON crm.notes FOR SELECT USING (true)"),
    (
        "open_policy",
        "crm.notes.lenient",
        "CREATE POLICY lenient ON crm.notes TO crm_api
           USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))",
    ),
    (
        "foreign_key",
        "crm.notes.notes_parent_fkey",
        "ALTER TABLE crm.notes ADD parent uuid, ADD parent_tenant uuid,
           ADD CONSTRAINT notes_parent_fkey FOREIGN KEY (parent_tenant, parent) REFERENCES crm.notes (tenant_id, id)",
    ),
    (
        "foreign_key",
        "crm.notes.notes_parent_fkey",
        "ALTER TABLE crm.notes ADD parent uuid, ADD CONSTRAINT notes_parent_fkey
           FOREIGN KEY (tenant_id, parent) REFERENCES crm.notes (tenant_id, id) ON DELETE SET NULL",
    ),
    ("tenant_index", "crm.notes_body_key", "ALTER TABLE crm.notes ADD CONSTRAINT notes_body_key UNIQUE (body)"),
    ("tenant_index", "crm.notes_body_idx", "CREATE INDEX notes_body_idx ON crm.notes (body, tenant_id)"),
    ("tenant_index", "crm.notes_lower_idx", "CREATE INDEX notes_lower_idx ON crm.notes (lower(body))"),
    (
        "valid_index",
        "crm.notes_pkey",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'crm.notes_pkey'::regclass",
    ),
    ("view", "crm.open_notes", "SET ROLE crm_owner; CREATE VIEW crm.open_notes AS SELECT * FROM crm.notes"),
    (
        "view",
        "crm.stored_notes",
        "SET ROLE crm_owner; CREATE MATERIALIZED VIEW crm.stored_notes AS SELECT 1 AS one",
    ),
    (
        "partition_grant",
        "crm.log_1",
        "SET ROLE crm_owner;
         CREATE TABLE crm.log (LIKE crm.notes INCLUDING ALL) PARTITION BY HASH (tenant_id);
         ALTER TABLE crm.log ENABLE ROW LEVEL SECURITY;
         ALTER TABLE crm.log FORCE ROW LEVEL SECURITY;
         CREATE POLICY tenant_isolation ON crm.log
           USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
           WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
         CREATE TABLE crm.log_0 PARTITION OF crm.log FOR VALUES WITH (MODULUS 2, REMAINDER 0);
         REVOKE ALL ON crm.log_0 FROM crm_api;
         CREATE TABLE crm.log_1 PARTITION OF crm.log FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
    ),
    (
        "security_definer",
        "crm.peek",
        "SET ROLE crm_owner;
         CREATE FUNCTION crm.peek() RETURNS bigint SECURITY DEFINER SET search_path = crm
           RETURN (SELECT count(*) FROM crm.notes);
         ALTER FUNCTION crm.peek() OWNER TO crm_relay",
    ),
    ("definer_form", "crm.events_after", "ALTER FUNCTION crm.events_after OWNER TO crm_owner"),
    ("definer_form", "crm.events_after", "ALTER FUNCTION crm.events_after RESET search_path"),
    ("public_grant", "crm.notes", "GRANT SELECT ON crm.notes TO PUBLIC"),
    ("public_grant", "crm.events_after", "GRANT EXECUTE ON FUNCTION crm.events_after TO PUBLIC"),
    ("public_grant", "crm", "GRANT USAGE ON SCHEMA crm TO PUBLIC"),
    ("api_grant", "crm.notes", "GRANT TRUNCATE ON crm.notes TO crm_api"),
    ("owner", "crm.notes", "ALTER TABLE crm.notes OWNER TO crm_migrator"),
];

#[tokio::test]
async fn each_way_to_break_a_rule_is_found_and_named() {
    let test = TestDb::new().await;
    let mut admin = test.admin().await;
    for (rule, object, sql) in BROKEN {
        admin.execute("BEGIN").await.unwrap();
        admin.execute(NOTES).await.unwrap();
        assert_eq!(
            catalog::check_schema(&mut admin, "crm").await.unwrap(),
            [],
            "before {sql}"
        );
        admin.execute(*sql).await.unwrap();
        admin.execute("RESET ROLE").await.unwrap();
        let violations = catalog::check_schema(&mut admin, "crm").await.unwrap();
        admin.execute("ROLLBACK").await.unwrap();
        let found: Vec<_> = violations
            .iter()
            .map(|violation| (violation.rule, violation.object.as_str()))
            .collect();
        assert_eq!(found, [(*rule, *object)], "{sql}\n{violations:#?}");
    }
}

#[tokio::test]
async fn a_schema_that_does_not_exist_is_not_a_clean_one() {
    let test = TestDb::new().await;
    let violations = catalog::check_schema(&mut test.admin().await, "nowhere")
        .await
        .unwrap();
    assert_eq!(
        violations[0].to_string(),
        "nowhere the schema does not exist: run \"bizosaas migrate\" (rule schema_exists)"
    );
}

#[test]
fn every_rule_is_shown_to_be_broken_by_something() {
    for rule in catalog::rules().filter(|rule| *rule != "schema_exists") {
        assert!(
            BROKEN.iter().any(|(shown, _, _)| *shown == rule),
            "no test breaks {rule}"
        );
    }
}

#[tokio::test]
async fn every_exception_is_still_needed_and_says_why() {
    let test = TestDb::new().await;
    let mut admin = test.admin().await;
    let mut found = Vec::new();
    for service in bz_kernel::platform::SERVICES {
        found.extend(catalog::find_all(&mut admin, service.schema).await.unwrap());
    }
    for exception in Exceptions::embedded().unwrap().entries() {
        let needed = found
            .iter()
            .any(|violation| exception.covers(violation.rule, &violation.object));
        assert!(
            needed,
            "remove {} of {}: nothing breaks that rule",
            exception.object, exception.rule
        );
    }
}

#[test]
fn an_exception_without_a_reason_is_refused() {
    let entry = "[[exception]]\nrule = \"view\"\nobject = \"crm.x\"\nreason = \" \"";
    assert!(
        Exceptions::parse(entry)
            .unwrap_err()
            .to_string()
            .contains("no reason for crm.x")
    );
    Exceptions::parse("[[exception]]\nrule = \"view\"\nobject = \"crm.x\"").unwrap_err();
}
