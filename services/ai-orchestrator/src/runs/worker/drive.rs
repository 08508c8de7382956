//! One run, from the moment it was taken until it is given back.

use std::{panic::AssertUnwindSafe, sync::Mutex};

use bz_kernel::{CrewId, RunId, TenantId, UserId};
use bz_tenant::{DbError, TenantScope};
use futures_util::FutureExt;

use super::{
    Stops,
    finish::{self, Ended},
    store::{self, Head},
};
use crate::{
    app::AppState,
    runs::{
        RunUsage,
        engine::{Engine, Halt, Made, Meter, Used},
        journal::Journal,
    },
    tools,
};

/// Does a run.
pub(super) async fn run(app: &AppState, (tenant, id): (TenantId, RunId), stops: &Stops) {
    let scope = TenantScope::new(tenant, None);
    match opened(app, scope, id, stops).await {
        Ok(Some((engine, head))) => {
            let ready = ready(app, &head);
            app.runs.note(|pulse| pulse.begun(ready));
            let ended = walk(&engine, &head, stops).await;
            let status = finish::write(&engine, ended).await;
            app.runs.note(|pulse| pulse.ended(ready, status));
        }
        // It is gone, or another worker's.
        Ok(None) => {}
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, run.id = %id, "a run could not be read; it is left to its lease");
        }
    }
}

/// The ready agent whose run it is: health tells of these alone, whatever tenants call their own agents and crews.
fn ready<'a>(app: &'a AppState, head: &Head) -> Option<&'a str> {
    let named = head.kind == "agent" && head.subject_id.is_none();
    let ready = app.ready_agent(&head.subject).filter(|_| named)?;
    Some(&ready.name)
}

/// Reads what is needed.
async fn opened(
    app: &AppState,
    scope: TenantScope,
    id: RunId,
    stops: &Stops,
) -> Result<Option<(Engine, Head)>, DbError> {
    let _turn = app.runs.turn().await;
    let mut tx = app.core.db.read(&scope).await?;
    let Some(head) = store::head(&mut tx, id).await? else {
        return Ok(None);
    };
    if head.status != "running" {
        return Ok(None);
    }
    let names = head
        .plan
        .0
        .agents
        .iter()
        .flat_map(|agent| &agent.definition.tools);
    let tools = tools::named(&mut tx, names).await?;
    drop(tx);
    let user = UserId::from_uuid(head.created_by);
    let scope = TenantScope::new(scope.tenant(), Some(user));
    let shared = (
        app.core.db.clone(),
        app.core.sources.clone(),
        app.runs.clone(),
    );
    let journal = Journal::open(shared, scope, (id, head.attempt)).await?;
    let sealed = head.credential.as_deref();
    let engine = Engine {
        app: app.clone(),
        plan: head.plan.0.clone(),
        inputs: head.inputs.0.clone(),
        crew: head
            .subject_id
            .filter(|_| head.kind == "crew")
            .map(CrewId::from_uuid),
        token: sealed.and_then(|sealed| app.token_of(id, sealed)),
        meter: Meter::new(head.plan.0.limits, used(&head), head.worked_ms),
        drain: stops.drain.clone(),
        made: Mutex::new(Made::default()),
        tools,
        user,
        journal,
    };
    Ok(Some((engine, head)))
}

fn used(head: &Head) -> Used {
    Used::from(RunUsage {
        steps: head.steps,
        tool_calls: head.tool_calls,
        prompt_tokens: head.prompt_tokens,
        completion_tokens: head.completion_tokens,
        cost_micros: head.cost,
        worked_ms: head.worked_ms,
    })
}

/// Walks until something ends it. Whatever does drops what is in flight, which closes its connections.
async fn walk(engine: &Engine, head: &Head, stops: &Stops) -> Ended {
    if head.cancel_requested_at.is_some() {
        return Err(Halt::Cancelled);
    }
    let work = AssertUnwindSafe(engine.run()).catch_unwind();
    tokio::select! {
        biased;
        () = stops.lost.cancelled() => Err(Halt::Lost),
        () = stops.cancel.cancelled() => Err(Halt::Cancelled),
        () = stops.halt.cancelled() => Err(Halt::Drained),
        ended = work => ended.unwrap_or_else(|_| {
            tracing::error!(run.id = %engine.journal.run, "a run panicked");
            Err(Halt::failed("internal", "something went wrong on our side"))
        }),
        () = tokio::time::sleep(engine.meter.left()) => Err(Halt::Limit {
            limit: "deadline_seconds",
            message: "the run was worked on for as long as it may be".to_owned(),
        }),
    }
}
