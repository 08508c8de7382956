//! Runs of agents, through the AI orchestrator, with the user's own token. It limits and journals them; the chatbot only asks
//! for one and says which.

use bz_http::client::Sibling;
use bz_kernel::SecretString;
use bz_service::Core;
use serde::Deserialize;
use serde_json::json;

use crate::crm::CrmError;
use crate::failure::{Failure, Part};
use crate::pages;
use crate::understand::target::{Resolution, resolve};

/// The AI orchestrator. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AgentService(Sibling);

/// The agents as one user may use them, for one message.
pub(crate) struct Agents<'a> {
    service: &'a Sibling,
    token: &'a SecretString,
    key: String,
}

/// An agent of the catalogue.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Card {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) title: String,
}

#[derive(Deserialize)]
struct Run {
    id: String,
}

impl AgentService {
    /// The AI orchestrator that is configured.
    pub(crate) fn new(core: &Core) -> anyhow::Result<Self> {
        let base = &core.siblings.ai_orchestrator;
        Ok(Self(Sibling::new("ai-orchestrator", base, &core.sources)?))
    }

    /// The agents as one user may use them. `key` tells repeats of the message.
    pub(crate) fn session<'a>(&'a self, token: &'a SecretString, key: String) -> Agents<'a> {
        Agents {
            service: &self.0,
            token,
            key,
        }
    }
}

impl Agents<'_> {
    /// The agent that is called that; an answer for the user when it is none, or more than one.
    pub(crate) async fn find(&self, said: &str) -> Result<Result<Card, String>, Failure> {
        let cards = self.all().await?;
        let exact = cards
            .iter()
            .find(|card| card.name == said.to_lowercase().replace(' ', "-"));
        if let Some(card) = exact {
            return Ok(Ok(card.clone()));
        }
        let titles: Vec<&str> = cards.iter().map(|card| card.title.as_str()).collect();
        Ok(match resolve(said, &titles) {
            Resolution::One(at) => Ok(cards[at].clone()),
            Resolution::Nothing => Err(format!(
                "I know no agent called \"{said}\". There are: {}.",
                titles.join(", ")
            )),
            Resolution::Ambiguous(some) => {
                let close: Vec<&str> = some.iter().map(|at| titles[*at]).collect();
                Err(format!("Which agent do you mean: {}?", close.join(" or ")))
            }
        })
    }

    async fn all(&self) -> Result<Vec<Card>, Failure> {
        let call = |path: &str| self.service.get(path).bearer(self.token);
        let cards = pages::all("/api/agents?limit=100", call).await;
        cards.map_err(Failure::of(Part::Agents))
    }

    /// Starts a run; the same message starts it once. Answers what the user is told.
    pub(crate) async fn run(&self, agent: &str, input: &str) -> Result<String, Failure> {
        let body = json!({ "agent": agent, "task": input });
        let call = self.service.post("/api/runs").bearer(self.token);
        let call = call.idempotency_key(&self.key).json(&body);
        let run: Result<Run, Failure> = call.send().await.map_err(Failure::of(Part::Agents));
        match run {
            Ok(run) => Ok(format!(
                "Its run is {}: GET /api/runs/{} tells how it goes.",
                run.id, run.id
            )),
            // The agent was found a moment ago, so what is missing is the way to run it.
            Err(Failure {
                why: CrmError::Gone,
                ..
            }) => Err(Failure {
                part: Part::Agents,
                why: CrmError::Refused("agents cannot be run on this installation".to_owned()),
            }),
            Err(failure) => Err(failure),
        }
    }
}
