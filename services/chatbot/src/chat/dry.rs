//! A dry run: understands a message and says what would be done. It changes nothing anywhere and stores nothing, not the
//! message either. With a `context` nothing stored is looked at.

use bz_http::{Errors, Problem};
use bz_kernel::ConversationId;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::confirmations;
use super::turn::Turn;
use super::{ChatReply, ChatRequest};
use crate::actions::Due;
use crate::conversations::store;
use crate::crm::CrmError;
use crate::understand::{Candidate, Intent, Understood, Would, decide, spoken, waits_for_answer};
use crate::wording::{Voice, keys};

/// The most to-dos and turns of a context.
const MOST: usize = 500;

/// What a dry run takes in place of what is stored.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Context {
    /// The to-dos that there are, at most 500.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub(crate) todos: Vec<ContextTodo>,
    /// What was said before, oldest first, at most 500.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub(crate) turns: Vec<ContextTurn>,
}

/// A to-do of a context.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct ContextTodo {
    /// Its title.
    pub(crate) title: String,
    /// When it is due.
    pub(crate) due_at: Option<DateTime<Utc>>,
    /// The day it is due on.
    pub(crate) due_date: Option<NaiveDate>,
    /// Whether it is done.
    #[serde(default)]
    pub(crate) completed: bool,
}

/// Something that was said.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct ContextTurn {
    /// `user` or `assistant`.
    pub(crate) role: ContextRole,
    /// What.
    pub(crate) text: String,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ContextRole {
    /// The user.
    User,
    /// The chatbot.
    Assistant,
}

/// Checks the parts of a request that only a dry run has.
pub(super) fn validate(request: &ChatRequest, errors: &mut Errors) {
    let only = "is only for a dry run: send \"dry_run\": true with it";
    if !request.dry_run && request.reference_time.is_some() {
        errors.add("/reference_time", "only_for_dry_run", only);
    }
    if !request.dry_run && request.context.is_some() {
        errors.add("/context", "only_for_dry_run", only);
    }
    let Some(context) = &request.context else {
        return;
    };
    for (pointer, count) in [
        ("/context/todos", context.todos.len()),
        ("/context/turns", context.turns.len()),
    ] {
        if count > MOST {
            errors.add(pointer, "too_many", "must have at most 500 entries");
        }
    }
}

/// In what a dry run happens.
struct Scene {
    voice: Voice,
    /// Whether a question waits for a yes, and the conversation it waits in.
    asked: bool,
    conversation: Option<ConversationId>,
}

impl Turn {
    /// Understands without acting.
    pub(super) async fn dry(&self) -> Result<ChatReply, Problem> {
        let scene = self.scene().await?;
        let (mut understood, mut further) = self.understood(scene.voice, scene.asked)?;
        let mut degraded = Vec::new();
        if further.is_empty() {
            let failed;
            (understood, failed) = self.second_opinion(scene.voice, understood).await;
            degraded.extend(failed.then(|| "llm".to_owned()));
        }
        let todos = match self.candidates(&understood, &further).await {
            Ok(todos) => todos,
            Err(error) => {
                if matches!(error, CrmError::Unreachable | CrmError::Unavailable) {
                    degraded.push("crm".to_owned());
                }
                Vec::new()
            }
        };
        let decided = |part: &mut Understood| {
            let would = decide(part, &todos);
            settled(would, part, scene.asked)
        };
        let would = decided(&mut understood);
        let after: Vec<Would> = further.iter_mut().map(decided).collect();
        Ok(ChatReply {
            conversation_id: scene.conversation,
            message_id: None,
            reply: reply((&understood, would), further.iter().zip(after), &scene),
            understood,
            further,
            would,
            confirmation: None,
            actions: Vec::new(),
            links: Vec::new(),
            citations: Vec::new(),
            degraded,
            dry_run: true,
        })
    }

    /// Reads where and when, and whether a question waits.
    async fn scene(&self) -> Result<Scene, Problem> {
        let now = self.request.reference_time;
        let mut scene = Scene {
            voice: Voice {
                language: self.spoken(None),
                now: now.unwrap_or_else(|| self.app.core.sources.now()),
                zone: self.request.zone().unwrap_or(Tz::UTC),
            },
            asked: false,
            conversation: self.request.conversation_id,
        };
        if let Some(id) = self.request.conversation_id {
            let mut tx = self.app.core.db.tenant(&self.caller.scope).await?;
            let conversation = store::find(&mut tx, id, self.caller.user)
                .await?
                .ok_or_else(super::turn::not_found)?;
            let pending = confirmations::find(&mut tx, id, self.caller.user).await?;
            tx.commit().await?;
            let stored = conversation.time_zone.parse().ok();
            scene.voice.zone = self.request.zone().or(stored).unwrap_or(Tz::UTC);
            scene.voice.language = self.spoken(conversation.language);
            scene.asked = pending.is_some_and(|pending| !pending.is_expired(scene.voice.now));
        }
        if let Some(context) = &self.request.context {
            let last = context.turns.last();
            scene.asked = last.is_some_and(|turn| {
                turn.role == ContextRole::Assistant && waits_for_answer(&turn.text)
            });
            scene.voice.language = self.spoken(last.map(|turn| spoken(&turn.text, None)));
        }
        Ok(scene)
    }

    /// The to-dos among which the meant one is looked for.
    async fn candidates(
        &self,
        first: &Understood,
        further: &[Understood],
    ) -> Result<Vec<Candidate>, CrmError> {
        if let Some(context) = &self.request.context {
            let given = context.todos.iter().map(|todo| Candidate {
                title: todo.title.clone(),
                completed: todo.completed,
            });
            return Ok(given.collect());
        }
        let mut all = std::iter::once(first).chain(further);
        if !all.clone().any(|part| part.slots.mention.is_some()) {
            return Ok(Vec::new());
        }
        let session = self
            .app
            .crm
            .session(self.caller.token(), "dry-run".to_owned());
        let mut todos = session.todos(false).await?;
        if all.any(|part| part.intent == Intent::TodoReopen) {
            todos.extend(session.todos(true).await?);
        }
        let stored = todos.into_iter().map(|todo| Candidate {
            title: todo.title,
            completed: todo.completed,
        });
        Ok(stored.collect())
    }
}

/// An answer to a question that waits does what was asked about.
fn settled(would: Would, part: &Understood, asked: bool) -> Would {
    match part.intent {
        Intent::ConfirmYes if asked && part.is_plain_yes() => Would::Act,
        Intent::ConfirmYes if asked => Would::Ask,
        Intent::ConfirmUnsure | Intent::None if asked => Would::Ask,
        _ => would,
    }
}

fn reply<'a>(
    first: (&'a Understood, Would),
    further: impl Iterator<Item = (&'a Understood, Would)>,
    scene: &Scene,
) -> String {
    let sentences = std::iter::once(first).chain(further);
    let sentences = sentences.map(|(part, would)| sentence(part, would, scene));
    sentences.collect::<Vec<_>>().join(" ")
}

/// What would be done, for people.
fn sentence(part: &Understood, would: Would, scene: &Scene) -> String {
    let slots = &part.slots;
    let title = slots
        .target
        .as_deref()
        .or(slots.title.as_deref())
        .or(slots.name.as_deref())
        .unwrap_or_default();
    let due = slots.due_at.map(Due::At).or(slots.due_date.map(Due::Date));
    let voice = scene.voice;
    let about = |key| voice.say(key, [("title", title)]);
    match (part.intent, would) {
        (Intent::None, _) => voice.word(keys::UNKNOWN),
        (_, Would::Nothing) => voice.word(keys::WOULD_NOTHING),
        (_, Would::Ask) => voice.word(keys::WOULD_ASK),
        (_, Would::Answer) => voice.word(keys::WOULD_ANSWER),
        (Intent::TodoCreate, _) => match due {
            Some(due) => {
                let told = [("title", title.to_owned()), ("due", voice.due(due))];
                voice.say(keys::WOULD_CREATE_DUE, told)
            }
            None => about(keys::WOULD_CREATE),
        },
        (_, Would::Confirm) if title.is_empty() => voice.word(keys::WOULD_CONFIRM),
        (_, Would::Confirm) => about(keys::WOULD_CONFIRM_TITLE),
        (_, Would::Act) if title.is_empty() => voice.word(keys::WOULD_ACT),
        (_, Would::Act) => about(keys::WOULD_ACT_TITLE),
    }
}
