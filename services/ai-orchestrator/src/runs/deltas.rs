//! What models say while somebody watches a run: `llm.delta`, always between the `llm.started` and the `llm.completed` of its
//! question.

use std::{collections::BTreeMap, sync::Arc};

use bz_kernel::RunId;
use bz_tenant::{DbError, TenantTx};
use serde_json::{Value, json};
use sqlx::query_as;

use super::worker::{Answer, Watch};

/// The answers that one stream tells of.
#[derive(Default)]
pub(super) struct Deltas {
    open: BTreeMap<String, Open>,
}

/// An answer whose question was told.
struct Open {
    task: Value,
    answer: Arc<Answer>,
    bytes: usize,
    characters: usize,
}

impl Deltas {
    /// Goes on behind an event that the reader has seen: questions before it may have no answer yet.
    pub(super) async fn behind(
        tx: &mut TenantTx,
        (run, seen): (RunId, i64),
        watch: &Watch,
    ) -> Result<Self, DbError> {
        let questions: Vec<(String, Value)> = query_as(
            "-- ai.run_events.questions\n\
             SELECT DISTINCT ON (data ->> 'path') kind, data FROM ai.run_events \
             WHERE run_id = $1 AND seq <= $2 AND kind IN ('llm.started', 'llm.completed') \
             ORDER BY data ->> 'path', seq DESC",
        )
        .bind(run.as_uuid())
        .bind(seen)
        .fetch_all(tx.conn())
        .await?;
        let mut deltas = Self::default();
        for (kind, data) in questions {
            deltas.told(watch, &kind, &data);
        }
        Ok(deltas)
    }

    /// A stored event was told.
    pub(super) fn told(&mut self, watch: &Watch, kind: &str, data: &Value) {
        let path = data["path"].as_str().unwrap_or_default();
        match kind {
            "llm.started" => {
                let attempt = data["attempt"].as_i64().unwrap_or_default();
                self.open.remove(path);
                if let Some(answer) = watch.answer(path, attempt) {
                    let open = Open {
                        task: data["task"].clone(),
                        answer,
                        bytes: 0,
                        characters: 0,
                    };
                    self.open.insert(path.to_owned(), open);
                }
            }
            "llm.completed" => {
                self.open.remove(path);
            }
            // Somebody else goes on.
            "run.resumed" => self.open.clear(),
            _ => {}
        }
    }

    /// What is to be told before a stored event: the rest of the answer that it ends.
    pub(super) fn before(&mut self, kind: &str, data: &Value) -> Option<Value> {
        let path = data["path"].as_str().filter(|_| kind == "llm.completed")?;
        let (path, open) = self.open.get_key_value(path)?;
        let (path, text) = (path.clone(), open.answer.behind(open.bytes)?);
        self.shown(&path, &text)
    }

    /// What came of any answer.
    pub(super) fn next(&mut self) -> Option<Value> {
        let came = |(path, open): (&String, &Open)| {
            let text = open.answer.behind(open.bytes)?;
            Some((path.clone(), text))
        };
        let (path, text) = self.open.iter().find_map(came)?;
        self.shown(&path, &text)
    }

    fn shown(&mut self, path: &str, text: &str) -> Option<Value> {
        let open = self.open.get_mut(path)?;
        let offset = open.characters;
        open.bytes += text.len();
        open.characters += text.chars().count();
        Some(json!({ "task": open.task, "path": path, "offset": offset, "text": text }))
    }
}
