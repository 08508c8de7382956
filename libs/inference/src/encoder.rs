//! Sentence embeddings by a small BERT (Wang et al., "MiniLM", 2020; the weights of sentence-transformers).

use std::{collections::HashMap, path::Path};

use candle_core::{D, DType, Device, IndexOp, Tensor};
use candle_nn::{LayerNorm, Linear, Module, ops};
use serde_json::Value;
use tokenizers::{Tokenizer, TruncationParams};

use crate::{Error, tensors};

/// The longest text in tokens; what follows is not looked at. The model was trained with so many.
const MAX_TOKENS: usize = 256;

/// A loaded model.
pub struct Encoder {
    tokenizer: Tokenizer,
    words: Tensor,
    positions: Tensor,
    /// The embedding of the first and only segment.
    segment: Tensor,
    norm: LayerNorm,
    layers: Vec<Layer>,
    heads: usize,
    dimensions: usize,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    attention_norm: LayerNorm,
    up: Linear,
    down: Linear,
    norm: LayerNorm,
}

/// The tensors of a file, and what the configuration says of them.
struct Weights {
    tensors: HashMap<String, Tensor>,
    epsilon: f64,
}

impl Weights {
    fn take(&mut self, name: &str) -> Result<Tensor, Error> {
        self.tensors
            .remove(name)
            .ok_or_else(|| Error::Format(format!("no tensor {name}")))
    }

    fn linear(&mut self, name: &str) -> Result<Linear, Error> {
        let weight = self.take(&format!("{name}.weight"))?;
        Ok(Linear::new(
            weight,
            Some(self.take(&format!("{name}.bias"))?),
        ))
    }

    fn norm(&mut self, name: &str) -> Result<LayerNorm, Error> {
        let weight = self.take(&format!("{name}.weight"))?;
        let bias = self.take(&format!("{name}.bias"))?;
        Ok(LayerNorm::new(weight, bias, self.epsilon))
    }

    fn layer(&mut self, index: usize) -> Result<Layer, Error> {
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        Ok(Layer {
            query: self.linear(&name("attention.self.query"))?,
            key: self.linear(&name("attention.self.key"))?,
            value: self.linear(&name("attention.self.value"))?,
            output: self.linear(&name("attention.output.dense"))?,
            attention_norm: self.norm(&name("attention.output.LayerNorm"))?,
            up: self.linear(&name("intermediate.dense"))?,
            down: self.linear(&name("output.dense"))?,
            norm: self.norm(&name("output.LayerNorm"))?,
        })
    }
}

impl Encoder {
    /// Loads `config.json`, `tokenizer.json` and `model.safetensors` of a folder.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let config = std::fs::read(folder.join("config.json"))?;
        let config: Value =
            serde_json::from_slice(&config).map_err(|error| Error::Format(error.to_string()))?;
        let number = |name: &str| {
            let number = config[name].as_u64().and_then(|n| usize::try_from(n).ok());
            number.ok_or_else(|| Error::Format(format!("config.json has no {name}")))
        };
        let mut weights = Weights {
            tensors: tensors::read(&folder.join("model.safetensors"))?,
            epsilon: config["layer_norm_eps"].as_f64().unwrap_or(1e-12),
        };
        let layers = 0..number("num_hidden_layers")?;
        Ok(Self {
            tokenizer: tokenizer(&folder.join("tokenizer.json"))?,
            words: weights.take("embeddings.word_embeddings.weight")?,
            positions: weights.take("embeddings.position_embeddings.weight")?,
            segment: weights
                .take("embeddings.token_type_embeddings.weight")?
                .i(0)?,
            norm: weights.norm("embeddings.LayerNorm")?,
            layers: layers
                .map(|index| weights.layer(index))
                .collect::<Result<_, _>>()?,
            heads: number("num_attention_heads")?,
            dimensions: number("hidden_size")?,
        })
    }

    /// Numbers in a vector.
    #[must_use]
    pub const fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The vector of a text, of length one: the mean over its tokens.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub fn embed(&self, text: &str) -> Result<Vec<f32>, Error> {
        let tokens = self
            .tokenizer
            .encode_fast(text, true)
            .map_err(|error| Error::Engine(error.to_string()))?;
        let ids = Tensor::new(tokens.get_ids(), &Device::Cpu)?;
        let count = ids.dim(0)?;
        let mut state = self.words.index_select(&ids, 0)?;
        state = (state + self.positions.narrow(0, 0, count)?)?.broadcast_add(&self.segment)?;
        state = self.norm.forward(&state)?;
        for layer in &self.layers {
            state = layer.forward(&state, self.heads)?;
        }
        let mean = state.mean(0)?;
        let length = mean.sqr()?.sum_all()?.sqrt()?.to_scalar::<f32>()?;
        Ok((mean / f64::from(length.max(f32::MIN_POSITIVE)))?.to_vec1()?)
    }
}

/// The tokenizer, without the padding to 128 tokens that the file asks for.
fn tokenizer(path: &Path) -> Result<Tokenizer, Error> {
    let wrong = |error: tokenizers::Error| Error::Format(error.to_string());
    let mut tokenizer = Tokenizer::from_file(path).map_err(wrong)?;
    tokenizer.with_padding(None);
    let truncation = TruncationParams {
        max_length: MAX_TOKENS,
        ..TruncationParams::default()
    };
    tokenizer.with_truncation(Some(truncation)).map_err(wrong)?;
    Ok(tokenizer)
}

impl Layer {
    fn forward(&self, state: &Tensor, heads: usize) -> Result<Tensor, Error> {
        let (count, width) = state.dims2()?;
        let split = |linear: &Linear| {
            let whole = linear
                .forward(state)?
                .reshape((count, heads, width / heads))?;
            whole.transpose(0, 1)?.contiguous()
        };
        let (query, key, value) = (split(&self.query)?, split(&self.key)?, split(&self.value)?);
        let scale = 1.0 / ((width / heads) as f64).sqrt();
        let scores = (query.matmul(&key.transpose(D::Minus1, D::Minus2)?)? * scale)?;
        let seen = ops::softmax_last_dim(&scores)?.matmul(&value)?;
        let seen = seen
            .transpose(0, 1)?
            .contiguous()?
            .reshape((count, width))?;
        let state = (self.output.forward(&seen)? + state)?;
        let state = self.attention_norm.forward(&state)?;
        let inner = self.up.forward(&state)?.to_dtype(DType::F32)?.gelu_erf()?;
        Ok(self.norm.forward(&(self.down.forward(&inner)? + state)?)?)
    }
}
