//! Whole-file reads with a limit on the length.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::{CheckpointError, Damage};

/// Reads a whole file; refuses one longer than `limit_bytes`, even if its metadata state less.
pub(crate) fn read_bounded(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, CheckpointError> {
    let file = File::open(path).map_err(|source| CheckpointError::io(path, source))?;
    let mut bytes = Vec::new();
    let read = file.take(limit_bytes + 1).read_to_end(&mut bytes);
    let got_bytes = read.map_err(|source| CheckpointError::io(path, source))? as u64;
    if got_bytes > limit_bytes {
        return Err(CheckpointError::corrupt(path, Damage::TooLarge { got_bytes, limit_bytes }));
    }
    Ok(bytes)
}
