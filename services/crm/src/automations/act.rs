//! Doing what an automation says, in one transaction.

use bz_auth::Permissions;
use bz_events::webhooks::{self, Message};
use bz_http::Problem;
use bz_tenant::TenantTx;
use http::StatusCode;
use serde_json::{Map, Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Action, ActionOutcome, Automation, rules};
use crate::{
    app::AppState,
    records::{
        RecordType, Work,
        access::{self, Sight},
        custom,
        dynamic::Edit,
        filter::Context,
        sql::Sql,
    },
};

/// Whether the record is one that the automation is about: its creator sees it and it passes the filter. One that was
/// deleted counts only where its deletion is what happened.
pub(super) async fn concerns(
    app: &AppState,
    tx: &mut TenantTx,
    automation: &Automation,
    (kind, record_id): (&str, Uuid),
) -> Result<bool, Problem> {
    let Some(record) = rules::type_of(&automation.wanted.record_type) else {
        return Ok(false);
    };
    let who = (automation.created_by, automation.roles.as_slice());
    if !allowed(automation, record, "read") {
        return Ok(false);
    }
    let sight = access::reads_as(app, tx, who, record).await?;
    let known = custom::definitions(app, tx).await?;
    let mut sql = Sql::new(format!(
        "-- {0}.concerns\nSELECT id FROM {0} WHERE id = ",
        record.table
    ));
    sql.bind(record_id);
    if kind != record.events[2] {
        sql.push(" AND deleted_at IS NULL");
    }
    sight.push(&mut sql);
    if let Some(filter) = &automation.wanted.filter {
        filter.push(
            Context {
                record,
                custom: &known,
                me: automation.created_by,
            },
            &mut sql,
        )?;
    }
    #[derive(FromRow)]
    struct Row {
        #[sqlx(rename = "id")]
        _id: Uuid,
    }
    Ok(sql.fetch_optional::<Row>(tx).await?.is_some())
}

/// Does all actions, and tells what each did.
///
/// # Errors
/// What stopped one of them; nothing of the transaction is to be kept then.
pub(super) async fn all(
    app: &AppState,
    tx: &mut TenantTx,
    automation: &Automation,
    (kind, record): (&str, Uuid),
) -> Result<Vec<ActionOutcome>, Problem> {
    let mut outcomes = Vec::with_capacity(automation.wanted.actions.len());
    for action in &automation.wanted.actions {
        let (result, id) = one(app, tx, automation, action, (kind, record)).await?;
        outcomes.push(ActionOutcome {
            action: action.name().to_owned(),
            result: result.to_owned(),
            id,
        });
    }
    Ok(outcomes)
}

async fn one(
    app: &AppState,
    tx: &mut TenantTx,
    automation: &Automation,
    action: &Action,
    (kind, id): (&str, Uuid),
) -> Result<(&'static str, Option<Uuid>), Problem> {
    match action {
        Action::SetFields { fields } => {
            change(app, tx, automation, id, Edit::Fields(fields.clone())).await
        }
        Action::AddTag { tag } => change(app, tx, automation, id, Edit::AddTag(tag.clone())).await,
        Action::Assign { user_id } => {
            let owner = Map::from_iter([("owner_id".to_owned(), json!(user_id))]);
            change(app, tx, automation, id, Edit::Fields(owner)).await
        }
        Action::CreateRecord {
            record_type,
            fields,
        } => {
            let record = writable(automation, record_type)?;
            let mut fields = fields.clone();
            if record.field("links").is_some() && !fields.contains_key("links") {
                fields.insert(
                    "links".to_owned(),
                    json!([{ "type": automation.wanted.record_type, "id": id }]),
                );
            }
            let mut work = Work {
                app,
                tx,
                actor: automation.created_by,
            };
            let made = (record.operations.create)(&mut work, fields).await?;
            Ok(("created", Some(made)))
        }
        Action::CallWebhook { webhook_id } => {
            call(app, tx, automation, *webhook_id, (kind, id)).await
        }
        Action::RunAgent { agent, .. } => Err(Problem::new(
            StatusCode::CONFLICT,
            "agents_cannot_run",
            "The AI orchestrator does not run agents for records yet",
        )
        .detail(format!("The agent {agent:.100} was not run."))),
    }
}

async fn change(
    app: &AppState,
    tx: &mut TenantTx,
    automation: &Automation,
    id: Uuid,
    edit: Edit,
) -> Result<(&'static str, Option<Uuid>), Problem> {
    let record = writable(automation, &automation.wanted.record_type)?;
    let sight: Sight =
        access::writes_as(app, tx, (automation.created_by, &automation.roles), record).await?;
    let mut work = Work {
        app,
        tx,
        actor: automation.created_by,
    };
    let changed = (record.operations.change)(&mut work, sight, id, edit).await?;
    Ok((if changed { "changed" } else { "unchanged" }, None))
}

/// Queues a message to one of the tenant's webhooks, which has its own retries.
async fn call(
    app: &AppState,
    tx: &mut TenantTx,
    automation: &Automation,
    webhook: Uuid,
    (kind, record): (&str, Uuid),
) -> Result<(&'static str, Option<Uuid>), Problem> {
    let sources = &app.core.sources;
    let found = webhooks::table::find(tx, webhook).await?;
    if found.is_none() {
        return Err(Problem::not_found().detail("The webhook of the automation is gone."));
    }
    let id = sources.id();
    let data = json!({
        "automation_id": automation.id, "event": kind, "record_type": automation.wanted.record_type, "record_id": record,
    });
    let message = Message {
        id,
        event_id: sources.id(),
        kind: "automation.fired",
        data,
    };
    webhooks::queue(tx, webhook, message, sources.now()).await?;
    Ok(("queued", Some(id)))
}

/// A type that the creator may write.
fn writable(automation: &Automation, name: &str) -> Result<&'static RecordType, Problem> {
    let record = rules::type_of(name).ok_or_else(Problem::not_found)?;
    if allowed(automation, record, "write") {
        return Ok(record);
    }
    Err(Problem::forbidden().detail(format!(
        "The automation's creator may not write {}.",
        record.plural
    )))
}

fn allowed(automation: &Automation, record: &RecordType, verb: &str) -> bool {
    let permissions = Permissions::of_roles(&automation.roles).with(&automation.entitlements);
    permissions.allow(&format!("{}:{verb}", record.plural))
}

/// What the log of runs says of a failure.
pub(super) fn said(problem: &Problem) -> String {
    let document = problem.document();
    let mut text = format!(
        "{}: {}",
        document.code,
        document.detail.unwrap_or(document.title)
    );
    for fault in document.errors.iter().take(3) {
        let fault = json!(fault);
        let of = |name: &str| fault[name].as_str().unwrap_or_default().to_owned();
        text.push_str(&format!(" {} {}.", of("pointer"), of("message")));
    }
    text.chars().take(1_000).collect()
}

/// Outcomes as they are stored.
pub(super) fn stored(outcomes: &[ActionOutcome]) -> Value {
    json!(outcomes)
}
