//! Lists of records, in pages.

use bz_auth::Caller;
use bz_http::{Json, PageQuery, Problem};
use bz_kernel::Page;
use uuid::Uuid;

use super::{Record, access, sql::Sql};
use crate::app::AppState;

/// One page of the records that the caller sees, newest first; `equal` are columns and what they must be.
pub(crate) async fn page<R: Record>(
    app: &AppState,
    caller: &Caller,
    query: PageQuery,
    equal: &[(&'static str, Option<&str>)],
) -> Result<Json<Page<R>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let list = format!("{}?{equal:?}", R::TYPE.plural);
    let page = query.open::<Uuid>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let sight = access::reads(app, &mut tx, caller, R::TYPE).await?;
    let (table, columns) = (R::TYPE.table, R::columns());
    let mut sql = Sql::new(format!(
        "-- {table}.list\nSELECT {columns} FROM {table} WHERE deleted_at IS NULL"
    ));
    sight.push(&mut sql);
    for (column, value) in equal {
        if let Some(value) = value {
            sql.push(" AND ").push(column).push(" = ").bind(*value);
        }
    }
    if let Some(after) = page.after {
        sql.push(" AND id < ").bind(after);
    }
    sql.push(" ORDER BY id DESC LIMIT ")
        .bind(i64::from(page.limit) + 1);
    let records: Vec<R> = sql.fetch_all(&mut tx).await?;
    Ok(Json(Page::cut(records, page.limit, |last: &R| {
        cursors.seal(tenant, &list, &last.head().id)
    })))
}
