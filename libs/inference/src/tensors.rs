//! Reads safetensors one tensor at a time, so that a model is never twice in memory. (Mapping the file would need
//! unsafe code, and candle copies what it is given anyway.)

use std::{
    collections::HashMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use candle_core::{DType, Device, Tensor};
use serde_json::{Map, Value};

use crate::Error;

/// The largest header that is believed.
const MAX_HEADER_BYTES: u64 = 16 * 1024 * 1024;

/// All `F32` tensors of a file, by name.
pub(crate) fn read(path: &Path) -> Result<HashMap<String, Tensor>, Error> {
    let mut file = File::open(path)?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        return Err(Error::Format("not a safetensors file".to_owned()));
    }
    let mut header = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read_exact(&mut header)?;
    let header: Map<String, Value> =
        serde_json::from_slice(&header).map_err(|error| Error::Format(error.to_string()))?;
    let mut tensors = HashMap::new();
    for (name, about) in header {
        if about["dtype"] == "F32" {
            let tensor = tensor(&mut file, 8 + length, &about)
                .ok_or_else(|| Error::Format(format!("no tensor at {name}")))??;
            tensors.insert(name, tensor);
        }
    }
    Ok(tensors)
}

fn tensor(file: &mut File, data: u64, about: &Value) -> Option<Result<Tensor, Error>> {
    let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
    let shape: Option<Vec<usize>> = about["shape"].as_array()?.iter().map(number).collect();
    let offsets = about["data_offsets"].as_array()?;
    let (begin, end) = (offsets.first()?.as_u64()?, offsets.get(1)?.as_u64()?);
    let mut bytes = vec![0; usize::try_from(end.checked_sub(begin)?).ok()?];
    let shape = shape?;
    let mut read = || {
        file.seek(SeekFrom::Start(data + begin))?;
        file.read_exact(&mut bytes)?;
        Ok(Tensor::from_raw_buffer(
            &bytes,
            DType::F32,
            &shape,
            &Device::Cpu,
        )?)
    };
    Some(read())
}
