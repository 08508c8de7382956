//! One turn of a conversation: note the message, find the answer without a transaction open, keep the answer.

use aws_lc_rs::digest;
use axum::http::StatusCode;
use bz_auth::Caller;
use bz_http::{Problem, context};
use bz_kernel::ConversationId;
use bz_tenant::{DbError, OnConstraint, TenantTx};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::confirmations::{self, Pending};
use super::events::Listener;
use super::messages::{self, Asked, Known};
use super::outcome::{Outcome, Waiting, Why};
use super::{ChatReply, ChatRequest};
use crate::actions::done::{self, Past};
use crate::app::AppState;
use crate::conversations::{Conversation, MessageId, store, title};
use crate::understand::{Language, spoken};
use crate::wording::Voice;

/// One message on its way to an answer.
pub(super) struct Turn {
    pub(super) app: AppState,
    pub(super) caller: Caller,
    pub(super) request: ChatRequest,
    /// What the client decided by id, in place of what the message says.
    pub(super) decision: Option<Decision>,
    pub(super) events: Listener,
}

/// What a client decides by id.
pub(super) enum Decision {
    /// Yes to the question that waits.
    Confirm,
    /// No to it.
    Reject,
    /// Take this back.
    Undo(Past),
}

/// A message that was noted and waits for its answer.
pub(super) struct Noted {
    pub(super) conversation: ConversationId,
    pub(super) message: MessageId,
    /// How it is answered: from when it was said, also when it is answered later.
    pub(super) voice: Voice,
    pub(super) pending: Option<Pending>,
}

/// Where a message stands.
pub(super) enum Opening {
    Noted(Box<Noted>),
    /// The same message was answered before.
    Answered(Box<ChatReply>),
}

impl Turn {
    /// A message of a user.
    pub(super) fn new(app: AppState, caller: Caller, request: ChatRequest) -> Self {
        Self {
            app,
            caller,
            request,
            decision: None,
            events: Listener::default(),
        }
    }

    /// The answer.
    pub(super) async fn answer(&self, key: Option<&str>) -> Result<ChatReply, Problem> {
        if self.request.dry_run {
            return self.dry().await;
        }
        match self.open(key).await? {
            Opening::Answered(answer) => Ok(*answer),
            Opening::Noted(noted) => Ok(self.go_on(&noted).await?.0),
        }
    }

    /// The answer to a message that was noted, and why nothing was done.
    pub(super) async fn go_on(&self, noted: &Noted) -> Result<(ChatReply, Option<Why>), Problem> {
        let mut outcome = self.respond(noted).await?;
        self.reword(noted, &mut outcome).await;
        let why = outcome.failure.take();
        Ok((self.close(noted, outcome).await?, why))
    }

    /// Notes the message, in its conversation or in a new one.
    pub(super) async fn open(&self, key: Option<&str>) -> Result<Opening, Problem> {
        let hash = digest::digest(
            &digest::SHA256,
            &serde_json::to_vec(&self.request).map_err(Problem::internal)?,
        );
        let mut tx = self.app.core.db.tenant(&self.caller.scope).await?;
        if let Some(key) = key
            && let Some(known) = messages::find_by_key(&mut tx, self.caller.user, key).await?
        {
            return self.reopen(&mut tx, known, hash.as_ref()).await;
        }
        let now = self.app.core.sources.now();
        let conversation = self.conversation(&mut tx, now).await?;
        let asked = Asked {
            id: self.app.core.sources.id(),
            conversation: conversation.id,
            user: self.caller.user,
            text: &self.request.message,
            key: key.map(|key| (key, hash.as_ref())),
            at: now,
        };
        messages::insert_asked(&mut tx, &asked)
            .await
            .on_constraint(messages::CLIENT_KEY, in_progress)?;
        let noted = self.noted(&mut tx, &conversation, asked.id, now).await?;
        tx.commit().await?;
        Ok(Opening::Noted(Box::new(noted)))
    }

    /// The message came before: its answer, or another try when it got none.
    async fn reopen(
        &self,
        tx: &mut TenantTx,
        known: Known,
        hash: &[u8],
    ) -> Result<Opening, Problem> {
        if known.request_hash != hash {
            return Err(Problem::idempotency_key_reused());
        }
        if let Some(answer) = known.answer {
            return Ok(Opening::Answered(Box::new(answer.0)));
        }
        let id = known.conversation_id.into();
        let conversation = store::find(tx, id, self.caller.user)
            .await?
            .ok_or_else(Problem::not_found)?;
        let noted = self.noted(tx, &conversation, known.id.into(), known.created_at);
        Ok(Opening::Noted(Box::new(noted.await?)))
    }

    async fn noted(
        &self,
        tx: &mut TenantTx,
        conversation: &Conversation,
        message: MessageId,
        at: DateTime<Utc>,
    ) -> Result<Noted, DbError> {
        let pending = confirmations::find(tx, conversation.id, self.caller.user).await?;
        let zone = self
            .request
            .zone()
            .or_else(|| conversation.time_zone.parse().ok())
            .unwrap_or(Tz::UTC);
        Ok(Noted {
            conversation: conversation.id,
            message,
            voice: Voice {
                language: self.spoken(conversation.language),
                now: at,
                zone,
            },
            pending,
        })
    }

    /// The language to answer in: the one that was sent, or that of the message, or that of the talk before.
    pub(super) fn spoken(&self, before: Option<Language>) -> Language {
        let detected = || spoken(&self.request.message, before);
        self.request.language().unwrap_or_else(detected)
    }

    async fn conversation(
        &self,
        tx: &mut TenantTx,
        now: DateTime<Utc>,
    ) -> Result<Conversation, Problem> {
        if let Some(id) = self.request.conversation_id {
            let found = store::find(tx, id, self.caller.user).await?;
            let mut found = found.ok_or_else(not_found)?;
            if !found.titled {
                found.title = title::of_message(&self.request.message);
                found.version = store::set_title(tx, &found).await?;
            }
            return Ok(found);
        }
        let zone = self.request.zone().unwrap_or(Tz::UTC);
        let conversation = Conversation {
            id: self.app.core.sources.id(),
            title: title::of_message(&self.request.message),
            time_zone: zone.name().to_owned(),
            language: None,
            created_at: now,
            last_message_at: now,
            titled: true,
            version: 1,
        };
        store::insert(tx, &conversation, self.caller.user).await?;
        Ok(conversation)
    }

    /// Keeps the answer and the question that waits after it.
    async fn close(&self, noted: &Noted, outcome: Outcome) -> Result<ChatReply, Problem> {
        let core = &self.app.core;
        let now = core.sources.now();
        let question = outcome.question.map(|(action, summary)| {
            Pending::new(core.sources.id(), noted.conversation, action, summary, now)
        });
        let answer = ChatReply {
            conversation_id: Some(noted.conversation),
            message_id: Some(core.sources.id()),
            reply: outcome.reply,
            understood: outcome.understood,
            further: outcome.further,
            would: outcome.would,
            confirmation: question
                .as_ref()
                .or(outcome.still_waiting.as_ref())
                .map(Pending::shown),
            actions: outcome.actions,
            links: outcome.links,
            citations: outcome.citations,
            degraded: outcome.degraded.into_iter().map(str::to_owned).collect(),
            dry_run: false,
        };
        let mut tx = core.db.tenant(&self.caller.scope).await?;
        match outcome.waiting {
            Waiting::Stays => {}
            Waiting::Ends(status) => {
                confirmations::end(&mut tx, noted.conversation, status, now).await?;
            }
            Waiting::Returns(id) => {
                confirmations::restore(&mut tx, id).await?;
            }
        }
        if let Some(question) = &question {
            confirmations::end(&mut tx, noted.conversation, "dropped", now).await?;
            confirmations::insert(&mut tx, question, self.caller.user, now).await?;
        }
        for one in &outcome.done {
            let place = (noted.conversation, noted.message);
            done::insert(&mut tx, one, place, self.caller.user, now).await?;
        }
        if !messages::insert_answer(&mut tx, noted.message, self.caller.user, &answer, now).await? {
            return Err(in_progress());
        }
        store::touch(&mut tx, noted.conversation, noted.voice, now).await?;
        tx.commit().await?;
        Ok(answer)
    }
}

/// Goes on also when the client goes away or has no time any more: what was begun is finished, and its answer kept.
pub(super) async fn to_the_end<T: Send + 'static>(
    app: &AppState,
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    let work = app.core.tasks.spawn(context::carry(work));
    work.await.map_err(Problem::internal)?
}

fn in_progress() -> Problem {
    Problem::conflict(
        "message_in_progress",
        "The same message is being answered right now; send it again in a moment.",
    )
}

/// There is no such conversation of the caller: another user's looks the same.
pub(super) fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "conversation_not_found", "Not found").detail(
        "There is no such conversation of yours. Leave conversation_id out to begin a new one.",
    )
}
