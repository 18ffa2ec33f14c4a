use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

use super::reader::{GgufValue, Reader, unreadable};
use crate::error::Failure;
use crate::{CheckpointError, Damage};

const MAGIC: u32 = u32::from_le_bytes(*b"GGUF");
/// Default alignment of tensors, in bytes; `general.alignment` overrides it.
const DEFAULT_ALIGNMENT: u64 = 32;
const MAX_ALIGNMENT: u64 = 1 << 20;
const MAX_DIMENSIONS: u32 = 4;
/// Smallest metadata entry, in bytes: a key's length, a type, a value of one byte.
const LEAST_ENTRY_BYTES: u64 = 8 + 4 + 1;
/// Smallest tensor entry, in bytes: a name's length, a number of dimensions, a type, an offset.
const LEAST_TENSOR_BYTES: u64 = 8 + 4 + 4 + 8;

/// A tensor whose position was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GgufTensor {
    /// The shape, slowest dimension first, as other formats write it: `[output, input]` for a
    /// matrix.
    pub shape: Vec<usize>,
    /// The type, such as `Q8_0`.
    pub dtype: &'static str,
    /// The tensor's bytes in the file.
    pub range: Range<u64>,
}

pub(super) type Header = (BTreeMap<String, GgufValue>, BTreeMap<String, GgufTensor>);

/// Reads and checks the header of `path`.
pub(super) fn read(path: &Path) -> Result<Header, CheckpointError> {
    let read = || parse(&mut Reader::new(File::open(path)?)?);
    read().map_err(|failure| failure.at(path))
}

fn parse(reader: &mut Reader) -> Result<Header, Failure> {
    if reader.u32()? != MAGIC {
        return Err(unreadable("it does not begin with \"GGUF\""));
    }
    let version = reader.u32()?;
    if !(2..=3).contains(&version) {
        return Err(unreadable(format!("version {version}, expected 2 or 3")));
    }
    let (tensor_count, entry_count) = (reader.u64()?, reader.u64()?);
    reader.expect(entry_count, LEAST_ENTRY_BYTES)?;
    reader.expect(tensor_count, LEAST_TENSOR_BYTES)?;

    let mut metadata = BTreeMap::new();
    for _ in 0..entry_count {
        let (key, value) = (reader.text()?, reader.value()?);
        if metadata.insert(key.clone(), value).is_some() {
            return Err(unreadable(format!("key {key:?} occurs twice")));
        }
    }
    let alignment = alignment(&metadata)?;
    let mut tensors = BTreeMap::new();
    let mut places = Vec::new();
    for _ in 0..tensor_count {
        let name = reader.text()?;
        let tensor = tensor(reader, &name, alignment)?;
        places.push((tensor.range.start, tensor.range.end - tensor.range.start, name.clone()));
        if tensors.insert(name.clone(), tensor).is_some() {
            return Err(Damage::Tensor { name, reason: "occurs twice" }.into());
        }
    }
    let data = reader.position().next_multiple_of(alignment);
    check_places(places, data, reader.file_bytes())?;
    for tensor in tensors.values_mut() {
        tensor.range = tensor.range.start + data..tensor.range.end + data;
    }
    Ok((metadata, tensors))
}

fn alignment(metadata: &BTreeMap<String, GgufValue>) -> Result<u64, Failure> {
    match metadata.get("general.alignment") {
        None => Ok(DEFAULT_ALIGNMENT),
        Some(GgufValue::Integer(value)) => u64::try_from(*value)
            .ok()
            .filter(|value| value.is_power_of_two() && (8..=MAX_ALIGNMENT).contains(value))
            .ok_or_else(|| unreadable(format!("alignment {value}"))),
        Some(_) => Err(unreadable("the alignment is no number")),
    }
}

/// Reads a tensor's entry; its range counts from the start of the tensors.
fn tensor(reader: &mut Reader, name: &str, alignment: u64) -> Result<GgufTensor, Failure> {
    let damage = |reason| Failure::from(Damage::Tensor { name: name.to_owned(), reason });
    let dimensions = reader.u32()?;
    if dimensions > MAX_DIMENSIONS {
        return Err(damage("more than 4 dimensions"));
    }
    let mut shape = Vec::new();
    for _ in 0..dimensions {
        shape.push(usize::try_from(reader.u64()?).map_err(|_| damage("shape overflows"))?);
    }
    let (dtype, block, block_bytes) = kind(reader.u32()?).ok_or_else(|| damage("unknown type"))?;
    let offset = reader.u64()?;
    if !offset.is_multiple_of(alignment) {
        return Err(damage("not aligned"));
    }
    if shape.contains(&0) {
        return Err(damage("no elements"));
    }
    let elements = shape.iter().try_fold(1u64, |product, side| product.checked_mul(*side as u64));
    let elements = elements.ok_or_else(|| damage("shape overflows"))?;
    if !shape.first().is_none_or(|row| (*row as u64).is_multiple_of(block)) {
        return Err(damage("a row is no whole number of blocks"));
    }
    let bytes = (elements / block).checked_mul(block_bytes).ok_or_else(|| damage("shape overflows"))?;
    let end = offset.checked_add(bytes).ok_or_else(|| damage("offset overflows"))?;
    shape.reverse();
    Ok(GgufTensor { shape, dtype, range: offset..end })
}

/// Checks that tensors lie inside the file and do not overlap: shared bytes would let a small file
/// announce large tensors without limit.
fn check_places(mut places: Vec<(u64, u64, String)>, data: u64, file_bytes: u64) -> Result<(), Failure> {
    places.sort();
    let mut end = 0;
    for (offset, bytes, name) in places {
        if offset < end {
            return Err(Damage::Tensor { name, reason: "overlaps the one before" }.into());
        }
        end = offset.checked_add(bytes).ok_or(Damage::Tensor { name, reason: "offset overflows" })?;
        let expected_bytes = data.saturating_add(end);
        if expected_bytes > file_bytes {
            return Err(Damage::Truncated { got_bytes: file_bytes, expected_bytes }.into());
        }
    }
    Ok(())
}

/// Name of a type, and the elements and bytes of its blocks; `None` for a type that the tensor
/// library lacks.
fn kind(id: u32) -> Option<(&'static str, u64, u64)> {
    Some(match id {
        0 => ("F32", 1, 4),
        1 => ("F16", 1, 2),
        2 => ("Q4_0", 32, 18),
        3 => ("Q4_1", 32, 20),
        6 => ("Q5_0", 32, 22),
        7 => ("Q5_1", 32, 24),
        8 => ("Q8_0", 32, 34),
        9 => ("Q8_1", 32, 36),
        10 => ("Q2_K", 256, 84),
        11 => ("Q3_K", 256, 110),
        12 => ("Q4_K", 256, 144),
        13 => ("Q5_K", 256, 176),
        14 => ("Q6_K", 256, 210),
        15 => ("Q8_K", 256, 292),
        30 => ("BF16", 1, 2),
        _ => return None,
    })
}
