use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{SearchRead, find, sent::Sent, store};
use crate::app::AppState;

/// What is being typed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Typed {
    /// What was typed so far, 1 to 200 characters.
    #[param(max_length = 200)]
    q: String,
    /// Only these types, with commas between them: `lead,company`.
    types: Option<String>,
    /// How many, 1 to 100; 10 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
}

/// Records whose name or title begins so, or has a word that does.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Suggestions {
    items: Vec<Suggestion>,
}

/// A record to go to.
#[derive(Debug, Serialize, ToSchema)]
struct Suggestion {
    /// Its type: `lead`.
    r#type: String,
    /// Its id.
    id: Uuid,
    /// Its name or title.
    title: String,
    /// What tells it from others of the same name.
    subtitle: Option<String>,
}

impl From<store::Title> for Suggestion {
    fn from(row: store::Title) -> Self {
        Self {
            r#type: row.record_type,
            id: row.record_id,
            title: row.title,
            subtitle: row.subtitle,
        }
    }
}

/// Records by the beginning of their names, while somebody types.
#[utoipa::path(
    get, path = "/api/search/suggest", tag = "search",
    security(("bearer" = ["search:read"])),
    params(Typed),
    responses((status = 200, description = "The suggestions", body = Suggestions), bz_http::openapi::ListProblems),
)]
pub(super) async fn suggest_records(
    State(app): State<AppState>,
    caller: Can<SearchRead>,
    Query(typed): Query<Typed>,
) -> Result<Json<Suggestions>, Problem> {
    find::check_query(&typed.q)?;
    let limit = find::check_limit(typed.limit.unwrap_or(10))?;
    let names = find::split(typed.types.as_deref());
    let types = store::types(Sent::Query, "types", &names)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let seen = store::seen(&app, &mut tx, &caller, &types).await?;
    let titles = store::titles(&mut tx, &typed.q, &seen, i32::from(limit)).await?;
    Ok(Json(Suggestions {
        items: titles.into_iter().map(Into::into).collect(),
    }))
}
