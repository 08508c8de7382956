//! What everything that wants a model goes through: the providers in their order, the budgets around each call.

use std::{sync::Arc, time::Duration};

use bz_kernel::Sources;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    ByteStream, Charge, ChatAnswer, ChatRequest, Llm, LlmError, ProviderConfig, Usage,
    assemble::Assembly,
    chat::{self, Choice},
    estimate,
    provider::Provider,
    stream,
};
use crate::{
    budgets::{Accounts, Reservation, Worst},
    models::Models,
};

/// The longest answer when a request does not say: what is sent is always bounded.
const MAX_TOKENS: u64 = 2048;

/// The way to the models. Cheap to clone.
#[derive(Clone)]
pub struct Gateway(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) providers: Vec<Provider>,
    accounts: Option<Accounts>,
    sources: Sources,
    pub(super) deadline: Duration,
}

/// A provider, and what it is asked.
type Candidate<'a> = (&'a Provider, Map<String, Value>);

/// An answer in OpenAI's wire format.
pub struct Asked<T> {
    /// The document, or the events.
    pub answer: T,
    /// Who answered.
    pub provider: String,
    /// Tokens, as charged.
    pub usage: Usage,
    /// In millionths.
    pub cost: i64,
    /// What is left in the tightest budget, when there is one.
    pub remaining: Option<i64>,
    /// The providers that failed before.
    pub fallbacks: Vec<(String, &'static str)>,
}

impl Gateway {
    /// The configured providers in their order.
    ///
    /// # Errors
    /// When a key cannot be read or a client cannot be made.
    pub(crate) fn configured(
        configs: &[ProviderConfig],
        short: Option<Llm>,
        (models, in_process): (&Models, bool),
        accounts: Accounts,
        (sources, deadline): (&Sources, Duration),
    ) -> anyhow::Result<Self> {
        let configs = configs.iter();
        let made = configs.map(|config| Provider::new(config, deadline, models, sources));
        let mut providers: Vec<Provider> = made.collect::<Result<_, _>>()?;
        if providers.is_empty() {
            providers.extend(short.map(Provider::of));
            if in_process {
                providers.push(Provider::in_process(
                    "in_process",
                    deadline,
                    models,
                    sources,
                ));
            }
        }
        Ok(Self(Arc::new(Inner {
            providers,
            accounts: Some(accounts),
            sources: sources.clone(),
            deadline,
        })))
    }

    /// A gateway to one provider, without budgets.
    #[must_use]
    pub fn new(provider: Option<Llm>, sources: Sources) -> Self {
        let deadline = provider.as_ref().map_or(Duration::ZERO, Llm::deadline);
        Self(Arc::new(Inner {
            providers: provider.map(Provider::of).into_iter().collect(),
            accounts: None,
            sources,
            deadline,
        }))
    }

    /// Asks a model and waits for its whole answer. `cancel` ends the call and closes the connection to the provider.
    ///
    /// # Errors
    /// As [`LlmError`] says; [`LlmError::Cancelled`] when it was cancelled.
    pub async fn chat(
        &self,
        who: &Charge,
        request: ChatRequest,
        cancel: CancellationToken,
    ) -> Result<ChatAnswer, LlmError> {
        let body = request.to_wire();
        let call = self.complete(who, body, &request.models);
        let asked = cancel
            .run_until_cancelled(call)
            .await
            .ok_or(LlmError::Cancelled)??;
        answer(asked)
    }

    /// As [`Gateway::chat`], and `said` gets the pieces of the text as they come.
    ///
    /// # Errors
    /// As [`LlmError`] says. A provider is not replaced any more once its answer has begun.
    pub async fn chat_streamed(
        &self,
        who: &Charge,
        request: ChatRequest,
        cancel: CancellationToken,
        said: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<ChatAnswer, LlmError> {
        let call = async {
            let mut body = request.to_wire();
            body.insert(
                "stream_options".to_owned(),
                json!({ "include_usage": true }),
            );
            let asked = self.stream(who, body.clone(), &request.models).await?;
            let mut assembly = Assembly::default();
            stream::collect(asked.answer, &mut assembly, said).await;
            let usage = assembly.usage(estimate::at_most(&body));
            let document = assembly.document()?;
            chat::obeyed(&body, &document)?;
            let provider = self.named(&asked.provider);
            answer(Asked {
                answer: document,
                cost: provider.map_or(0, |provider| provider.cost(&usage)),
                usage,
                provider: asked.provider,
                remaining: asked.remaining,
                fallbacks: asked.fallbacks,
            })
        };
        cancel
            .run_until_cancelled(call)
            .await
            .ok_or(LlmError::Cancelled)?
    }

    /// A whole answer to a request in OpenAI's wire format.
    ///
    /// # Errors
    /// As [`LlmError`] says.
    pub async fn complete(
        &self,
        who: &Charge,
        mut body: Map<String, Value>,
        models: &[String],
    ) -> Result<Asked<Value>, LlmError> {
        bound(&mut body);
        let mut fallbacks = Vec::new();
        let mut last = LlmError::NotConfigured;
        for (provider, body) in self.candidates(models, &body)? {
            let attempt = async {
                let mut reserved = self.reserve(who, provider, &body).await?;
                let answer = provider.complete(&body, &self.0.sources).await;
                let usage = match &answer {
                    Ok(answer) => chat::usage(answer).unwrap_or_else(|| guess(&body, answer)),
                    Err(_) => Usage::default(),
                };
                let cost = provider.cost(&usage);
                let remaining = match &mut reserved {
                    Some(reserved) => reserved.settle(&usage, cost).await,
                    None => None,
                };
                Ok((answer?, usage, cost, remaining))
            };
            match note(provider, attempt.await) {
                Ok((answer, usage, cost, remaining)) => {
                    return Ok(Asked {
                        answer,
                        provider: provider.name.clone(),
                        usage,
                        cost,
                        remaining,
                        fallbacks,
                    });
                }
                Err(error) if !error.is_transient() => return Err(error),
                Err(error) => {
                    fallbacks.push((provider.name.clone(), error.code()));
                    last = error;
                }
            }
        }
        Err(last)
    }

    /// The answer as OpenAI's events. Another provider is tried until the first part has come. Dropping the stream closes
    /// the provider's connection; what it used until then is charged.
    ///
    /// # Errors
    /// As [`LlmError`] says, until the answer begins; later faults end the stream with an error event.
    pub async fn stream(
        &self,
        who: &Charge,
        mut body: Map<String, Value>,
        models: &[String],
    ) -> Result<Asked<ByteStream>, LlmError> {
        bound(&mut body);
        body.insert("stream".to_owned(), json!(true));
        let mut fallbacks = Vec::new();
        let mut last = LlmError::NotConfigured;
        for (provider, body) in self.candidates(models, &body)? {
            let attempt = async {
                let mut reserved = self.reserve(who, provider, &body).await?;
                let events = provider.stream(&body, &self.0.sources).await;
                let events = async { stream::begun(events?, self.0.deadline).await }.await;
                if let (Err(_), Some(reserved)) = (&events, &mut reserved) {
                    reserved.settle(&Usage::default(), 0).await;
                }
                Ok((events?, reserved))
            };
            match note(provider, attempt.await) {
                Ok((events, reserved)) => {
                    let meter = stream::Meter {
                        prompt: estimate::at_most(&body),
                        must_call: body
                            .get("tool_choice")
                            .is_some_and(|choice| choice == "required" || choice.is_object()),
                        prices: self.prices(provider),
                        remaining: reserved.as_ref().and_then(Reservation::remaining),
                        reserved,
                    };
                    return Ok(Asked {
                        provider: provider.name.clone(),
                        usage: Usage::default(),
                        cost: 0,
                        remaining: meter.remaining,
                        answer: stream::metered(events, meter),
                        fallbacks,
                    });
                }
                Err(error) if !error.is_transient() => return Err(error),
                Err(error) => {
                    fallbacks.push((provider.name.clone(), error.code()));
                    last = error;
                }
            }
        }
        Err(last)
    }

    fn prices(&self, provider: &Provider) -> stream::Prices {
        let (gateway, name) = (self.clone(), provider.name.clone());
        Box::new(move |usage| {
            let provider = gateway.named(&name);
            provider.map_or(0, |provider| provider.cost(usage))
        })
    }

    async fn reserve(
        &self,
        who: &Charge,
        provider: &Provider,
        body: &Map<String, Value>,
    ) -> Result<Option<Reservation>, LlmError> {
        let longest = estimate::asked(body).unwrap_or(MAX_TOKENS);
        let least = estimate::at_least(body) + longest;
        if let Some(limit) = provider.context.filter(|limit| least > *limit) {
            let tokens = least;
            return Err(LlmError::ContextTooLarge { tokens, limit });
        }
        let worst = Usage::estimated(estimate::at_most(body), longest);
        self.take(who, provider, &provider.model, &worst).await
    }

    /// Takes the most that a call of a provider's model can use out of the budgets, if there are accounts.
    pub(super) async fn take(
        &self,
        who: &Charge,
        provider: &Provider,
        model: &str,
        usage: &Usage,
    ) -> Result<Option<Reservation>, LlmError> {
        let Some(accounts) = &self.0.accounts else {
            return Ok(None);
        };
        let worst = Worst {
            tokens: i64::try_from(usage.total()).unwrap_or(i64::MAX),
            cost: provider.cost(usage),
            runs: 0,
            provider: provider.name.clone(),
            model: model.to_owned(),
        };
        accounts.reserve(who, worst).await.map(Some)
    }

    /// Whom to ask what: those that were named, by their name or their model, or all in their order. A model that nobody
    /// is configured for is passed on to the first server, which may know it.
    fn candidates(
        &self,
        models: &[String],
        body: &Map<String, Value>,
    ) -> Result<Vec<Candidate<'_>>, LlmError> {
        let all = || self.0.providers.iter().filter(|provider| provider.exists());
        let mut chosen: Vec<Candidate<'_>> = Vec::new();
        for model in models {
            let known =
                all().filter(|provider| provider.name == *model || provider.model == *model);
            chosen.extend(known.map(|provider| (provider, body.clone())));
        }
        if let (true, Some(model)) = (chosen.is_empty(), models.first()) {
            let mut body = body.clone();
            body.insert("model".to_owned(), json!(model));
            let server = all().find(|provider| provider.openai().is_some());
            chosen.extend(server.map(|provider| (provider, body)));
        }
        if models.is_empty() {
            chosen.extend(all().map(|provider| (provider, body.clone())));
        }
        if chosen.is_empty() {
            return Err(LlmError::NotConfigured);
        }
        chosen.retain(|(provider, _)| provider.breaker.allows());
        if chosen.is_empty() {
            return Err(LlmError::CircuitOpen);
        }
        Ok(chosen)
    }

    fn named(&self, name: &str) -> Option<&Provider> {
        self.0
            .providers
            .iter()
            .find(|provider| provider.name == name)
    }
}

/// Tells the breaker.
fn note<T>(provider: &Provider, outcome: Result<T, LlmError>) -> Result<T, LlmError> {
    match &outcome {
        Ok(_) => provider.breaker.succeeded(),
        Err(error) if error.is_providers_fault() => provider.breaker.failed(),
        // The provider is well: it was the request.
        Err(LlmError::Refused { status: ..500, .. }) => provider.breaker.succeeded(),
        Err(_) => {}
    }
    outcome
}

/// Limits the answer of a request that does not.
fn bound(body: &mut Map<String, Value>) {
    if estimate::asked(body).is_none() {
        body.insert("max_tokens".to_owned(), json!(MAX_TOKENS));
    }
}

/// What a call used that was answered without saying so.
fn guess(body: &Map<String, Value>, answer: &Value) -> Usage {
    let text = answer["choices"][0]["message"].to_string();
    Usage::estimated(estimate::at_most(body), estimate::about(text.len()))
}

fn answer(asked: Asked<Value>) -> Result<ChatAnswer, LlmError> {
    let choice = Choice::from_wire(&asked.answer)?.without_zeros();
    let model = asked.answer["model"].as_str();
    Ok(ChatAnswer {
        content: choice.content,
        tool_calls: choice.tool_calls,
        finish_reason: choice.finish_reason,
        usage: asked.usage,
        model: model.unwrap_or_default().replace('\0', ""),
        provider: asked.provider,
        cost: asked.cost,
        fallbacks: asked.fallbacks,
    })
}
