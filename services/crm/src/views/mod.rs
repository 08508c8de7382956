//! Saved views: a filter, an order and fields under a name, for oneself or for everybody.

mod create;
mod delete;
mod get;
mod list;
mod patch;
pub(crate) mod store;

use bz_auth::Caller;
use bz_http::{Errors, Patch, Problem, Routes, Validate, routes};
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::AppState,
    custom_fields::{check_record_type, record_type},
    records::{
        custom,
        filter::Filter,
        list::{answer, context, sort::Sort},
    },
    rules,
};

bz_auth::permissions! {
    /// See one's own views and the shared ones.
    ViewsRead = "views:read",
    /// Save, change and delete views of one's own.
    ViewsWrite = "views:write",
    /// Change and delete shared views of others.
    ViewsManage = "views:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(create::create_view, list::list_views))
        .routes(routes!(
            get::get_view,
            patch::patch_view,
            delete::delete_view
        ))
}

/// A saved view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct View {
    /// Its id.
    pub id: Uuid,
    /// The type of record that it lists: `lead`.
    pub record_type: String,
    /// Its name.
    pub name: String,
    /// Which records; all when null.
    #[schema(value_type = Option<Filter>)]
    pub filter: Option<Json<Filter>>,
    /// Their order, as `sort` of the list.
    pub sort: Vec<String>,
    /// The fields that it shows, as `fields` of the list.
    pub columns: Vec<String>,
    /// Whether everybody sees it.
    pub shared: bool,
    /// Who saved it.
    pub created_by: UserId,
    /// When it was saved.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

/// A view to save.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "record_type": "lead", "name": "Hot leads" }))]
pub(crate) struct CreateView {
    /// The type of record that it lists: `lead`. Never changes.
    pub record_type: String,
    /// Its name, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Which records; all when not given.
    pub filter: Option<Filter>,
    /// Their order: at most three names of fields, `-` before one for the other direction.
    #[serde(default)]
    #[schema(max_items = 3)]
    pub sort: Vec<String>,
    /// The fields that it shows; all when none are given.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub columns: Vec<String>,
    /// Whether everybody sees it.
    #[serde(default)]
    pub shared: bool,
}

/// A change of a view: what is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchView {
    /// Its name, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Which records; `null` for all.
    #[serde(default)]
    #[schema(value_type = Option<Filter>)]
    pub filter: Patch<Filter>,
    /// Their order.
    #[schema(max_items = 3)]
    pub sort: Option<Vec<String>>,
    /// The fields that it shows.
    #[schema(max_items = 100)]
    pub columns: Option<Vec<String>>,
    /// Whether everybody sees it.
    pub shared: Option<bool>,
}

impl Validate for CreateView {
    fn validate(&self, errors: &mut Errors) {
        check_record_type(errors, &self.record_type);
        rules::optional_text(errors, "/name", Some(&self.name), 200);
        if self.columns.len() > 100 {
            errors.add("/columns", "too_many", "must be at most 100 fields");
        }
    }
}

impl Validate for PatchView {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_text(errors, "/name", self.name.as_deref(), 200);
        if self.columns.as_ref().is_some_and(|all| all.len() > 100) {
            errors.add("/columns", "too_many", "must be at most 100 fields");
        }
    }
}

/// Whether a view fits the type that it lists.
async fn check(
    app: &AppState,
    (tx, caller): (&mut TenantTx, &Caller),
    of: &str,
    (filter, sort, columns): (Option<&Filter>, &[String], &[String]),
) -> Result<(), Problem> {
    let record = record_type(of).ok_or_else(Problem::not_found)?;
    let known = custom::definitions(app, tx).await?;
    if let Some(filter) = filter {
        filter
            .check(context(record, &known, caller))
            .map_err(|problem| {
                let mut errors = Errors::default();
                for fault in problem.document().errors {
                    let at = fault.pointer.unwrap_or_default();
                    errors.add(format!("/filter{at}"), fault.code, fault.message);
                }
                Problem::validation(errors)
            })?;
    }
    let mut found = Errors::default();
    Sort::read(record, &known, sort, &mut found);
    answer::check_fields(record, columns, &mut found);
    let mut errors = Errors::default();
    for fault in Vec::from(found) {
        let at = match fault.parameter.as_deref() {
            Some("fields") => "/columns",
            _ => "/sort",
        };
        errors.add(at, fault.code, fault.message);
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::validation(errors))
    }
}

/// A view that the caller may change, locked.
async fn locked(tx: &mut TenantTx, caller: &Caller, id: Uuid) -> Result<View, Problem> {
    let view = store::find_for_update(tx, caller.user, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if view.created_by != caller.user {
        caller.require::<ViewsManage>()?;
    }
    Ok(view)
}
