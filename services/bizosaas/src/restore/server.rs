//! The databases of a server: which one to fill, and scratch ones.

use anyhow::{Context, bail, ensure};
use bz_kernel::Rng;
use bz_tenant::migrate::Target;
use sqlx::{Connection, Executor, PgConnection};

use crate::backup::server_version;
use crate::operator::Operator;

/// The database that every server has, from where others are made.
const MAINTENANCE: &str = "postgres";

/// What is in a database that nothing was done to is in `pg_catalog`, in an extension, or one of these.
const OCCUPANTS: &str = "
    SELECT n.nspname::text FROM pg_namespace n
    WHERE NOT starts_with(n.nspname, 'pg_') AND n.nspname NOT IN ('information_schema', 'public')
    UNION ALL
    SELECT 'public.' || c.relname FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('public')
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1 LIMIT 1";

/// The database server, as its administrator.
pub(super) struct Server {
    target: Target,
    pub(super) major: u32,
}

impl Server {
    pub(super) async fn of(operator: &Operator) -> anyhow::Result<Self> {
        // The configured database may be the one that was lost.
        let maintenance = operator.target().on(MAINTENANCE);
        let (target, mut conn) = match maintenance.connect().await {
            Ok(conn) => (maintenance, conn),
            Err(_) => (operator.target(), operator.target().connect().await?),
        };
        let major = server_version(&mut conn).await?.major;
        conn.close().await?;
        Ok(Self { target, major })
    }

    /// Makes a database for a verification and answers its name.
    pub(super) async fn create_scratch(&self) -> anyhow::Result<String> {
        let unique: [u8; 6] = Rng::system().bytes();
        let name = format!("bizosaas_verify_{}", hex::encode(unique));
        self.create(&mut self.target.connect().await?, &name)
            .await?;
        Ok(name)
    }

    pub(super) async fn drop_scratch(&self, name: &str) -> anyhow::Result<()> {
        let mut conn = self.target.connect().await?;
        let sql = format!("DROP DATABASE {} WITH (FORCE)", quoted(name)?);
        let dropped = conn.execute(sql.as_str()).await;
        dropped.with_context(|| format!("the scratch database {name} stays behind"))?;
        Ok(())
    }

    /// Makes the database if there is none, and refuses one with anything in it.
    pub(super) async fn prepare(&self, name: &str) -> anyhow::Result<String> {
        let mut conn = self.target.connect().await?;
        let sql = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
        let exists: bool = sqlx::query_scalar(sql)
            .bind(name)
            .fetch_one(&mut conn)
            .await?;
        if exists {
            let mut conn = self.target.clone().on(name).connect().await?;
            let found: Option<String> = sqlx::query_scalar(OCCUPANTS)
                .fetch_optional(&mut conn)
                .await?;
            if let Some(found) = found {
                bail!(
                    "database {name} is not empty, {found} is in it: name one that is empty or does not exist"
                );
            }
        } else {
            self.create(&mut conn, name).await?;
        }
        // `pg_restore` takes more than a name for a name.
        quoted(name)?;
        Ok(name.to_owned())
    }

    async fn create(&self, conn: &mut PgConnection, name: &str) -> anyhow::Result<()> {
        let sql = format!("CREATE DATABASE {} TEMPLATE template0", quoted(name)?);
        let created = conn.execute(sql.as_str()).await;
        created.with_context(|| format!("cannot make database {name}"))?;
        Ok(())
    }
}

/// A name in quotes, if it is a name and nothing else.
fn quoted(name: &str) -> anyhow::Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    ensure!(
        !name.is_empty() && name.chars().all(plain),
        "{name:?} is not a name for a database: letters, digits, `_`, `-` and `.` are"
    );
    Ok(format!("\"{name}\""))
}
