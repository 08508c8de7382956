//! Reads a model from a GGUF file; candle reads the file's table.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use candle_core::{
    Device,
    quantized::{
        GgmlDType,
        gguf_file::{Content, Value},
    },
};

use super::{
    Layer, Llama, Shape,
    matrix::{BLOCK, Matrix, Packing},
};
use crate::Error;

/// What the file says beside the weights: sizes, tokens, merges.
pub(crate) struct Metadata(HashMap<String, Value>);

impl Metadata {
    fn get(&self, name: &str) -> Result<&Value, Error> {
        self.0
            .get(name)
            .ok_or_else(|| Error::Format(format!("the file has no {name}")))
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &str) -> Result<usize, Error> {
        Ok(self.get(name)?.to_u32()? as usize)
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Error> {
        Ok(self.get(name)?.to_string()?)
    }

    /// A list of texts.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        let list = self.get(name)?.to_vec()?.iter();
        Ok(list
            .map(|text| text.to_string().cloned())
            .collect::<Result<_, _>>()?)
    }
}

/// Reads the whole file.
pub(crate) fn read(path: &Path) -> Result<(Llama, Metadata), Error> {
    let mut file = BufReader::new(File::open(path)?);
    let mut content = Content::read(&mut file)?;
    let metadata = Metadata(std::mem::take(&mut content.metadata));
    if metadata.text("general.architecture")? != "llama" {
        return Err(Error::Format("not a Llama".to_owned()));
    }
    let shape = shape(&metadata)?;
    let layers = metadata.number("llama.block_count")?;
    let mut weights = Weights { content, file };
    let llama = Llama {
        shape,
        embedding: weights.matrix("token_embd")?,
        layers: (0..layers)
            .map(|index| weights.layer(index))
            .collect::<Result<_, _>>()?,
        norm: weights.vector("output_norm")?,
    };
    if weights.content.tensor_infos.contains_key("output.weight") {
        return Err(Error::Format(
            "a model with an output matrix of its own".to_owned(),
        ));
    }
    Ok((llama, metadata))
}

fn shape(metadata: &Metadata) -> Result<Shape, Error> {
    let (width, heads) = (
        metadata.number("llama.embedding_length")?,
        metadata.number("llama.attention.head_count")?.max(1),
    );
    let shape = Shape {
        width,
        heads,
        key_heads: metadata.number("llama.attention.head_count_kv")?,
        head: width / heads,
        rope_base: metadata.get("llama.rope.freq_base")?.to_f32()?,
        epsilon: metadata
            .get("llama.attention.layer_norm_rms_epsilon")?
            .to_f32()?,
    };
    let rope = metadata.number("llama.rope.dimension_count")?;
    let fits = rope == shape.head
        && shape.head.is_multiple_of(8)
        && (1..=heads).contains(&shape.key_heads)
        && heads.is_multiple_of(shape.key_heads);
    fits.then_some(shape)
        .ok_or_else(|| Error::Format("sizes that do not fit together".to_owned()))
}

struct Weights {
    content: Content,
    file: BufReader<File>,
}

impl Weights {
    fn layer(&mut self, index: usize) -> Result<Layer, Error> {
        let name = |part: &str| format!("blk.{index}.{part}");
        Ok(Layer {
            attention_norm: self.vector(&name("attn_norm"))?,
            query: self.matrix(&name("attn_q"))?,
            key: self.matrix(&name("attn_k"))?,
            value: self.matrix(&name("attn_v"))?,
            output: self.matrix(&name("attn_output"))?,
            feed_norm: self.vector(&name("ffn_norm"))?,
            gate: self.matrix(&name("ffn_gate"))?,
            up: self.matrix(&name("ffn_up"))?,
            down: self.matrix(&name("ffn_down"))?,
        })
    }

    fn vector(&mut self, name: &str) -> Result<Vec<f32>, Error> {
        let name = format!("{name}.weight");
        let tensor = self.content.tensor(&mut self.file, &name, &Device::Cpu)?;
        Ok(tensor.dequantize(&Device::Cpu)?.to_vec1()?)
    }

    /// A matrix as it is in the file, with the bytes that its table says.
    fn matrix(&mut self, name: &str) -> Result<Matrix, Error> {
        let wrong = || Error::Format(format!("{name} is not a matrix of a known kind"));
        let info = self.content.tensor_infos.get(&format!("{name}.weight"));
        let info = info.ok_or_else(wrong)?;
        let packing = match info.ggml_dtype {
            GgmlDType::Q4_1 => Packing::Q4_1,
            GgmlDType::Q8_0 => Packing::Q8_0,
            _ => return Err(wrong()),
        };
        let (rows, columns) = info.shape.dims2()?;
        let mut bytes = vec![0; rows * (columns / BLOCK) * packing.bytes()];
        let at = self.content.tensor_data_offset + info.offset;
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read_exact(&mut bytes)?;
        Matrix::new(packing, columns, bytes).ok_or_else(wrong)
    }
}
