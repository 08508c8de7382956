use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{AppState, ChatRead};
use crate::chat::MAX_MESSAGE;
use crate::crm::Kind;
use crate::queries::fields;
use crate::understand::{Engine, Intent, Language};

/// Something that the chatbot understands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Capability {
    /// The intent.
    intent: Intent,
    /// What it does.
    description: &'static str,
    /// How people say it.
    example: &'static str,
    /// Whether it changes something.
    changes: bool,
    /// Whether it always asks first.
    asks_first: bool,
    /// Whether it can be taken back.
    can_undo: bool,
}

/// What can be asked about a type of record.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Askable {
    /// The type.
    r#type: Kind,
    /// The fields that questions may look at.
    fields: Vec<&'static str>,
}

/// What the chatbot can do here.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Capabilities {
    /// What it understands.
    intents: Vec<Capability>,
    /// What can be asked about records.
    questions: Vec<Askable>,
    /// Who understands messages, the first one first.
    engines: Vec<Engine>,
    /// The languages in which to-dos are understood and answered.
    languages: Vec<Language>,
    /// The longest message, in characters.
    max_message: usize,
    /// For how many minutes a question waits for a yes.
    confirmation_minutes: u32,
    /// For how many days a conversation is kept in which nothing more is said; 0 for good.
    retention_days: u32,
    /// Messages a minute of one user; 0 for any number.
    messages_per_minute: u32,
}

/// What the chatbot can do here.
#[utoipa::path(
    get, path = "/api/chat/capabilities", tag = "chat",
    security(("bearer" = ["chat:read"])),
    responses((status = 200, description = "What it can do", body = Capabilities), bz_http::openapi::ListProblems),
)]
pub(super) async fn get_capabilities(
    State(app): State<AppState>,
    _caller: Can<ChatRead>,
) -> Result<Json<Capabilities>, Problem> {
    let kinds = [Kind::Todo, Kind::Lead, Kind::Contact, Kind::Deal];
    let mut engines = vec![Engine::Rules];
    engines.extend(app.llm.as_ref().map(|_| Engine::Llm));
    Ok(Json(Capabilities {
        intents: intents(),
        questions: kinds.map(askable).into(),
        engines,
        languages: Language::ALL.into(),
        max_message: MAX_MESSAGE,
        confirmation_minutes: 10,
        retention_days: app.retention_days,
        messages_per_minute: app.per_user,
    }))
}

fn askable(kind: Kind) -> Askable {
    Askable {
        r#type: kind,
        fields: fields::of(kind).iter().map(|field| field.name).collect(),
    }
}

fn intents() -> Vec<Capability> {
    let reads = |intent, description, example| Capability {
        intent,
        description,
        example,
        changes: false,
        asks_first: false,
        can_undo: false,
    };
    let changes = |intent, description, example| Capability {
        changes: true,
        can_undo: true,
        ..reads(intent, description, example)
    };
    let asks = |intent, description, example| Capability {
        asks_first: true,
        ..changes(intent, description, example)
    };
    vec![
        changes(
            Intent::TodoCreate,
            "Adds a to-do",
            "remind me to call Ada tomorrow at 3pm",
        ),
        reads(Intent::TodoList, "Lists to-dos", "what is overdue?"),
        changes(
            Intent::TodoComplete,
            "Marks a to-do as done",
            "mark call Ada as done",
        ),
        changes(Intent::TodoReopen, "Opens a to-do again", "reopen call Ada"),
        changes(
            Intent::TodoUpdate,
            "Renames or moves a to-do",
            "move call Ada to Friday at 9am",
        ),
        asks(Intent::TodoDelete, "Deletes a to-do", "delete call Ada"),
        asks(
            Intent::TodoBulkDelete,
            "Deletes many to-dos",
            "delete all completed to-dos",
        ),
        changes(
            Intent::LeadCreate,
            "Adds a lead",
            "add a lead: Ada Lovelace, ada@example.com",
        ),
        reads(
            Intent::LeadFind,
            "Finds leads, and whom to call",
            "who should I call today?",
        ),
        changes(
            Intent::LeadUpdate,
            "Changes a lead",
            "mark the lead Ada Lovelace as qualified",
        ),
        reads(
            Intent::LeadCount,
            "Counts leads",
            "how many leads do I have?",
        ),
        changes(
            Intent::DealMove,
            "Moves a deal to a stage",
            "move the deal Engines to Offer",
        ),
        reads(Intent::DealFind, "Finds deals", "show my deals"),
        reads(
            Intent::DealSum,
            "Sums what deals are worth",
            "what are my deals worth?",
        ),
        reads(
            Intent::ContactFind,
            "Finds contacts",
            "find the contact Grace Hopper",
        ),
        reads(
            Intent::MetricsQuery,
            "Tells a number",
            "how many visitors last week?",
        ),
        Capability {
            can_undo: false,
            ..asks(Intent::AgentRun, "Runs an agent", "run the report writer")
        },
    ]
}
