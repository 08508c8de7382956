//! Pages of records that pass a filter or stand beside another record.

use bz_auth::Caller;
use bz_http::{Json, PageQuery, Problem};
use bz_kernel::Page;
use uuid::Uuid;

use super::{
    Record, RecordType, access, custom,
    filter::{Context, Filter},
    sql::Sql,
};
use crate::app::AppState;

/// One page of the records that pass, newest first; `name` tells the list from others.
pub(crate) async fn filtered<R: Record>(
    app: &AppState,
    caller: &Caller,
    query: PageQuery,
    (name, filter): (&str, &Filter),
) -> Result<Json<Page<R>>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let custom = custom::definitions(app, &mut tx).await?;
    let mut condition = Sql::default();
    let context = Context {
        record: R::TYPE,
        custom: &custom,
        me: caller.user,
    };
    filter.push(context, &mut condition)?;
    page(app, caller, &mut tx, query, (name, condition)).await
}

/// One page of the records that stand beside another one; `condition` picks them.
///
/// # Errors
/// 404 when the other one is not there for the caller.
pub(crate) async fn beside<R: Record>(
    app: &AppState,
    caller: &Caller,
    (other, id): (&RecordType, Uuid),
    query: PageQuery,
    condition: Sql,
) -> Result<Json<Page<R>>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let sight = access::reads(app, &mut tx, caller, other).await?;
    let table = other.table;
    let mut sql = Sql::new(format!(
        "-- {table}.seen\nSELECT id FROM {table} WHERE deleted_at IS NULL AND id = "
    ));
    sql.bind(id);
    sight.push(&mut sql);
    let seen: Option<(Uuid,)> = sql.fetch_optional(&mut tx).await?;
    seen.ok_or_else(Problem::not_found)?;
    let name = format!("{}/{id}", other.plural);
    page(app, caller, &mut tx, query, (&name, condition)).await
}

/// `condition` begins with ` AND`, or is empty; `name` tells its list from others.
async fn page<R: Record>(
    app: &AppState,
    caller: &Caller,
    tx: &mut bz_tenant::TenantTx,
    query: PageQuery,
    (name, condition): (&str, Sql),
) -> Result<Json<Page<R>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let (table, columns) = (R::TYPE.table, R::columns());
    let list = format!("{}?{name}", R::TYPE.plural);
    let page = query.open::<Uuid>(cursors, tenant, &list)?;
    let mut sql = condition;
    sql.begin(&format!(
        "-- {table}.page\nSELECT {columns} FROM {table} WHERE deleted_at IS NULL"
    ));
    access::reads(app, tx, caller, R::TYPE)
        .await?
        .push(&mut sql);
    if let Some(after) = page.after {
        sql.push(" AND id < ").bind(after);
    }
    sql.push(" ORDER BY id DESC LIMIT ")
        .bind(i64::from(page.limit) + 1);
    let records: Vec<R> = sql.fetch_all(tx).await?;
    Ok(Json(Page::cut(records, page.limit, |last: &R| {
        cursors.seal(tenant, &list, &last.head().id)
    })))
}
