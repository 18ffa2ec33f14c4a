//! The header of a safetensors file: 8 bytes of length, then JSON, then the tensors.
//!
//! Checked here in full, because sizes inside the file decide what is read and allocated later:
//! every tensor's range lies in the file, holds exactly its shape in its type, and the ranges follow
//! each other without gap or overlap to the end of the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use crate::{CheckpointError, Damage};

/// The format's own limit on its header.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Key of the header that is no tensor.
const METADATA: &str = "__metadata__";

/// A tensor whose place was checked.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) dtype: String,
    pub(super) shape: Vec<usize>,
}

#[derive(Deserialize)]
struct Stored {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// Reads and checks the header of `path`.
pub(super) fn read(path: &Path) -> Result<Vec<(String, Checked)>, CheckpointError> {
    let io = |source| CheckpointError::io(path, source);
    let mut file = File::open(path).map_err(io)?;
    let file_bytes = file.metadata().map_err(io)?.len();
    let corrupt = |damage| CheckpointError::corrupt(path, damage);
    let truncated = |expected_bytes| corrupt(Damage::Truncated { got_bytes: file_bytes, expected_bytes });

    if file_bytes < 8 {
        return Err(truncated(8));
    }
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(io)?;
    let header_bytes = u64::from_le_bytes(length);
    if header_bytes > MAX_HEADER_BYTES {
        return Err(corrupt(Damage::TooLarge { got_bytes: header_bytes, limit_bytes: MAX_HEADER_BYTES }));
    }
    if header_bytes > file_bytes - 8 {
        return Err(truncated(8 + header_bytes));
    }
    let mut json = Vec::new();
    file.take(header_bytes).read_to_end(&mut json).map_err(io)?;
    if (json.len() as u64) < header_bytes {
        return Err(truncated(8 + header_bytes));
    }
    check(&json, file_bytes - 8 - header_bytes).map_err(corrupt)
}

/// Checks the header of a file held in memory.
pub(super) fn check_bytes(bytes: &[u8]) -> Result<Vec<(String, Checked)>, Damage> {
    let truncated = |expected_bytes| Damage::Truncated { got_bytes: bytes.len() as u64, expected_bytes };
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| truncated(8))?;
    let header_bytes = u64::from_le_bytes(*length);
    if header_bytes > MAX_HEADER_BYTES {
        return Err(Damage::TooLarge { got_bytes: header_bytes, limit_bytes: MAX_HEADER_BYTES });
    }
    let whole = usize::try_from(header_bytes).ok().and_then(|length| rest.split_at_checked(length));
    let (json, data) = whole.ok_or_else(|| truncated(8 + header_bytes))?;
    check(json, data.len() as u64)
}

/// Parses a header and checks it against the length of what follows it.
fn check(json: &[u8], data_bytes: u64) -> Result<Vec<(String, Checked)>, Damage> {
    let unreadable = |source: serde_json::Error| Damage::Unreadable { reason: source.to_string() };
    let mut values: BTreeMap<String, serde_json::Value> = serde_json::from_slice(json).map_err(unreadable)?;
    values.remove(METADATA);
    let mut stored = Vec::with_capacity(values.len());
    for (name, value) in values {
        let tensor: Stored = serde_json::from_value(value).map_err(unreadable)?;
        stored.push((name, tensor));
    }
    stored.sort_by_key(|(_, tensor)| tensor.data_offsets);

    let mut end = 0;
    for (name, tensor) in &stored {
        let (from, to) = tensor.data_offsets;
        let damage = |reason| Damage::Tensor { name: name.clone(), reason };
        if from != end {
            return Err(damage("does not start where the one before ends"));
        }
        let bits = element_bits(&tensor.dtype)
            .ok_or_else(|| Damage::TensorType { name: name.clone(), dtype: tensor.dtype.clone() })?;
        let elements = tensor.shape.iter().try_fold(1u64, |product, &side| product.checked_mul(side as u64));
        let bits = elements.and_then(|n| n.checked_mul(bits)).ok_or_else(|| damage("shape overflows"))?;
        if !bits.is_multiple_of(8) || to.checked_sub(from) != Some(bits / 8) {
            return Err(damage("shape and length disagree"));
        }
        end = to;
    }
    if end > data_bytes {
        let header_bytes = 8 + json.len() as u64;
        return Err(Damage::Truncated {
            got_bytes: header_bytes + data_bytes,
            expected_bytes: header_bytes.saturating_add(end),
        });
    }
    if end < data_bytes {
        return Err(Damage::Trailing { extra_bytes: data_bytes - end });
    }
    Ok(stored
        .into_iter()
        .map(|(name, tensor)| (name, Checked { dtype: tensor.dtype, shape: tensor.shape }))
        .collect())
}

fn element_bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "F4" => 4,
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" | "F8_E8M0" => 8,
        "I16" | "U16" | "F16" | "BF16" => 16,
        "I32" | "U32" | "F32" => 32,
        "I64" | "U64" | "F64" | "C64" => 64,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(json: &str, data_bytes: usize) -> Vec<u8> {
        let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(json.as_bytes());
        bytes.resize(bytes.len() + data_bytes, 7);
        bytes
    }

    fn outcome(bytes: &[u8]) -> Result<usize, CheckpointError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        std::fs::write(&path, bytes).unwrap();
        read(&path).map(|tensors| tensors.len())
    }

    fn damage(bytes: &[u8]) -> Damage {
        match outcome(bytes).unwrap_err() {
            CheckpointError::Corrupt { damage, .. } => damage,
            other => panic!("{other}"),
        }
    }

    const TWO: &str = r#"{"__metadata__":{"format":"pt"},"b":{"dtype":"F16","shape":[2],"data_offsets":[8,12]},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#;

    #[test]
    fn a_sound_file_is_accepted() {
        assert_eq!(outcome(&file(TWO, 12)).unwrap(), 2);
    }

    #[test]
    fn a_file_cut_at_any_byte_is_truncated() {
        let whole = file(TWO, 12);
        for length in 0..whole.len() {
            assert!(matches!(damage(&whole[..length]), Damage::Truncated { .. }), "{length}");
        }
    }

    #[test]
    fn bytes_after_the_last_tensor_are_damage() {
        assert_eq!(damage(&file(TWO, 13)), Damage::Trailing { extra_bytes: 1 });
    }

    #[test]
    fn an_enormous_header_length_is_refused_without_allocating() {
        let mut bytes = file(TWO, 12);
        bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(matches!(damage(&bytes), Damage::TooLarge { .. }));
    }

    #[test]
    fn tensors_that_overlap_or_overflow_or_disagree_with_their_shape_are_named() {
        for entry in [
            r#""shape":[18446744073709551615,2],"dtype":"F32","data_offsets":[0,8]"#,
            r#""shape":[3],"dtype":"F32","data_offsets":[0,8]"#,
            r#""shape":[2],"dtype":"F32","data_offsets":[8,0]"#,
            r#""shape":[2],"dtype":"F32","data_offsets":[4,12]"#,
            r#""shape":[2],"dtype":"X32","data_offsets":[0,8]"#,
        ] {
            let found = damage(&file(&format!("{{\"a\":{{{entry}}}}}"), 8));
            let named = matches!(&found, Damage::Tensor { name, .. } | Damage::TensorType { name, .. } if name == "a");
            assert!(named, "{entry}: {found}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), plausible: bool) {
            if plausible && bytes.len() > 8 {
                let length = (bytes.len() - 8) as u64 / 2;
                bytes[..8].copy_from_slice(&length.to_le_bytes());
            }
            let _ = outcome(&bytes);
        }

        #[test]
        fn no_flipped_byte_makes_it_panic(at in 0usize..160, value: u8) {
            let mut bytes = file(TWO, 12);
            let at = at % bytes.len();
            bytes[at] = value;
            let _ = outcome(&bytes);
        }
    }
}
