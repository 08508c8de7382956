//! Text as the chat model's tokens: byte-level pairs (GPT-2), each digit on its own, the marks of ChatML around turns.

use std::collections::HashMap;

use tokenizers::{
    AddedToken, PreTokenizerWrapper, Tokenizer,
    models::bpe::{BPE, Vocab},
    pre_tokenizers::{byte_level::ByteLevel, digits::Digits, sequence::Sequence},
};

use crate::{Error, Role, Turn, llama::Metadata};

/// What the model was trained to be told when nobody tells it anything.
const SYSTEM: &str = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

/// The tokens of a model.
pub(crate) struct Text {
    tokenizer: Tokenizer,
    /// The bytes of each token.
    bytes: Vec<Vec<u8>>,
    start: u32,
    /// Ends a turn.
    end: u32,
    /// The first tokens are marks.
    marks: u32,
}

impl Text {
    pub(crate) fn new(metadata: &Metadata) -> Result<Self, Error> {
        if metadata.text("tokenizer.ggml.model")? != "gpt2" {
            return Err(Error::Format("tokens of an unknown kind".to_owned()));
        }
        let tokens = metadata.texts("tokenizer.ggml.tokens")?;
        let merges = metadata.texts("tokenizer.ggml.merges")?;
        let merges = merges
            .iter()
            .filter_map(|pair| pair.split_once(' '))
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .collect();
        let find = |name: &str| {
            let at = tokens.iter().position(|token| token == name);
            at.and_then(|at| u32::try_from(at).ok())
                .ok_or_else(|| Error::Format(format!("no token {name}")))
        };
        let (start, end) = (find("<|im_start|>")?, find("<|im_end|>")?);
        let mark =
            |token: &&String| token.starts_with('<') && token.ends_with('>') && token.len() > 2;
        let marks = tokens.iter().take_while(mark).count();
        let letters = letters();
        let bytes = tokens.iter().map(|token| bytes(token, &letters)).collect();
        Ok(Self {
            tokenizer: tokenizer(tokens, merges)?,
            bytes,
            start,
            end,
            marks: u32::try_from(marks).unwrap_or(0),
        })
    }

    /// Whether a token ends the turn, or everything.
    pub(crate) const fn is_end(&self, token: u32) -> bool {
        token == self.end || token == 0
    }

    /// Whether a token is a mark, which no text has.
    pub(crate) const fn is_mark(&self, token: u32) -> bool {
        token < self.marks
    }

    /// A conversation, up to where the assistant speaks. What people write cannot become a mark.
    pub(crate) fn prompt(&self, turns: &[Turn]) -> Result<Vec<u32>, Error> {
        let mut tokens = Vec::new();
        if turns.first().is_none_or(|turn| turn.role != Role::System) {
            self.push(&mut tokens, "system", SYSTEM)?;
        }
        for turn in turns {
            self.push(&mut tokens, turn.role.name(), &turn.content)?;
        }
        tokens.push(self.start);
        self.encode("assistant\n", &mut tokens)?;
        Ok(tokens)
    }

    fn push(&self, tokens: &mut Vec<u32>, role: &str, content: &str) -> Result<(), Error> {
        tokens.push(self.start);
        self.encode(&format!("{role}\n{content}"), tokens)?;
        tokens.push(self.end);
        self.encode("\n", tokens)
    }

    fn encode(&self, text: &str, tokens: &mut Vec<u32>) -> Result<(), Error> {
        let encoding = self
            .tokenizer
            .encode_fast(text, false)
            .map_err(|error| Error::Engine(error.to_string()))?;
        tokens.extend_from_slice(encoding.get_ids());
        Ok(())
    }

    /// The bytes of a token; half a letter, perhaps.
    pub(crate) fn bytes(&self, token: u32) -> &[u8] {
        self.bytes.get(token as usize).map_or(&[], Vec::as_slice)
    }
}

fn tokenizer(tokens: Vec<String>, merges: Vec<(String, String)>) -> Result<Tokenizer, Error> {
    let vocabulary: Vocab = (0..).zip(tokens).map(|(id, token)| (token, id)).collect();
    let model = BPE::builder().vocab_and_merges(vocabulary, merges).build();
    let model = model.map_err(|error| Error::Format(error.to_string()))?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(Sequence::new(vec![
        PreTokenizerWrapper::Digits(Digits::new(true)),
        PreTokenizerWrapper::ByteLevel(ByteLevel::new(false, false, true)),
    ])));
    tokenizer
        .add_special_tokens(Vec::<AddedToken>::new())
        .map_err(|error| Error::Format(error.to_string()))?;
    Ok(tokenizer)
}

/// GPT-2 writes each byte as a letter that can be seen: most as themselves, the others from `U+0100` on.
fn letters() -> HashMap<char, u8> {
    let shown = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let themselves = (0..=u8::MAX)
        .filter(shown)
        .map(|byte| (char::from(byte), byte));
    let others = (0..=u8::MAX).filter(|byte| !shown(byte));
    let others = ('\u{100}'..).zip(others);
    themselves.chain(others).collect()
}

fn bytes(token: &str, letters: &HashMap<char, u8>) -> Vec<u8> {
    let bytes: Option<Vec<u8>> = token.chars().map(|c| letters.get(&c).copied()).collect();
    bytes.unwrap_or_else(|| token.as_bytes().to_vec())
}
