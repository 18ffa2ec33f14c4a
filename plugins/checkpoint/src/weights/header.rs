//! The header of a safetensors file: 8 bytes of length, then JSON, then the tensors.
//!
//! The header is checked here in full, because its sizes decide what is read and allocated later:
//! every tensor's range lies in the file, holds exactly its shape in its type, and the ranges
//! follow each other without gap or overlap to the end of the file. The library that reads the
//! tensors makes the same checks, but its errors name neither the tensor nor the lengths.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use safetensors::Dtype;
use serde::Deserialize;
use serde::de::IntoDeserializer;

use crate::error::Failure;
use crate::{CheckpointError, Damage};

/// The format's own limit on its header.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Key of the header that is not a tensor.
const METADATA: &str = "__metadata__";

/// A tensor of the header.
#[derive(Debug, Deserialize)]
pub(super) struct Stored {
    pub(super) dtype: String,
    pub(super) shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// Reads and checks the header of `path`.
pub(super) fn read(path: &Path) -> Result<Vec<(String, Stored)>, CheckpointError> {
    let read = || {
        let file = File::open(path)?;
        let file_bytes = file.metadata()?.len();
        check(file, file_bytes)
    };
    read().map_err(|failure| failure.at(path))
}

/// Checks the header of a file held in memory; `name` stands for its path in errors.
pub(super) fn read_bytes(name: &Path, bytes: &[u8]) -> Result<Vec<(String, Stored)>, CheckpointError> {
    check(bytes, bytes.len() as u64).map_err(|failure| failure.at(name))
}

/// Parses the header at the start of a file of `file_bytes` bytes, and checks it against the rest
/// of the file.
fn check(mut file: impl Read, file_bytes: u64) -> Result<Vec<(String, Stored)>, Failure> {
    let truncated = |expected_bytes| Damage::Truncated { got_bytes: file_bytes, expected_bytes };
    if file_bytes < 8 {
        return Err(truncated(8).into());
    }
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let header_bytes = u64::from_le_bytes(length);
    if header_bytes > MAX_HEADER_BYTES {
        return Err(Damage::TooLarge { got_bytes: header_bytes, limit_bytes: MAX_HEADER_BYTES }.into());
    }
    let before = 8 + header_bytes;
    if before > file_bytes {
        return Err(truncated(before).into());
    }
    let mut json = vec![0; header_bytes as usize];
    file.read_exact(&mut json)?;

    let unreadable = |source: serde_json::Error| Damage::Unreadable { reason: source.to_string() };
    let mut values: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&json).map_err(unreadable)?;
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
            return Err(damage("does not start where the one before ends").into());
        }
        let bits = element_bits(&tensor.dtype)
            .ok_or_else(|| Damage::TensorType { name: name.clone(), dtype: tensor.dtype.clone() })?;
        let elements = tensor.shape.iter().try_fold(1u64, |product, &side| product.checked_mul(side as u64));
        let bits = elements.and_then(|n| n.checked_mul(bits)).ok_or_else(|| damage("shape overflows"))?;
        if !bits.is_multiple_of(8) || to.checked_sub(from) != Some(bits / 8) {
            return Err(damage("shape and length disagree").into());
        }
        end = to;
    }
    match before.saturating_add(end) {
        whole if whole > file_bytes => Err(truncated(whole).into()),
        whole if whole < file_bytes => Err(Damage::Trailing { extra_bytes: file_bytes - whole }.into()),
        _ => Ok(stored),
    }
}

/// Bits of an element; `None` for a type that the library does not know.
fn element_bits(dtype: &str) -> Option<u64> {
    let known = Dtype::deserialize(dtype.into_deserializer());
    known.map(|dtype| dtype.bitsize() as u64).map_err(|_: serde::de::value::Error| ()).ok()
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
