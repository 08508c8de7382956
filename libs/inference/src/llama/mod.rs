//! A Llama (Touvron et al., 2023) with grouped-query attention over quantised weights, for one sequence on one thread.
//!
//! candle has one as well (`quantized_llama`). This one exists because that one unpacks the embeddings to 113 MB, has no
//! vector code for the quantisation of the file at hand, and takes its number of threads from the environment only.
//! docs/adr/0009 has the reasons.

mod gguf;
mod matrix;
mod vector;

pub(crate) use gguf::{Metadata, read};
use matrix::{Matrix, Quantized};

/// Sizes of a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Numbers in the state of a token.
    pub(crate) width: usize,
    /// Heads that ask.
    pub(crate) heads: usize,
    /// Heads that are asked.
    pub(crate) key_heads: usize,
    /// Numbers in a head.
    pub(crate) head: usize,
    /// Base of the rotary embedding.
    pub(crate) rope_base: f32,
    /// Added below roots.
    pub(crate) epsilon: f32,
}

/// A loaded model.
pub(crate) struct Llama {
    pub(crate) shape: Shape,
    embedding: Matrix,
    layers: Vec<Layer>,
    norm: Vec<f32>,
}

struct Layer {
    attention_norm: Vec<f32>,
    query: Matrix,
    key: Matrix,
    value: Matrix,
    output: Matrix,
    feed_norm: Vec<f32>,
    gate: Matrix,
    up: Matrix,
    down: Matrix,
}

/// The keys and values of what was read so far.
pub(crate) struct Cache {
    layers: Vec<(Vec<f32>, Vec<f32>)>,
    length: usize,
}

impl Llama {
    /// An empty cache.
    pub(crate) fn cache(&self) -> Cache {
        Cache {
            layers: self.layers.iter().map(|_| Default::default()).collect(),
            length: 0,
        }
    }

    /// Reads tokens, and answers how likely each token is to follow the last one (logits).
    pub(crate) fn read(&self, cache: &mut Cache, tokens: &[u32]) -> Vec<f32> {
        let width = self.shape.width;
        let mut state = vec![0.0; tokens.len() * width];
        for (row, token) in state.chunks_exact_mut(width).zip(tokens) {
            self.embedding.row(*token as usize, row);
        }
        for (layer, (keys, values)) in self.layers.iter().zip(&mut cache.layers) {
            layer.attend(&self.shape, &mut state, cache.length, keys, values);
            layer.feed(&self.shape, &mut state);
        }
        cache.length += tokens.len();
        let last = state.len().saturating_sub(width);
        let mut last = vector::normed(&state[last..], &self.norm, self.shape.epsilon);
        let mut logits = vec![0.0; self.embedding.rows()];
        self.embedding
            .multiply(&Quantized::of(&last, width), &mut logits);
        last.clear();
        logits
    }
}

impl Layer {
    fn attend(
        &self,
        shape: &Shape,
        state: &mut [f32],
        before: usize,
        keys: &mut Vec<f32>,
        values: &mut Vec<f32>,
    ) {
        let (width, key_width) = (shape.width, shape.key_heads * shape.head);
        let count = state.len() / width;
        let normed = vector::normed(state, &self.attention_norm, shape.epsilon);
        let input = Quantized::of(&normed, width);
        let mut query = vec![0.0; count * width];
        self.query.multiply(&input, &mut query);
        let old = keys.len();
        keys.resize(old + count * key_width, 0.0);
        values.resize(old + count * key_width, 0.0);
        self.key.multiply(&input, &mut keys[old..]);
        self.value.multiply(&input, &mut values[old..]);
        for (index, row) in query.chunks_exact_mut(width).enumerate() {
            vector::rotate(row, shape, before + index);
        }
        for (index, row) in keys[old..].chunks_exact_mut(key_width).enumerate() {
            vector::rotate(row, shape, before + index);
        }
        let mut seen = vec![0.0; count * width];
        for (index, (query, seen)) in query
            .chunks_exact(width)
            .zip(seen.chunks_exact_mut(width))
            .enumerate()
        {
            let visible = (before + index + 1) * key_width;
            vector::attention(shape, query, &keys[..visible], &values[..visible], seen);
        }
        let mut change = vec![0.0; state.len()];
        self.output
            .multiply(&Quantized::of(&seen, width), &mut change);
        vector::add(state, &change);
    }

    fn feed(&self, shape: &Shape, state: &mut [f32]) {
        let normed = vector::normed(state, &self.feed_norm, shape.epsilon);
        let input = Quantized::of(&normed, shape.width);
        let count = state.len() / shape.width;
        let inner = self.gate.rows();
        let (mut gate, mut up) = (vec![0.0; count * inner], vec![0.0; count * inner]);
        self.gate.multiply(&input, &mut gate);
        self.up.multiply(&input, &mut up);
        vector::gated(&mut gate, &up);
        let mut change = vec![0.0; state.len()];
        self.down
            .multiply(&Quantized::of(&gate, inner), &mut change);
        vector::add(state, &change);
    }
}
