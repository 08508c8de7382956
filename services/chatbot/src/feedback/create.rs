use axum::extract::State;
use bz_auth::Can;
use bz_events::NewEvent;
use bz_http::{Errors, Json, Path, Problem, Validate};
use bz_kernel::platform;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{query, query_scalar};
use utoipa::ToSchema;

use super::no_answer;
use crate::app::{AppState, ChatWrite};
use crate::conversations::MessageId;

/// The longest comment.
const MAX_COMMENT: usize = 2000;

/// Good or bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rating {
    /// Good.
    Up,
    /// Bad.
    Down,
}

impl Rating {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What a user thinks of an answer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateFeedback {
    /// Good or bad.
    rating: Rating,
    /// Why, 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    comment: Option<String>,
}

impl Validate for CreateFeedback {
    fn validate(&self, errors: &mut Errors) {
        let Some(comment) = &self.comment else { return };
        let fits = comment.chars().count() <= MAX_COMMENT && !comment.trim().is_empty();
        if !fits || comment.contains('\0') {
            let message = "must have 1 to 2000 characters, not only spaces";
            errors.add("/comment", "invalid_length", message);
        }
    }
}

/// What a user thinks of an answer, as it is kept.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Feedback {
    /// The answer.
    message_id: MessageId,
    /// Good or bad.
    rating: Rating,
    /// Why.
    comment: Option<String>,
    /// When this was said.
    updated_at: DateTime<Utc>,
}

/// Say whether an answer was good. Saying it again replaces what was said.
#[utoipa::path(
    post, path = "/api/messages/{id}/feedback", tag = "feedback",
    security(("bearer" = ["chat:write"])),
    params(("id" = MessageId, Path, description = "The `message_id` of an answer")),
    request_body = CreateFeedback,
    responses(
        (status = 200, description = "As it is kept", body = Feedback),
        (status = 404, description = "No such message of the caller", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 409, description = "`not_an_answer`: it is what the user said", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_feedback(
    State(app): State<AppState>,
    caller: Can<ChatWrite>,
    Path(id): Path<MessageId>,
    Json(request): Json<CreateFeedback>,
) -> Result<Json<Feedback>, Problem> {
    let feedback = Feedback {
        message_id: id,
        rating: request.rating,
        comment: request.comment.map(|comment| comment.trim().to_owned()),
        updated_at: app.core.sources.now(),
    };
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    match role(&mut tx, id, &caller).await?.as_deref() {
        Some("assistant") => {}
        Some(_) => return Err(no_answer()),
        None => return Err(Problem::not_found()),
    }
    keep(&mut tx, &feedback, &caller).await?;
    let event = NewEvent {
        kind: "chat.feedback_given",
        actor: Some(caller.user),
        data: json!({ "message_id": id, "rating": feedback.rating }),
    };
    bz_events::append(&mut tx, &app.core.sources, event).await?;
    tx.commit().await?;
    bz_events::wake(&app.core.redis, platform::CHATBOT.schema);
    Ok(Json(feedback))
}

/// Who said a message of the caller's conversations.
async fn role(
    tx: &mut TenantTx,
    id: MessageId,
    caller: &Can<ChatWrite>,
) -> Result<Option<String>, DbError> {
    Ok(query_scalar(
        "-- chat.feedback.role\nSELECT role FROM chat.messages WHERE id = $1 AND user_id = $2",
    )
    .bind(id.as_uuid())
    .bind(caller.user.as_uuid())
    .fetch_optional(tx.conn())
    .await?)
}

async fn keep(
    tx: &mut TenantTx,
    feedback: &Feedback,
    caller: &Can<ChatWrite>,
) -> Result<(), DbError> {
    query(
        "-- chat.feedback.keep\n\
         INSERT INTO chat.feedback (message_id, user_id, rating, comment, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (tenant_id, message_id) DO UPDATE \
         SET rating = excluded.rating, comment = excluded.comment, updated_at = excluded.updated_at",
    )
    .bind(feedback.message_id.as_uuid())
    .bind(caller.user.as_uuid())
    .bind(feedback.rating.as_str())
    .bind(&feedback.comment)
    .bind(feedback.updated_at)
    .execute(tx.conn())
    .await?;
    Ok(())
}
