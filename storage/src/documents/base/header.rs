//! The header of the base file.

use super::Part;
use crate::error::{Result, StorageError};
use crate::mapped::frame::{ALIGNMENT, Frame};
use rkyv::rancor::Error;
use rkyv::{Archive, Deserialize, Serialize};
use std::ops::Range;
use std::path::Path;

const FRAME: Frame = Frame { magic: *b"PSTLBAS\n", version: 1, what: "base" };

#[derive(Clone, Debug, Default, PartialEq, Archive, Serialize, Deserialize)]
pub(super) struct Header {
    /// Tables in the order of [`Part::ALL`].
    pub(super) tables: [Table; Part::ALL.len()],
}

/// The entries of one tree: blocks, then their index. Offsets count from the first byte after the
/// header's padding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Archive, Serialize, Deserialize)]
pub(super) struct Table {
    pub(super) entries: u64,
    pub(super) blocks: u64,
    pub(super) offset: u64,
    /// Bytes of all blocks together; their index follows at the next multiple of [`ALIGNMENT`].
    pub(super) bytes: u64,
    pub(super) index_bytes: u64,
    pub(super) index_crc: u32,
}

impl Table {
    /// Returns the ranges of the blocks and the index in a file with `body` bytes before the first
    /// table; `None` if they are not within `file_bytes`.
    pub(super) fn places(&self, body: usize, file_bytes: usize) -> Option<(Range<usize>, Range<usize>)> {
        let start = body.checked_add(usize::try_from(self.offset).ok()?)?;
        let end = start.checked_add(usize::try_from(self.bytes).ok()?)?;
        let index = end.checked_next_multiple_of(ALIGNMENT)?;
        let index_end = index.checked_add(usize::try_from(self.index_bytes).ok()?)?;
        (start.is_multiple_of(ALIGNMENT) && index_end <= file_bytes).then_some((start..end, index..index_end))
    }
}

/// Encodes the header, which is written before the first table and again after the last. Every
/// header has the same length.
pub(super) fn encode(header: &Header) -> Vec<u8> {
    FRAME.encode(&rkyv::to_bytes::<Error>(header).expect("serializing into memory does not fail"))
}

/// Returns the header, its checksum, and the offset of the first table.
pub(super) fn decode(bytes: &[u8], path: &Path) -> Result<(Header, u32, usize)> {
    let (archive, crc, body) = FRAME.decode(bytes, path)?;
    let header = rkyv::from_bytes::<Header, Error>(&archive)
        .map_err(|error| StorageError::corrupt(path, format!("base header: {error}")))?;
    Ok((header, crc, body))
}

/// Decodes the copy of the header at the end of a file; see [`decode`]. For a file whose beginning
/// is damaged.
pub(super) fn decode_last(bytes: &[u8], path: &Path) -> Result<(Header, u32, usize)> {
    let start = bytes.len().saturating_sub(encode(&Header::default()).len());
    decode(&bytes[start..], path)
}
