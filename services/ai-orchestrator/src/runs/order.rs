//! Making a run, for a request or a schedule.

use bz_auth::Permissions;
use bz_http::Problem;
use bz_kernel::{RunId, SecretString, UserId};
use bz_tenant::TenantTx;
use http::StatusCode;
use uuid::Uuid;

use super::{
    CreateRun, Run, RunKind, Subject,
    plan::{self, PinnedAgent, Plan},
    store,
};
use crate::{
    app::AppState,
    budgets,
    crews::CrewDefinition,
    definitions,
    llm::Charge,
    tools::{Target, ToolSpec},
};

/// For whom a run works.
pub(crate) struct Behalf<'a> {
    /// The user.
    pub user: UserId,
    /// What the user may do.
    pub permissions: &'a Permissions,
    /// The user's token, if there is one.
    pub token: Option<&'a SecretString>,
    /// The schedule that orders it.
    pub schedule: Option<Uuid>,
}

/// Makes a run.
///
/// # Errors
/// 404 for an agent or a crew that is not there, 422 for a plan that cannot run, 403 `forbidden_tool` when the user lacks what
/// a tool needs, 402 when a budget has no run left.
pub(crate) async fn run(
    app: &AppState,
    tx: &mut TenantTx,
    behalf: &Behalf<'_>,
    order: &CreateRun,
) -> Result<Run, Problem> {
    let (subject, planned, at) = subject(app, tx, order).await?;
    let (mut plan, tools) = planned.sound(at)?;
    for usable in tools.values() {
        if let Some(permission) = &usable.spec.permission
            && !behalf.permissions.allow(permission)
            && !left_out(app, &mut plan, &usable.spec)
        {
            let detail = format!("The tool {} needs {permission}.", usable.spec.name);
            let title = "The user may not use a tool of this run";
            return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden_tool", title).detail(detail));
        }
    }
    let id: RunId = app.core.sources.id();
    let new = store::NewRun {
        id,
        subject,
        plan: plan.limited(order.limits),
        inputs: order.inputs.clone(),
        credential: behalf.token.map(|token| app.credential(id, token)),
        user: behalf.user,
        schedule: behalf.schedule,
        forked_from: None,
    };
    made(app, tx, new).await
}

/// Ready agents work without the documents and their memory for a user who may not use these; answers whether nobody else in
/// the plan wants the tool.
fn left_out(app: &AppState, plan: &mut Plan, tool: &ToolSpec) -> bool {
    let is_ready = |agent: &PinnedAgent| app.ready_agent(&agent.name).is_some();
    let mut others = plan.agents.iter().filter(|agent| !is_ready(agent));
    let wanted = others.any(|agent| agent.definition.tools.contains(&tool.name));
    if wanted || !matches!(tool.call, Target::Here { .. }) {
        return false;
    }
    for agent in &mut plan.agents {
        agent.definition.tools.retain(|name| *name != tool.name);
    }
    true
}

/// Keeps a new run, and counts it in the budgets that limit runs.
///
/// # Errors
/// 402 when a hard one has none left; nothing is written then.
pub(super) async fn made(
    app: &AppState,
    tx: &mut TenantTx,
    new: store::NewRun,
) -> Result<Run, Problem> {
    let now = app.core.sources.now();
    let who = Charge {
        tenant: tx.scope().tenant(),
        user: new.user,
        run: Some(new.id),
        crew: new.subject.crew(),
    };
    budgets::start_run(tx, &who, now).await?;
    Ok(store::insert(tx, new, now).await?)
}

async fn subject(
    app: &AppState,
    tx: &mut TenantTx,
    order: &CreateRun,
) -> Result<(Subject, plan::Planned, &'static str), Problem> {
    if let Some(name) = &order.agent {
        let unknown = || Problem::invalid("/agent", "unknown_agent", "there is no such agent");
        let (agent, id) = plan::agent(app, tx, name).await?.ok_or_else(unknown)?;
        let subject = Subject {
            kind: RunKind::Agent,
            name: agent.name.clone(),
            id,
            version: agent.version,
        };
        let (task, schema) = (order.task.as_deref(), order.output_schema.clone());
        return Ok((
            subject,
            plan::of_agent(tx, agent, task, schema).await?,
            "/agent",
        ));
    }
    let unknown = || Problem::invalid("/crew", "unknown_crew", "there is no such crew");
    let name = order.crew.as_deref().unwrap_or_default();
    let crew = definitions::find::<CrewDefinition>(tx, name)
        .await?
        .ok_or_else(unknown)?;
    let planned = plan::of_crew(app, tx, &crew.definition.0).await?;
    let subject = Subject {
        kind: RunKind::Crew,
        name: crew.name,
        id: Some(crew.id),
        version: crew.version,
    };
    Ok((subject, planned, "/crew"))
}
