//! A small model that answers chats.

use std::{ops::ControlFlow, path::Path};

use serde_json::Value;

use crate::{
    Error,
    grammar::Grammar,
    llama::{self, Llama},
    sample::Sampler,
    text::Text,
};

/// Tokens of a prompt that are read at once; between two parts the caller can end it.
const PART: usize = 64;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Instructions.
    System,
    /// A person.
    User,
    /// The model.
    Assistant,
}

impl Role {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Generate {
    /// The conversation so far.
    pub turns: Vec<Turn>,
    /// A JSON schema that the answer must follow.
    pub schema: Option<Value>,
    /// The most tokens of the answer.
    pub max_tokens: usize,
    /// 0 for the likeliest answer, 1 for the model's own odds.
    pub temperature: f32,
    /// For temperatures above 0: the same seed gives the same answer.
    pub seed: u64,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// It was complete.
    Stop,
    /// It reached `max_tokens`.
    Length,
    /// The caller ended it.
    Ended,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Its text.
    pub text: String,
    /// Why it ended.
    pub finish: Finish,
    /// Tokens of the conversation.
    pub prompt_tokens: usize,
    /// Tokens of the answer, with the one that ended it.
    pub completion_tokens: usize,
}

/// A loaded model.
pub struct ChatModel {
    llama: Llama,
    text: Text,
    context: usize,
}

impl ChatModel {
    /// Loads a GGUF file. `context` is the most tokens of a conversation with its answer; what the model was trained for is
    /// the upper limit. A token takes 46 kB while it is worked on (SmolLM2-135M).
    ///
    /// # Errors
    /// As [`Error`] says.
    pub fn load(file: &Path, context: usize) -> Result<Self, Error> {
        let (llama, metadata) = llama::read(file)?;
        let text = Text::new(&metadata)?;
        let context = context.min(metadata.number("llama.context_length")?);
        Ok(Self {
            llama,
            text,
            context,
        })
    }

    /// The most tokens of a conversation with its answer.
    #[must_use]
    pub const fn context(&self) -> usize {
        self.context
    }

    /// Answers a conversation. `progress` gets each piece of the answer, and an empty one between parts of the prompt; when
    /// it breaks, the answer ends there.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub fn generate(
        &self,
        request: &Generate,
        progress: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Generated, Error> {
        let prompt = self.text.prompt(&request.turns)?;
        let tokens = prompt.len() + request.max_tokens;
        if tokens > self.context {
            let limit = self.context;
            return Err(Error::TooLong { tokens, limit });
        }
        let grammar = request.schema.as_ref().map(Grammar::new);
        let mut answer = Answer {
            model: self,
            sampler: Sampler::new(request.temperature, request.seed),
            grammar: grammar.transpose()?,
            pending: Vec::new(),
            text: String::new(),
            tokens: 0,
        };
        let finish = answer.run(&prompt, request.max_tokens, progress)?;
        Ok(Generated {
            text: answer.text,
            finish,
            prompt_tokens: prompt.len(),
            completion_tokens: answer.tokens,
        })
    }
}

/// An answer that is being made.
struct Answer<'a> {
    model: &'a ChatModel,
    sampler: Sampler,
    grammar: Option<Grammar>,
    /// Bytes of a letter whose other bytes are still to come.
    pending: Vec<u8>,
    text: String,
    tokens: usize,
}

impl Answer<'_> {
    fn run(
        &mut self,
        prompt: &[u32],
        max_tokens: usize,
        progress: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Finish, Error> {
        let mut cache = self.model.llama.cache();
        let mut logits = Vec::new();
        for part in prompt.chunks(PART) {
            logits = self.model.llama.read(&mut cache, part);
            if progress("").is_break() {
                return Ok(Finish::Ended);
            }
        }
        while self.tokens < max_tokens {
            let Some(token) = self.next(&logits) else {
                return Ok(Finish::Stop);
            };
            let piece = self.piece(token);
            self.text.push_str(&piece);
            if progress(&piece).is_break() {
                return Ok(Finish::Ended);
            }
            if self.grammar.as_ref().is_some_and(Grammar::is_complete) {
                return Ok(Finish::Stop);
            }
            if self.tokens < max_tokens {
                logits = self.model.llama.read(&mut cache, &[token]);
            }
        }
        Ok(Finish::Length)
    }

    /// The next token; none at the end of the turn.
    fn next(&mut self, logits: &[f32]) -> Option<u32> {
        let (text, grammar) = (&self.model.text, self.grammar.as_ref());
        let allowed = |token: u32| match grammar {
            None => true,
            Some(grammar) if text.is_end(token) => grammar.may_end(),
            Some(grammar) => !text.is_mark(token) && grammar.allows(text.bytes(token)),
        };
        let token = self.sampler.draw(logits, allowed);
        self.tokens += 1;
        let token = token.filter(|token| !text.is_end(*token))?;
        if let Some(grammar) = &mut self.grammar {
            grammar.accept(text.bytes(token));
        }
        Some(token)
    }

    /// The whole letters that are complete with this token.
    fn piece(&mut self, token: u32) -> String {
        self.pending.extend_from_slice(self.model.text.bytes(token));
        let whole = match std::str::from_utf8(&self.pending) {
            Ok(_) => self.pending.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            // Never a letter: passed on as a mark for that.
            Err(_) => self.pending.len(),
        };
        let rest = self.pending.split_off(whole);
        let piece = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending = rest;
        piece
    }
}
