//! Whether row-level security keeps two tenants apart in every table, tried with real rows.

mod candidates;
mod table;

use bz_tenant::{Db, TenantTx};
use sqlx::{Executor, PgConnection, Postgres};

use self::table::{Table, tables};
use crate::{Tenant, TestDb};

/// SQLSTATE of a missing right and of a row that a policy refuses.
const REFUSED: &str = "42501";
/// SQLSTATE of a setting that was never made, and of one that is empty because an earlier transaction made it.
const NO_TENANT: [&str; 2] = ["42704", "22P02"];

/// Statements that make a row of a table whose columns the check cannot guess: the table (`crm.leads`) and an `INSERT`
/// with `{tenant}` where the tenant's id goes.
pub type Rows<'a> = &'a [(&'a str, &'a str)];

/// What is wrong, one line each.
///
/// # Panics
/// When the database does not answer.
pub async fn leaks(database: &TestDb, schema: &'static str, rows: Rows<'_>) -> Vec<String> {
    let mut admin = database.admin().await;
    admin
        .execute("SET session_replication_role = replica")
        .await
        .expect("a superuser may");
    let db = database.db(schema);
    let mut leaks = Vec::new();
    let tables = tables(&mut admin, schema)
        .await
        .expect("the catalog can be read");
    if tables.is_empty() {
        leaks.push(format!("{schema} has no table with a tenant"));
    }
    for table in tables {
        let given = rows.iter().find(|(name, _)| *name == table.name);
        let insert = given.map_or_else(|| table.insert(), |(_, insert)| (*insert).to_owned());
        let mut probe = Probe {
            db: &db,
            table: &table,
            insert,
            leaks: &mut leaks,
        };
        probe.run(&mut admin).await;
    }
    leaks
}

/// Puts a row of a tenant into every table that has none of it, where the check can guess one.
///
/// # Panics
/// When the database does not answer.
pub async fn fill(database: &TestDb, schema: &'static str, tenant: Tenant) {
    let mut admin = database.admin().await;
    admin
        .execute("SET session_replication_role = replica")
        .await
        .expect("a superuser may");
    let tables = tables(&mut admin, schema)
        .await
        .expect("the catalog can be read");
    for table in tables {
        let insert = table.insert().replace("{tenant}", &tenant.id().to_string());
        outcome(&mut admin, &insert).await;
    }
}

struct Probe<'a> {
    db: &'a Db,
    table: &'a Table,
    insert: String,
    leaks: &'a mut Vec<String>,
}

/// What a statement did.
#[derive(Debug)]
enum Outcome {
    Rows(u64),
    Failed(String, String),
}

impl Probe<'_> {
    async fn run(&mut self, admin: &mut PgConnection) {
        let insert = self.insert_for(Tenant::Acme);
        match outcome(admin, &insert).await {
            Outcome::Rows(1) => {}
            Outcome::Rows(_) => {
                return self.leak("gets no row by itself: give the check an INSERT for it");
            }
            Outcome::Failed(_, message) => {
                return self.leak(&format!(
                    "gets no row by itself ({message}): give the check an INSERT for it"
                ));
            }
        }
        self.own_row_is_seen().await;
        self.others_reach_nothing().await;
        self.without_a_tenant_nothing_works().await;
    }

    /// Without this a policy that shows nothing to anybody would pass.
    async fn own_row_is_seen(&mut self) {
        match self.as_tenant(Tenant::Acme, &self.select()).await {
            Outcome::Rows(1) => {}
            // The API reaches the table through functions only.
            Outcome::Failed(code, _) if code == REFUSED => {}
            other => self.leak(&format!("does not show a tenant its own row: {other:?}")),
        }
    }

    async fn others_reach_nothing(&mut self) {
        let reading = [
            ("sees", self.select()),
            ("updates", self.update("tenant_id")),
            ("deletes", self.delete()),
        ];
        for (verb, sql) in reading {
            match self.as_tenant(Tenant::Globex, &sql).await {
                Outcome::Rows(0) => {}
                Outcome::Failed(code, _) if code == REFUSED => {}
                other => self.leak(&format!("another tenant {verb} rows: {other:?}")),
            }
        }
        let giving = self.update(&literal(Tenant::Globex));
        let writing = [
            (
                "inserts for another tenant",
                Tenant::Globex,
                self.insert_for(Tenant::Acme),
            ),
            ("gives a row to another tenant", Tenant::Acme, giving),
        ];
        for (verb, tenant, sql) in writing {
            match self.as_tenant(tenant, &sql).await {
                Outcome::Failed(code, _) if code == REFUSED => {}
                other => self.leak(&format!("a tenant {verb}: {other:?}")),
            }
        }
    }

    async fn without_a_tenant_nothing_works(&mut self) {
        let statements = [
            self.select(),
            self.update("tenant_id"),
            self.delete(),
            self.insert_for(Tenant::Acme),
        ];
        for sql in statements {
            let mut tx = self.db.system().await.expect("the database answers");
            match outcome(tx.conn(), &sql).await {
                Outcome::Failed(code, _)
                    if code == REFUSED || NO_TENANT.contains(&code.as_str()) => {}
                other => {
                    let verb = sql.split(' ').next().unwrap_or_default().to_owned();
                    self.leak(&format!("{verb} works without a tenant: {other:?}"));
                }
            }
        }
    }

    async fn as_tenant(&self, tenant: Tenant, sql: &str) -> Outcome {
        let mut tx: TenantTx = self
            .db
            .tenant(&tenant.scope())
            .await
            .expect("the database answers");
        outcome(tx.conn(), sql).await
    }

    fn leak(&mut self, what: &str) {
        self.leaks.push(format!("{}: {what}", self.table.name));
    }

    fn select(&self) -> String {
        format!("SELECT 1 FROM {}", self.table.name)
    }

    fn update(&self, tenant: &str) -> String {
        format!("UPDATE {} SET tenant_id = {tenant}", self.table.name)
    }

    fn delete(&self) -> String {
        format!("DELETE FROM {}", self.table.name)
    }

    fn insert_for(&self, tenant: Tenant) -> String {
        self.insert.replace("{tenant}", &tenant.id().to_string())
    }
}

fn literal(tenant: Tenant) -> String {
    format!("'{}'::uuid", tenant.id())
}

async fn outcome(conn: impl Executor<'_, Database = Postgres>, sql: &str) -> Outcome {
    match conn.execute(sql).await {
        Ok(done) => Outcome::Rows(done.rows_affected()),
        Err(error) => {
            let code = error
                .as_database_error()
                .and_then(sqlx::error::DatabaseError::code);
            Outcome::Failed(code.unwrap_or_default().into_owned(), error.to_string())
        }
    }
}
