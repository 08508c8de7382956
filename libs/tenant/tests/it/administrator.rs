//! A managed Postgres gives no superuser: an administrator who may create roles is enough.

use std::path::Path;

use bz_kernel::ExposeSecret;
use bz_tenant::migrate::{Migrator, Target};
use bz_testkit::TestDb;
use sqlx::{ConnectOptions, Executor, PgConnection, postgres::PgConnectOptions};
use url::Url;

/// Runs statements one after the other.
async fn all(conn: &mut PgConnection, statements: &[String]) {
    for sql in statements {
        conn.execute(sql.as_str()).await.unwrap();
    }
}

#[tokio::test]
async fn an_administrator_who_is_no_superuser_makes_roles_and_migrators_migrate() {
    let test = TestDb::new().await;
    let mut superuser = test.admin().await;
    // Roles belong to all databases of the server, so these have names of their own and go at the end.
    let id = &test.name()[test.name().len() - 8..];
    let (schema, admin) = (format!("s{id}"), format!("admin_{id}"));
    let setup = [
        format!("CREATE ROLE {admin} LOGIN CREATEROLE PASSWORD 'test'"),
        format!("GRANT CREATE ON DATABASE {} TO {admin}", test.name()),
    ];
    all(&mut superuser, &setup).await;

    let secret = |text: &str| text.to_owned().into();
    let mut url: Url = test.admin_url().expose_secret().parse().unwrap();
    url.set_username(&admin).unwrap();
    url.set_password(Some("test")).unwrap();
    let target = Target::new(secret(url.as_str())).with_passwords([
        (format!("{schema}_migrator"), secret("swordfish")),
        (format!("{schema}_api"), secret("it's a \"secret\"")),
    ]);
    assert!(!format!("{target:?}").contains("swordfish"));
    let migrator = Migrator::from_files(files(&schema), [schema.as_str()]).unwrap();
    for _ in 0..2 {
        migrator.roles(&target).await.unwrap();
        migrator.run(&target).await.unwrap();
    }
    assert!(migrator.status(&target).await.unwrap()[0].is_current());

    let api: PgConnectOptions = url.as_str().parse().unwrap();
    let api = api
        .username(&format!("{schema}_api"))
        .password("it's a \"secret\"");
    let mut api = api
        .connect()
        .await
        .expect("the API role logs in with its password");
    let seen: i64 = sqlx::query_scalar(&format!("SELECT count(*) FROM {schema}.a"))
        .fetch_one(&mut api)
        .await
        .unwrap();
    assert_eq!(seen, 1);

    let mut cleanup = vec![format!("DROP SCHEMA {schema} CASCADE")];
    for role in ["owner", "migrator", "api", "relay"]
        .map(|kind| format!("{schema}_{kind}"))
        .iter()
        .chain([&admin])
    {
        cleanup.push(format!("DROP OWNED BY {role} CASCADE"));
    }
    for role in ["migrator", "owner", "api", "relay"]
        .map(|kind| format!("{schema}_{kind}"))
        .iter()
        .chain([&admin])
    {
        cleanup.push(format!("DROP ROLE {role}"));
    }
    drop(api);
    all(&mut superuser, &cleanup).await;
}

/// The platform's roles, and one table.
fn files(schema: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/roles");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (
                format!("roles/{name}"),
                std::fs::read_to_string(path).unwrap(),
            )
        })
        .collect();
    files.push((
        format!("{schema}/0100_a.sql"),
        "CREATE TABLE a (id int); INSERT INTO a VALUES (1)".to_owned(),
    ));
    files
}
