//! Lists of records, in pages: which ones (a filter), in which order, what of each, and what goes with it.
//!
//! A list costs one statement, in which row-level security, the caller's sight, the filter and the position of the page
//! are conditions of one index scan: the hundredth page costs what the first one costs.

pub(crate) mod answer;
mod count;
pub(crate) mod endpoints;
mod fetch;
pub(crate) mod include;
pub(crate) mod params;
pub(crate) mod sort;

use bz_auth::Caller;
use bz_http::{Errors, Json, PageQuery, Problem, Validate};
use bz_kernel::Page;
use bz_tenant::TenantTx;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Record, RecordType,
    access::{self, Sight},
    custom::{self, Definition},
    filter::{AllOf, Context, Filter},
    sql::Sql,
};
use crate::{app::AppState, views};
use answer::Listing;
use fetch::{Keyed, Position, Request};
use sort::Sort;

/// What a client asks of a list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "filter": { "all": [] }, "sort": ["-created_at"], "limit": 20 }))]
pub(crate) struct ListQuery {
    /// Which records; all when not given.
    pub filter: Option<Filter>,
    /// At most three names of fields, `-` before one for the other direction; newest first when not given.
    #[serde(default)]
    #[schema(max_items = 3)]
    pub sort: Vec<String>,
    /// What is answered of each record, besides its id; everything when not given.
    #[serde(default)]
    pub fields: Vec<String>,
    /// The related records that are answered with each.
    #[serde(default)]
    pub include: Vec<String>,
    /// Items a page, 1 to 100; 20 when not given.
    #[schema(minimum = 1, maximum = 100)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Whether all records that pass are counted.
    #[serde(default)]
    pub count: Count,
    /// `only` for the records in the trash.
    pub deleted: Option<Deleted>,
    /// A saved view, whose filter holds besides and whose order and fields hold where none are given.
    pub view: Option<Uuid>,
    /// What a cursor is bound to instead of the filter, when the filter goes by the clock.
    #[serde(skip)]
    #[schema(ignore)]
    pub question: Option<String>,
}

/// Whether all records that pass are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Count {
    /// Not counted.
    #[default]
    None,
    /// Counted up to ten thousand; more is the planner's guess.
    Estimate,
    /// Counted.
    Exact,
}

/// Which records besides those that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deleted {
    /// Those in the trash instead.
    Only,
}

/// What is wrong shows only with the tenant's own fields: [`page`].
impl Validate for ListQuery {
    fn validate(&self, _: &mut Errors) {}
}

/// One page of the records that the caller sees, as a query string asks for it.
///
/// # Errors
/// 422 for everything that is wrong with the parameters.
pub(crate) async fn of_pairs<R: Record>(
    app: &AppState,
    caller: &Caller,
    pairs: &[(String, String)],
) -> Result<Json<Listing<R>>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let known = custom::definitions(app, &mut tx).await?;
    let now = app.core.sources.now();
    let query = params::read::<R>(pairs, (&known, caller.user, now))?;
    read(app, (&mut tx, caller), &known, query).await
}

/// One page of the records that the caller sees.
///
/// # Errors
/// 422 for everything that is wrong with the query, a cursor of another list among it.
pub(crate) async fn page<R: Record>(
    app: &AppState,
    caller: &Caller,
    query: ListQuery,
) -> Result<Json<Listing<R>>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let known = custom::definitions(app, &mut tx).await?;
    read(app, (&mut tx, caller), &known, query).await
}

async fn read<R: Record>(
    app: &AppState,
    (tx, caller): (&mut TenantTx, &Caller),
    known: &[Definition],
    query: ListQuery,
) -> Result<Json<Listing<R>>, Problem> {
    let query = with_view(tx, caller, R::TYPE, query).await?;
    let wanted = Wanted::read(R::TYPE, known, &query)?;
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let list = wanted.name(R::TYPE)?;
    let page =
        PageQuery::new(query.limit, query.cursor).open::<Position>(cursors, tenant, &list)?;
    let sight = access::reads(app, tx, caller, R::TYPE).await?;
    let request = Request {
        which: Which {
            context: context(R::TYPE, known, caller),
            filter: &wanted.filter,
            sight,
            deleted: wanted.deleted,
        },
        sort: &wanted.sort,
        after: page.after,
        limit: page.limit,
    };
    let rows: Vec<Keyed<R>> = fetch::rows(tx, &request).await?;
    let count = count::of(tx, request.which, query.count).await?;
    let cut = Page::<Keyed<R>>::cut(rows, page.limit, |last: &Keyed<R>| {
        cursors.seal(tenant, &list, &last.position())
    });
    let records: Vec<R> = cut.items.into_iter().map(|row| row.record).collect();
    let items = answer::items(app, (tx, caller), records, &wanted).await?;
    Ok(Json(Listing {
        items,
        next_cursor: cut.next_cursor,
        count,
    }))
}

/// How a filter of a type is read for a caller.
pub(crate) fn context<'a>(
    record: &'static RecordType,
    custom: &'a [Definition],
    caller: &Caller,
) -> Context<'a> {
    Context {
        record,
        custom,
        me: caller.user,
    }
}

/// Which records of a type a list has.
#[derive(Clone, Copy)]
struct Which<'a> {
    context: Context<'a>,
    filter: &'a Filter,
    sight: Sight,
    deleted: Option<Deleted>,
}

impl Which<'_> {
    /// Adds the conditions to a statement whose `WHERE` has begun.
    fn push(&self, sql: &mut Sql) -> Result<(), Problem> {
        sql.push(match self.deleted {
            None => " AND deleted_at IS NULL",
            // What was merged into another cannot be taken out of the trash, so it is not in it.
            Some(Deleted::Only) => " AND deleted_at IS NOT NULL AND merged_into IS NULL",
        });
        self.sight.push(sql);
        self.filter.push(self.context, sql)
    }
}

/// A query that was understood.
pub(super) struct Wanted {
    filter: Filter,
    sort: Sort,
    deleted: Option<Deleted>,
    question: Option<String>,
    /// What is answered of each record; everything when empty.
    pub fields: Vec<String>,
    pub include: Vec<include::Relation>,
}

impl Wanted {
    fn read(
        record: &'static RecordType,
        custom: &[Definition],
        query: &ListQuery,
    ) -> Result<Self, Problem> {
        let mut errors = Errors::default();
        let sort = Sort::read(record, custom, &query.sort, &mut errors);
        answer::check_fields(record, &query.fields, &mut errors);
        let include = include::read(record, &query.include, &mut errors);
        if !errors.is_empty() {
            return Err(Problem::validation(errors));
        }
        Ok(Self {
            filter: query.filter.clone().unwrap_or_else(Filter::everything),
            sort,
            deleted: query.deleted,
            question: query.question.clone(),
            fields: query.fields.clone(),
            include,
        })
    }

    /// What a cursor is bound to: the records and their order.
    fn name(&self, record: &RecordType) -> Result<String, Problem> {
        let filter = match &self.question {
            Some(question) => question.clone(),
            None => serde_json::to_string(&self.filter).map_err(Problem::internal)?,
        };
        Ok(format!(
            "{}?{filter}&{}&{:?}",
            record.plural,
            self.sort.name(),
            self.deleted
        ))
    }
}

/// The query with what its saved view says.
async fn with_view(
    tx: &mut TenantTx,
    caller: &Caller,
    record: &'static RecordType,
    mut query: ListQuery,
) -> Result<ListQuery, Problem> {
    let Some(id) = query.view else {
        return Ok(query);
    };
    let view = views::store::find(tx, caller.user, id)
        .await?
        .filter(|view| view.record_type == record.name)
        .ok_or_else(|| {
            Problem::invalid_parameter("view", "unknown_view", "is no view of this list")
        })?;
    let both = [view.filter.map(|filter| filter.0), query.filter.take()];
    query.filter = Some(Filter::All(AllOf {
        all: both.into_iter().flatten().collect(),
    }));
    if query.sort.is_empty() {
        query.sort = view.sort;
    }
    if query.fields.is_empty() {
        query.fields = view.columns;
    }
    Ok(query)
}
