//! A small service that is right unless it is told to make one mistake.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    extract::{FromRef, FromRequest, FromRequestParts, Request, State},
    response::{IntoResponse, Response},
};
use bz_auth::{Caller, Can, Verifier};
use bz_http::{Errors, Json, Path, Problem, Query, Routes, Validate, routes};
use bz_kernel::{ServiceInfo, TenantId, platform};
use bz_service::{
    App, Core, Job, Service,
    config::{Config, Env},
};
use http::{StatusCode, request::Parts};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

bz_auth::permissions! {
    /// See notes.
    NotesRead = "notes:read",
    /// Write notes.
    NotesWrite = "notes:write",
}

/// The service: notes in memory.
pub(crate) struct Sample;

/// What it does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    None,
    /// Reading a note wants no token.
    Open,
    /// Writing a note wants a token but no permission.
    NoPermission,
    /// A note of another tenant is answered with 403.
    Reveals,
    /// A note of another tenant is shown.
    Shows,
    /// Deleting a note that is not there works.
    DeletesNothing,
    /// A text with a NUL makes it fail.
    Fails,
    /// A refusal is plain text.
    PlainText,
    /// Any limit will do.
    AnyLimit,
}

/// Its configuration.
#[derive(Clone, Debug)]
pub(crate) struct SampleConfig {
    mistake: Mistake,
}

impl Config for SampleConfig {
    fn read(env: &mut Env) -> Option<Self> {
        let name = env
            .text("MISTAKE", "What the sample does wrong.")
            .or("None")?;
        let all = [
            Mistake::Open,
            Mistake::NoPermission,
            Mistake::Reveals,
            Mistake::Shows,
            Mistake::DeletesNothing,
            Mistake::Fails,
            Mistake::PlainText,
            Mistake::AnyLimit,
        ];
        let mistake = all
            .into_iter()
            .find(|mistake| format!("{mistake:?}") == name);
        Some(Self {
            mistake: mistake.unwrap_or(Mistake::None),
        })
    }
}

#[derive(Clone)]
struct AppState {
    core: Core,
    mistake: Mistake,
    notes: Arc<Mutex<BTreeMap<Uuid, (TenantId, Note)>>>,
}

impl FromRef<AppState> for Verifier {
    fn from_ref(app: &AppState) -> Self {
        app.core.verifier.clone()
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Note {
    id: Uuid,
    text: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateNote {
    #[schema(min_length = 1)]
    text: String,
}

impl Validate for CreateNote {
    fn validate(&self, _: &mut Errors) {}
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    limit: Option<u16>,
}

/// Who asks, checked as the mistake wants it.
struct Reader(Option<Caller>);

impl FromRequestParts<AppState> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        match Can::<NotesRead>::from_request_parts(parts, app).await {
            Ok(caller) => Ok(Self(Some(caller.into_caller()))),
            Err(_) if app.mistake == Mistake::Open => Ok(Self(None)),
            Err(problem) => Err(problem),
        }
    }
}

struct Writer(Caller);

impl FromRequestParts<AppState> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, app).await?;
        if app.mistake != Mistake::NoPermission {
            caller.require::<NotesWrite>()?;
        }
        Ok(Self(caller))
    }
}

impl AppState {
    fn find(&self, id: Uuid, caller: Option<&Caller>) -> Result<Note, Problem> {
        let notes = self.notes.lock().unwrap();
        let Some((tenant, note)) = notes.get(&id) else {
            return Err(Problem::not_found());
        };
        let own = caller.is_none_or(|caller| caller.tenant() == *tenant);
        match self.mistake {
            _ if own => Ok(note.clone()),
            Mistake::Shows => Ok(note.clone()),
            Mistake::Reveals => Err(Problem::forbidden()),
            _ => Err(Problem::not_found()),
        }
    }
}

#[utoipa::path(
    get, path = "/api/notes/{id}", security(("bearer" = ["notes:read"])),
    params(("id" = Uuid, Path)), responses((status = 200, body = Note)),
)]
async fn get_note(
    State(app): State<AppState>,
    reader: Reader,
    Path(id): Path<Uuid>,
) -> Result<Json<Note>, Problem> {
    app.find(id, reader.0.as_ref()).map(Json)
}

#[utoipa::path(
    delete, path = "/api/notes/{id}", security(("bearer" = ["notes:write"])),
    params(("id" = Uuid, Path)), responses((status = 204)),
)]
async fn delete_note(
    State(app): State<AppState>,
    Writer(caller): Writer,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    match app.find(id, Some(&caller)) {
        Err(_) if app.mistake == Mistake::DeletesNothing => {}
        found => _ = app.notes.lock().unwrap().remove(&found?.id),
    }
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    get, path = "/api/notes", security(("bearer" = ["notes:read"])),
    params(ListQuery), responses((status = 200, body = Vec<Note>)),
)]
async fn list_notes(
    State(app): State<AppState>,
    reader: Reader,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<Note>>, Problem> {
    if app.mistake != Mistake::AnyLimit
        && query.limit.is_some_and(|limit| !(1..=100).contains(&limit))
    {
        return Err(Problem::malformed("limit"));
    }
    let notes = app.notes.lock().unwrap();
    let own = notes.values().filter(|(tenant, _)| {
        reader
            .0
            .as_ref()
            .is_none_or(|caller| caller.tenant() == *tenant)
    });
    Ok(Json(own.map(|(_, note)| note.clone()).collect()))
}

#[utoipa::path(
    post, path = "/api/notes", security(("bearer" = ["notes:write"])),
    request_body = CreateNote, responses((status = 201, body = Note)),
)]
async fn create_note(
    State(app): State<AppState>,
    Writer(caller): Writer,
    request: Request,
) -> Response {
    let Json(create) = match Json::<CreateNote>::from_request(request, &app).await {
        Ok(body) => body,
        Err(_) if app.mistake == Mistake::PlainText => {
            return (StatusCode::BAD_REQUEST, "no").into_response();
        }
        Err(_) if app.mistake == Mistake::Fails => {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        Err(problem) => return Problem::into_response(problem),
    };
    let note = Note {
        id: app.core.sources.id(),
        text: create.text,
    };
    app.notes
        .lock()
        .unwrap()
        .insert(note.id, (caller.tenant(), note.clone()));
    (StatusCode::CREATED, Json(note)).into_response()
}

#[utoipa::path(get, path = "/api/motd", responses((status = 200, body = String)), security(()))]
async fn get_motd() -> Json<&'static str> {
    Json("hello")
}

impl AppState {
    fn routes() -> Routes<Self> {
        Routes::new()
            .routes(routes!(get_note, delete_note))
            .routes(routes!(list_notes, create_note))
            .routes(routes!(get_motd))
    }
}

impl Service for Sample {
    const INFO: &'static ServiceInfo = &ServiceInfo {
        name: "sample",
        ..platform::CRM
    };
    type Config = SampleConfig;

    fn openapi() -> utoipa::openapi::OpenApi {
        AppState::routes().document(bz_http::openapi::base(Self::INFO, "A sample."))
    }

    async fn build(core: Core, config: SampleConfig) -> anyhow::Result<App> {
        let notes = Arc::<Mutex<BTreeMap<_, _>>>::default();
        let state = AppState {
            core: core.clone(),
            mistake: config.mistake,
            notes: Arc::clone(&notes),
        };
        // Empties the notes once, so that a test can see that it ran.
        let job = Job::new(
            "empty",
            async move |stop: tokio_util::sync::CancellationToken| {
                notes.lock().unwrap().clear();
                stop.cancelled().await;
                Ok(())
            },
        );
        Ok(App::new(AppState::routes().into_router().with_state(state)).with_job(job))
    }
}
