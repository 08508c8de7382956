//! What users and groups have in common: the endpoints of RFC 7644 section 3, each written once for both.

use std::fmt::Display;

use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem, Query};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use sqlx::FromRow;

use super::{
    ScimManage, answer,
    body::ScimBody,
    patch::{self, Shape},
    query::{ScimQuery, Wanted},
};
use crate::{app::AppState, changes::By, members, origin::Origin};

/// When a resource was made and changed.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Record {
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) version: i64,
}

/// A user or a group. The tenant's memberships are locked when one is made, changed or deleted.
pub(super) trait Resource: Sized + Send + 'static {
    /// Names it.
    type Id: DeserializeOwned + Display + Copy + Send + Sync;
    /// What a directory writes of it.
    type Written: Send + Sync;

    /// What it is: `User`, found below `/Users`.
    const NAME: &'static str;
    const SCHEMA: &'static str;
    /// What a change may name.
    const SHAPE: Shape;

    fn id(&self) -> Self::Id;
    fn record(&self) -> &Record;

    /// The resource without what only we write.
    fn to_resource(&self, app: &AppState) -> Map<String, Value>;

    /// Reads a resource. What is not known here is left out (RFC 7644 section 3.3).
    ///
    /// # Errors
    /// 400 `invalidValue`.
    fn read(resource: &Map<String, Value>) -> Result<Self::Written, Problem>;

    /// The same of one that is to be made.
    ///
    /// # Errors
    /// 400 `invalidValue`.
    fn read_new(resource: &Map<String, Value>) -> Result<Self::Written, Problem> {
        Self::read(resource)
    }

    fn find(
        tx: &mut TenantTx,
        id: Self::Id,
    ) -> impl Future<Output = Result<Option<Self>, DbError>> + Send;

    /// How many pass a filter, and those that are wanted of them.
    ///
    /// # Errors
    /// 400 `invalidFilter`.
    fn list(
        tx: &mut TenantTx,
        wanted: &Wanted,
    ) -> impl Future<Output = Result<(i64, Vec<Self>), Problem>> + Send;

    fn create(
        tx: &mut TenantTx,
        app: &AppState,
        by: By<'_>,
        wanted: &Self::Written,
    ) -> impl Future<Output = Result<Self::Id, Problem>> + Send;

    /// Writes what a directory wants, with all that follows from it.
    fn apply(
        self,
        tx: &mut TenantTx,
        app: &AppState,
        by: By<'_>,
        wanted: &Self::Written,
    ) -> impl Future<Output = Result<(), Problem>> + Send;

    fn delete(
        self,
        tx: &mut TenantTx,
        app: &AppState,
        by: By<'_>,
    ) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// Section 3.4.1.
pub(super) async fn get<R: Resource>(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Path(id): Path<R::Id>,
    Query(query): Query<ScimQuery>,
) -> Result<Response, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let found = found::<R>(&mut tx, id).await?;
    Ok(one(&app, StatusCode::OK, &found, &query))
}

/// Section 3.4.2: those that pass a filter, in the order of their making unless another one is wanted.
pub(super) async fn list<R: Resource>(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Query(query): Query<ScimQuery>,
) -> Result<Response, Problem> {
    let wanted = query.wanted()?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let (total, found) = R::list(&mut tx, &wanted).await?;
    let items = found
        .iter()
        .map(|resource| to_json(&app, resource))
        .collect();
    Ok(answer::list(total, wanted.start, items, &query))
}

/// Section 3.3.
pub(super) async fn create<R: Resource>(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Query(query): Query<ScimQuery>,
    origin: Origin,
    ScimBody(resource): ScimBody,
) -> Result<Response, Problem> {
    let wanted = R::read_new(&resource)?;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    members::store::lock_all(&mut tx).await?;
    let id = R::create(&mut tx, &app, By::new(&caller, &origin), &wanted).await?;
    let created = found::<R>(&mut tx, id).await?;
    tx.commit().await?;
    app.wake();
    Ok(one(&app, StatusCode::CREATED, &created, &query))
}

/// Section 3.5.1.
pub(super) async fn replace<R: Resource>(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Path(id): Path<R::Id>,
    Query(query): Query<ScimQuery>,
    if_match: IfMatch,
    origin: Origin,
    ScimBody(resource): ScimBody,
) -> Result<Response, Problem> {
    let by = By::new(&caller, &origin);
    let changed = change::<R>(&app, by, id, &if_match, |_| R::read(&resource)).await?;
    Ok(one(&app, StatusCode::OK, &changed, &query))
}

/// Section 3.5.2.
pub(super) async fn patch<R: Resource>(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Path(id): Path<R::Id>,
    Query(query): Query<ScimQuery>,
    if_match: IfMatch,
    origin: Origin,
    ScimBody(request): ScimBody,
) -> Result<Response, Problem> {
    let by = By::new(&caller, &origin);
    let patched = |before: &R| {
        let mut resource = before.to_resource(&app);
        patch::apply(&mut resource, &R::SHAPE, &request)?;
        R::read(&resource)
    };
    let changed = change::<R>(&app, by, id, &if_match, patched).await?;
    Ok(one(&app, StatusCode::OK, &changed, &query))
}

/// Section 3.6.
pub(super) async fn delete<R: Resource>(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Path(id): Path<R::Id>,
    if_match: IfMatch,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let before = locked::<R>(&mut tx, id, &if_match).await?;
    before
        .delete(&mut tx, &app, By::new(&caller, &origin))
        .await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}

async fn change<R: Resource>(
    app: &AppState,
    by: By<'_>,
    id: R::Id,
    if_match: &IfMatch,
    wanted: impl FnOnce(&R) -> Result<R::Written, Problem> + Send,
) -> Result<R, Problem> {
    let mut tx = app.core.db.tenant(&by.caller.scope).await?;
    let before = locked::<R>(&mut tx, id, if_match).await?;
    let wanted = wanted(&before)?;
    before.apply(&mut tx, app, by, &wanted).await?;
    let changed = found::<R>(&mut tx, id).await?;
    tx.commit().await?;
    app.wake();
    Ok(changed)
}

async fn locked<R: Resource>(
    tx: &mut TenantTx,
    id: R::Id,
    if_match: &IfMatch,
) -> Result<R, Problem> {
    members::store::lock_all(tx).await?;
    let before = found::<R>(tx, id).await?;
    if_match.check(before.record().version)?;
    Ok(before)
}

async fn found<R: Resource>(tx: &mut TenantTx, id: R::Id) -> Result<R, Problem> {
    R::find(tx, id).await?.ok_or_else(Problem::not_found)
}

fn one<R: Resource>(
    app: &AppState,
    status: StatusCode,
    resource: &R,
    query: &ScimQuery,
) -> Response {
    answer::resource(
        status,
        resource.record().version,
        to_json(app, resource),
        query,
    )
}

fn to_json<R: Resource>(app: &AppState, resource: &R) -> Value {
    let mut members = resource.to_resource(app);
    members.insert("schemas".to_owned(), json!([R::SCHEMA]));
    let id = resource.id().to_string();
    let meta = answer::meta(app, R::NAME, &id, resource.record());
    members.insert("id".to_owned(), Value::from(id));
    members.insert("meta".to_owned(), meta);
    Value::Object(members)
}
