//! The tasks of a run: each when those that it needs are done, some at the same time; or all of them by a manager.

use std::collections::HashMap;

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::json;

use super::{Engine, Halt, agent::Job};
use crate::{
    crews::Process,
    runs::{
        TaskResult,
        journal::{Ask, Entry},
        plan::PinnedTask,
    },
};

impl Engine {
    /// Does all tasks; answers the result of the last one.
    pub(super) async fn tasks(&self) -> Result<TaskResult, Halt> {
        if self.plan.process == Process::Hierarchical {
            return self.managed().await;
        }
        let most = usize::try_from(self.plan.limits.max_parallel)
            .unwrap_or(1)
            .max(1);
        let mut done: HashMap<usize, TaskResult> = HashMap::new();
        let mut begun = vec![false; self.plan.tasks.len()];
        let (mut running, mut blocked) = (FuturesUnordered::new(), false);
        loop {
            for (n, task) in self.plan.tasks.iter().enumerate() {
                let ready = task
                    .depends_on
                    .iter()
                    .all(|needed| done.contains_key(needed));
                if !begun[n] && ready && running.len() < most {
                    begun[n] = true;
                    running.push(self.one(n, context(task, &done)));
                }
            }
            match running.next().await {
                Some((n, Ok(result))) => {
                    done.insert(n, result);
                }
                // What does not need this one goes on.
                Some((_, Err(Halt::Blocked))) => blocked = true,
                Some((_, Err(halt))) => return Err(halt),
                None => break,
            }
        }
        drop(running);
        if blocked {
            return Err(Halt::Blocked);
        }
        let last = self.plan.tasks.len().saturating_sub(1);
        done.remove(&last)
            .ok_or_else(|| Halt::failed("circle", "the tasks wait for each other"))
    }

    /// One task, with what is told of it.
    async fn one(&self, n: usize, context: String) -> (usize, Result<TaskResult, Halt>) {
        let task = &self.plan.tasks[n];
        let job = Job {
            agent: &self.plan.agents[task.agent],
            base: task.name.clone(),
            coworkers: &[],
            context,
            task,
        };
        (n, self.told(job).await)
    }

    /// All tasks by a manager, which hands them to the agents of the crew.
    async fn managed(&self) -> Result<TaskResult, Halt> {
        let Some(manager) = self.plan.manager else {
            return Err(Halt::failed("no_manager", "the crew has no manager"));
        };
        let others = (0..self.plan.agents.len()).filter(|n| *n != manager);
        let coworkers: Vec<usize> = others.collect();
        let wanted = self.plan.tasks.iter().enumerate().map(|(n, task)| {
            let who = &self.plan.agents[task.agent].name;
            format!(
                "{}. {} (result: {}; meant for {who})",
                n + 1,
                task.description,
                task.expected_output
            )
        });
        let last = self.plan.tasks.last();
        let task = PinnedTask {
            name: "manager".to_owned(),
            description: format!(
                "See to it that these tasks are done, in a sensible order, by handing them to the agents. Then answer with the \
                 result of the last one, corrected where it has to be.\n{}",
                wanted.collect::<Vec<_>>().join("\n")
            ),
            expected_output: last
                .map(|task| task.expected_output.clone())
                .unwrap_or_default(),
            output_schema: last.and_then(|task| task.output_schema.clone()),
            agent: manager,
            depends_on: Vec::new(),
            approval: last.is_some_and(|task| task.approval),
        };
        let job = Job {
            agent: &self.plan.agents[manager],
            task: &task,
            base: task.name.clone(),
            context: String::new(),
            coworkers: &coworkers,
        };
        self.told(job).await
    }

    async fn told(&self, job: Job<'_>) -> Result<TaskResult, Halt> {
        let (task, agent) = (job.task, job.agent.name.clone());
        if self.journal.first_time("task.started", &task.name) {
            let data = json!({ "task": task.name, "agent": agent });
            self.tell(vec![("task.started", data)]).await?;
        }
        let result = self.work(job).await?;
        let result = self.reviewed(task, result).await?;
        self.done(result.clone());
        if self.journal.first_time("task.completed", &task.name) {
            let data = json!({ "task": task.name, "agent": agent });
            self.tell(vec![("task.completed", data)]).await?;
        }
        Ok(result)
    }

    /// The result as a person wants it, of a task that a person looks at.
    async fn reviewed(
        &self,
        task: &PinnedTask,
        mut result: TaskResult,
    ) -> Result<TaskResult, Halt> {
        if !task.approval {
            return Ok(result);
        }
        let path = format!("{}.review", task.name);
        match self.journal.decision(&path, "result") {
            Some(decided) if decided.status == "approved" => {
                if let Some(edited) = &decided.decided_arguments {
                    result.text = edited["text"].as_str().unwrap_or_default().to_owned();
                }
                Ok(result)
            }
            Some(decided) => {
                let comment = decided.comment.as_deref().unwrap_or("without a word");
                let message = format!("the result of {} was rejected: {comment}", task.name);
                Err(Halt::failed("result_rejected", message))
            }
            None if self.journal.was_asked(&path, "result") => Err(Halt::Blocked),
            None => {
                let data = json!({ "task": task.name, "path": path, "reason": "result" });
                let ask = Ask {
                    path,
                    reason: "result",
                    subject: task.name.clone(),
                    arguments: json!({ "text": result.text }),
                };
                let entry = Entry {
                    ask: Some(ask),
                    events: vec![("approval.requested", data)],
                    worked_ms: self.meter.worked_ms(),
                    ..Entry::default()
                };
                self.said(&task.name, &result.text);
                self.journal.write(entry).await?;
                Err(Halt::Blocked)
            }
        }
    }
}

/// The results that a task needs, as it reads them.
fn context(task: &PinnedTask, done: &HashMap<usize, TaskResult>) -> String {
    let needed = task.depends_on.iter().filter_map(|n| done.get(n));
    let parts = needed.map(|result| format!("[{}]\n{}", result.task, result.text));
    parts.collect::<Vec<_>>().join("\n\n")
}
