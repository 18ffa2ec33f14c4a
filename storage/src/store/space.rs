//! Free space on the disk, checked before it is needed.
//!
//! sled 0.34 survives a disk that fills up while it runs: flushed data is there when it is opened
//! with free space again. But *opening* it on a full disk leaves a log that no later open can read.
//! So free space is checked before sled runs: at every open, and before every batch.

use super::batch::Batch;
use crate::error::{AtPath, Result, StorageError};
use std::path::Path;

/// Bytes that sled writes per byte of a batch, index pages and alignment included; measured at
/// about 2.
const WRITE_AMPLIFICATION: u64 = 4;

/// Refuses if fewer than `needed_bytes` are free at `path`.
pub(super) fn ensure(path: &Path, needed_bytes: u64) -> Result<()> {
    let free_bytes = fs4::available_space(path).at(path)?;
    if free_bytes < needed_bytes {
        return Err(StorageError::NoSpace { path: path.to_owned(), free_bytes, needed_bytes });
    }
    Ok(())
}

/// Returns the free bytes that writing `batch` needs, beside the reserve.
pub(super) fn needed_for(batch: &Batch) -> u64 {
    batch.payload_bytes().saturating_mul(WRITE_AMPLIFICATION)
}
