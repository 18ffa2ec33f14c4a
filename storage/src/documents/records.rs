//! Records with their version bytes, and the record of a passage.
//!
//! A record is one version byte and an rkyv archive, checked by bytecheck whenever it is read.

use super::Manifest;
use crate::error::{Result, StorageError};
use rkyv::api::high::{HighDeserializer, HighSerializer, HighValidator};
use rkyv::bytecheck::CheckBytes;
use rkyv::rancor::Error;
use rkyv::ser::allocator::ArenaHandle;
use rkyv::util::{Align, AlignedVec};
use rkyv::{Archive, Deserialize, Serialize};
use std::ops::Deref;
use std::path::Path;

/// A kind of record: the version that this build writes, and its name in errors.
pub(super) trait Record {
    const VERSION: u8;
    const WHAT: &'static str;
}

impl Record for PassageRecordV3 {
    const VERSION: u8 = 3;
    const WHAT: &'static str = "passage";
}

impl Record for PassageRecordV2 {
    const VERSION: u8 = 2;
    const WHAT: &'static str = "passage";
}

impl Record for PassageRecordV1 {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "passage";
}

impl Record for Manifest {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "manifest";
}

/// The record of one row: the place of its text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PassageRecord {
    pub(crate) document: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) source_start: u64,
    pub(crate) source_end: u64,
    pub(crate) heading: String,
    /// Start of the part of the document's text that is read before the passage's own; empty if
    /// there is none.
    pub(crate) lead_start: u64,
    pub(crate) lead_end: u64,
    /// The caller's places of the text, such as its pages; empty for none.
    pub(crate) places: Vec<u8>,
}

/// A passage record of version 3, of a passage with places.
#[derive(Archive, Serialize, Deserialize)]
pub(super) struct PassageRecordV3 {
    passage: PassageRecordV2,
    places: Vec<u8>,
}

/// A passage record of version 2, of a passage without places.
#[derive(Archive, Serialize, Deserialize)]
pub(super) struct PassageRecordV2 {
    document: u64,
    start: u64,
    end: u64,
    source_start: u64,
    source_end: u64,
    heading: String,
    lead_start: u64,
    lead_end: u64,
}

/// A passage record of version 1, before passages had leads.
#[derive(Archive, Serialize, Deserialize)]
pub(super) struct PassageRecordV1 {
    document: u64,
    start: u64,
    end: u64,
    source_start: u64,
    source_end: u64,
    heading: String,
}

impl From<PassageRecordV1> for PassageRecord {
    fn from(record: PassageRecordV1) -> Self {
        let PassageRecordV1 { document, start, end, source_start, source_end, heading } = record;
        let (lead_start, lead_end, places) = (0, 0, Vec::new());
        Self { document, start, end, source_start, source_end, heading, lead_start, lead_end, places }
    }
}

impl PassageRecordV2 {
    fn with_places(self, places: Vec<u8>) -> PassageRecord {
        let Self { document, start, end, source_start, source_end, heading, lead_start, lead_end } = self;
        PassageRecord {
            document,
            start,
            end,
            source_start,
            source_end,
            heading,
            lead_start,
            lead_end,
            places,
        }
    }
}

/// Encodes a passage record in the oldest version that has all of it.
pub(super) fn encode_passage(record: &PassageRecord) -> Vec<u8> {
    let PassageRecord {
        document,
        start,
        end,
        source_start,
        source_end,
        heading,
        lead_start,
        lead_end,
        places,
    } = record.clone();
    let passage =
        PassageRecordV2 { document, start, end, source_start, source_end, heading, lead_start, lead_end };
    if places.is_empty() { encode(&passage) } else { encode(&PassageRecordV3 { passage, places }) }
}

pub(super) fn encode<T>(record: &T) -> Vec<u8>
where
    T: Record + for<'a> Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, Error>>,
{
    let archive = rkyv::to_bytes::<Error>(record).expect("serializing into memory does not fail");
    let mut bytes = Vec::with_capacity(archive.len() + 1);
    bytes.push(T::VERSION);
    bytes.extend_from_slice(&archive);
    bytes
}

pub(super) fn decode<T>(bytes: &[u8], path: &Path) -> Result<T>
where
    T: Record + Archive,
    T::Archived: for<'a> CheckBytes<HighValidator<'a, Error>> + Deserialize<T, HighDeserializer<Error>>,
{
    let archive = versioned::<T>(bytes, path)?;
    rkyv::from_bytes::<T, Error>(&archive)
        .map_err(|error| StorageError::corrupt(path, format!("{} record: {error}", T::WHAT)))
}

/// Decodes a passage record of any version.
pub(super) fn decode_passage(bytes: &[u8], path: &Path) -> Result<PassageRecord> {
    match bytes.first() {
        Some(&PassageRecordV1::VERSION) => decode::<PassageRecordV1>(bytes, path).map(PassageRecord::from),
        Some(&PassageRecordV2::VERSION) => {
            Ok(decode::<PassageRecordV2>(bytes, path)?.with_places(Vec::new()))
        }
        _ => {
            let PassageRecordV3 { passage, places } = decode(bytes, path)?;
            Ok(passage.with_places(places))
        }
    }
}

/// Returns the archive in aligned memory, as rkyv needs it; sled promises no alignment.
pub(super) fn versioned<T: Record>(bytes: &[u8], path: &Path) -> Result<AlignedArchive> {
    let what = T::WHAT;
    let (&version, archive) =
        bytes.split_first().ok_or_else(|| StorageError::corrupt(path, format!("{what} record is empty")))?;
    if version != T::VERSION {
        let (got, supported) = (u32::from(version), u32::from(T::VERSION));
        return Err(StorageError::Version { path: path.to_owned(), what, got, supported });
    }
    Ok(AlignedArchive::of(archive))
}

/// Longest archive that takes no allocation, in bytes: records of most passages and of documents
/// with few fields.
const SHORT_BYTES: usize = 256;

/// A copy of an archive in aligned memory.
#[expect(clippy::large_enum_variant, reason = "the short one is there to need no allocation")]
pub(super) enum AlignedArchive {
    Short(Align<[u8; SHORT_BYTES]>, usize),
    Long(AlignedVec),
}

impl AlignedArchive {
    #[inline]
    fn of(archive: &[u8]) -> Self {
        if archive.len() > SHORT_BYTES {
            let mut aligned = AlignedVec::with_capacity(archive.len());
            aligned.extend_from_slice(archive);
            return Self::Long(aligned);
        }
        let mut short = [0; SHORT_BYTES];
        short[..archive.len()].copy_from_slice(archive);
        Self::Short(Align(short), archive.len())
    }
}

impl Deref for AlignedArchive {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Short(bytes, length) => &bytes[..*length],
            Self::Long(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::{decode_document, decode_filtered};
    use super::super::targets::passage;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_come_back_as_they_were() {
        let bytes = encode_passage(&passage());
        assert_eq!(bytes[0], 3);
        assert_eq!(decode_passage(&bytes, Path::new("x")).unwrap(), passage());
    }

    #[test]
    fn a_passage_without_places_is_written_as_older_builds_read_it() {
        let without = PassageRecord { places: Vec::new(), ..passage() };
        let bytes = encode_passage(&without);
        assert_eq!(bytes[0], 2);
        assert_eq!(decode_passage(&bytes, Path::new("x")).unwrap(), without);
    }

    #[test]
    fn a_passage_of_before_there_were_leads_has_none() {
        let PassageRecord { document, start, end, source_start, source_end, heading, .. } = passage();
        let old = PassageRecordV1 { document, start, end, source_start, source_end, heading };
        let read = decode_passage(&encode(&old), Path::new("x")).unwrap();
        assert_eq!(read, PassageRecord { lead_start: 0, lead_end: 0, places: Vec::new(), ..passage() });
    }

    #[test]
    fn an_unknown_version_is_named() {
        let mut bytes = encode_passage(&passage());
        bytes[0] = 7;
        let error = decode_passage(&bytes, Path::new("x")).unwrap_err();
        assert!(matches!(error, StorageError::Version { got: 7, supported: 3, what: "passage", .. }));
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for version in [1, 2, 3] {
                if let Some(first) = bytes.first_mut() {
                    *first = version;
                }
                let _ = decode_passage(&bytes, Path::new("x"));
                let _ = decode_document(&bytes, Path::new("x"));
                let _ = decode_filtered(&bytes, Path::new("x"));
            }
        }
    }

    #[test]
    fn mutated_records_are_read_or_refused() {
        crate::documents::targets::records().run(60_000);
    }
}
