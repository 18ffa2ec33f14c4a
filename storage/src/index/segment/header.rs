//! The header: a fixed prefix, then an rkyv archive that names the sections.

use crate::error::{Result, StorageError};
use crate::vector::precision::Precision;
use rkyv::rancor::Error;
use rkyv::util::AlignedVec;
use rkyv::{Archive, Deserialize, Serialize};
use std::path::Path;

pub(super) const MAGIC: [u8; 8] = *b"PSTLSEG\n";
pub(super) const VERSION: u32 = 2;
/// Sections start at multiples of this: a cache line, and more than any element needs.
pub(super) const ALIGNMENT: usize = 64;
/// Magic, version, header length, header CRC, zeros.
pub(super) const PREFIX_BYTES: usize = 64;

#[derive(Clone, Debug, PartialEq, Archive, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) rows: u64,
    pub(super) dimension: u32,
    pub(super) metric: u8,
    /// Where a search starts.
    pub(super) entry: u32,
    /// Codes per unit.
    pub(super) scale: f32,
    pub(super) sections: Vec<Section>,
}

impl Header {
    /// Of the vectors.
    pub(super) fn precision(&self) -> Precision {
        let halves = self.sections.iter().any(|section| section.kind == HALVES);
        if halves { Precision::Half } else { Precision::Full }
    }
}

/// One array. `offset` counts from the first byte after the header's padding.
#[derive(Clone, Debug, PartialEq, Archive, Serialize, Deserialize)]
pub(super) struct Section {
    pub(super) kind: u16,
    /// The level of [`LINKS`] and [`NODES`].
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
/// Vectors in a byte per component, i8.
pub(super) const CODES: u16 = 5;
/// Squared lengths of the rows of [`CODES`], f32; only where the metric needs them.
pub(super) const NORMS: u16 = 6;
/// A CRC-32 per row, u32, of its id and its vector: a hit is verified without reading the whole file.
pub(super) const CHECKSUMS: u16 = 7;
/// In the place of [`VECTORS`], f16.
pub(super) const HALVES: u16 = 8;

/// The section that has vectors of a precision.
pub(super) fn vectors_of(precision: Precision) -> u16 {
    match precision {
        Precision::Full => VECTORS,
        Precision::Half => HALVES,
    }
}

impl Section {
    /// What it holds, for messages.
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
            kind => format!("section of kind {kind}"),
        }
    }
}

/// The bytes before the first section.
pub(super) fn encode(header: &Header) -> Vec<u8> {
    let archive = rkyv::to_bytes::<Error>(header).expect("serializing into memory does not fail");
    let mut bytes = vec![0; PREFIX_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&(archive.len() as u32).to_le_bytes());
    bytes[16..20].copy_from_slice(&crc32fast::hash(&archive).to_le_bytes());
    bytes.extend_from_slice(&archive);
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    bytes
}

/// The header, its checksum, and where the sections begin.
pub(super) fn decode(bytes: &[u8], path: &Path) -> Result<(Header, u32, usize)> {
    let corrupt = |what: &str| StorageError::corrupt(path, what);
    let prefix = bytes.get(..PREFIX_BYTES).ok_or_else(|| corrupt("segment is shorter than its header"))?;
    if prefix[..8] != MAGIC {
        return Err(corrupt("segment does not start as one"));
    }
    let word = |at: usize| u32::from_le_bytes(prefix[at..at + 4].try_into().expect("4 bytes"));
    if word(8) != VERSION {
        let (what, got, supported) = ("segment", word(8), VERSION);
        return Err(StorageError::Version { path: path.to_owned(), what, got, supported });
    }
    let end = PREFIX_BYTES + word(12) as usize;
    let archive = bytes.get(PREFIX_BYTES..end).ok_or_else(|| corrupt("segment ends inside its header"))?;
    let crc = crc32fast::hash(archive);
    if crc != word(16) {
        return Err(corrupt("segment header does not match its checksum"));
    }
    let mut aligned: AlignedVec = AlignedVec::with_capacity(archive.len());
    aligned.extend_from_slice(archive);
    let header = rkyv::from_bytes::<Header, Error>(&aligned)
        .map_err(|error| corrupt(&format!("segment header: {error}")))?;
    Ok((header, crc, end.next_multiple_of(ALIGNMENT)))
}
