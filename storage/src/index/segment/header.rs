//! The header of a segment, which lists its sections.

use crate::error::{Result, StorageError};
use crate::mapped::frame::Frame;
use crate::vector::precision::Precision;
use rkyv::rancor::Error;
use rkyv::{Archive, Deserialize, Serialize};
use std::path::Path;

const FRAME: Frame = Frame { magic: *b"PSTLSEG\n", version: 2, what: "segment" };

#[derive(Clone, Debug, PartialEq, Archive, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) rows: u64,
    pub(super) dimension: u32,
    pub(super) metric: u8,
    /// Position at which a search starts.
    pub(super) entry: u32,
    /// Codes per unit of a component.
    pub(super) scale: f32,
    pub(super) sections: Vec<Section>,
}

impl Header {
    /// Returns the precision of the vectors.
    pub(super) fn precision(&self) -> Precision {
        let halves = self.sections.iter().any(|section| section.kind == HALVES);
        if halves { Precision::Half } else { Precision::Full }
    }
}

/// One section. `offset` counts from the first byte after the header's padding.
#[derive(Clone, Debug, PartialEq, Archive, Serialize, Deserialize)]
pub(super) struct Section {
    pub(super) kind: u16,
    /// Level of [`LINKS`] and [`NODES`].
    pub(super) level: u16,
    /// Places per list of [`LINKS`], codes per row of [`CODES`].
    pub(super) stride: u32,
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) crc: u32,
}

/// Row ids, u64, ascending.
pub(super) const ROWS: u16 = 1;
/// Vectors, f32, row after row.
pub(super) const VECTORS: u16 = 2;
/// Neighbours, u32: positions at level 0, above it indices into the level's [`NODES`].
pub(super) const LINKS: u16 = 3;
/// Positions of an upper level's rows, u32, ascending.
pub(super) const NODES: u16 = 4;
/// Vectors with one byte per component, i8.
pub(super) const CODES: u16 = 5;
/// Squared lengths of the rows of [`CODES`], f32; only if the metric needs them.
pub(super) const NORMS: u16 = 6;
/// CRC-32 per row, u32, of its id and its vector: a hit is verified without reading the whole file.
pub(super) const CHECKSUMS: u16 = 7;
/// Vectors of 16-bit floats, in place of [`VECTORS`].
pub(super) const HALVES: u16 = 8;

/// Pairs of positions, u32: a row and a copy of it, which is not a node of the graph; only if there
/// are copies.
pub(super) const COPIES: u16 = 9;
/// The search plan before there was [`PLAN`]: two u32, 1 if searched by vectors, and the least
/// candidates kept or 0 to scan every row.
pub(super) const OLD_PLAN: u16 = 10;
/// The search plan: u32, the kind of search (by codes, vectors, nibbles), and f32, the length of
/// the longest vector; then for each step f32, its recall, u32 and u32, the fewest and the most
/// candidates kept, f32, their farthest distance as a multiple of a hit's, and u32, the number
/// examined.
pub(super) const PLAN: u16 = 11;
/// Vectors with four bits per component, in lines of 64 bytes: components 64 to 127 of a line are
/// in the upper bits.
pub(super) const NIBBLES: u16 = 12;
/// Mean of each component, then the step of each in [`NIBBLES`], f32.
pub(super) const GRID: u16 = 13;
/// Squared distances of the rows of [`NIBBLES`] from the mean, f32; only if the metric needs them.
pub(super) const NIBBLE_NORMS: u16 = 14;

/// Returns the kind of section for vectors of a precision.
pub(super) fn vectors_of(precision: Precision) -> u16 {
    match precision {
        Precision::Full => VECTORS,
        Precision::Half => HALVES,
    }
}

impl Section {
    /// Returns the name of the content, for messages.
    pub(super) fn name(&self) -> String {
        let level = self.level;
        match self.kind {
            ROWS => "row ids".to_owned(),
            VECTORS | HALVES => "vectors".to_owned(),
            LINKS => format!("links of level {level}"),
            NODES => format!("nodes of level {level}"),
            CODES => "codes".to_owned(),
            NORMS => "norms".to_owned(),
            CHECKSUMS => "checksums of rows".to_owned(),
            COPIES => "copies".to_owned(),
            OLD_PLAN | PLAN => "plan".to_owned(),
            NIBBLES => "nibbles".to_owned(),
            GRID => "means and steps of nibbles".to_owned(),
            NIBBLE_NORMS => "norms of nibbles".to_owned(),
            kind => format!("section of kind {kind}"),
        }
    }
}

/// Returns the bytes before the first section.
pub(super) fn encode(header: &Header) -> Vec<u8> {
    FRAME.encode(&rkyv::to_bytes::<Error>(header).expect("serializing into memory does not fail"))
}

/// Returns the header, its checksum, and the offset of the first section.
pub(super) fn decode(bytes: &[u8], path: &Path) -> Result<(Header, u32, usize)> {
    let (archive, crc, body) = FRAME.decode(bytes, path)?;
    let header = rkyv::from_bytes::<Header, Error>(&archive)
        .map_err(|error| StorageError::corrupt(path, format!("segment header: {error}")))?;
    Ok((header, crc, body))
}
