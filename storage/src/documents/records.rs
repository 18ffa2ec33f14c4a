//! What is stored of a document and of a passage.
//!
//! A record is one version byte and an rkyv archive, checked by bytecheck whenever it is read.

use crate::error::{Result, StorageError};
use crate::filter::Metadata;
use rkyv::api::high::{HighDeserializer, HighSerializer, HighValidator};
use rkyv::bytecheck::CheckBytes;
use rkyv::rancor::Error;
use rkyv::ser::allocator::ArenaHandle;
use rkyv::util::AlignedVec;
use rkyv::{Archive, Deserialize, Serialize};
use std::path::Path;

/// The version of every record this build writes, and the only one it reads.
pub(super) const RECORD_VERSION: u8 = 1;

/// A document without its text.
#[derive(Clone, Debug, PartialEq, Archive, Serialize, Deserialize)]
pub(crate) struct DocumentRecord {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) content_hash: [u8; 32],
    pub(crate) metadata: Metadata,
    pub(crate) text_bytes: u64,
    pub(crate) source_map: Vec<u8>,
    pub(crate) first_row: u64,
    pub(crate) row_count: u64,
}

/// One row: where its text is.
#[derive(Clone, Debug, PartialEq, Archive, Serialize, Deserialize)]
pub(crate) struct PassageRecord {
    pub(crate) document: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) source_start: u64,
    pub(crate) source_end: u64,
    pub(crate) title: String,
}

pub(super) fn encode<T>(record: &T) -> Vec<u8>
where
    T: for<'a> Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, Error>>,
{
    let archive = rkyv::to_bytes::<Error>(record).expect("serializing into memory does not fail");
    let mut bytes = Vec::with_capacity(archive.len() + 1);
    bytes.push(RECORD_VERSION);
    bytes.extend_from_slice(&archive);
    bytes
}

pub(super) fn decode<T>(bytes: &[u8], what: &'static str, path: &Path) -> Result<T>
where
    T: Archive,
    T::Archived: for<'a> CheckBytes<HighValidator<'a, Error>> + Deserialize<T, HighDeserializer<Error>>,
{
    let archive = versioned(bytes, what, path)?;
    rkyv::from_bytes::<T, Error>(&archive)
        .map_err(|error| StorageError::corrupt(path, format!("{what} record: {error}")))
}

/// Only the parts of a document that a filter needs: its metadata and rows.
pub(super) fn decode_filtered(bytes: &[u8], path: &Path) -> Result<(Metadata, std::ops::Range<u64>)> {
    let archive = versioned(bytes, "document", path)?;
    let corrupt = |error: Error| StorageError::corrupt(path, format!("document record: {error}"));
    let record = rkyv::access::<ArchivedDocumentRecord, Error>(&archive).map_err(corrupt)?;
    let metadata = rkyv::deserialize::<Metadata, Error>(&record.metadata).map_err(corrupt)?;
    let first: u64 = record.first_row.into();
    Ok((metadata, first..first.saturating_add(record.row_count.into())))
}

/// sled promises no alignment, so the archive is copied to where rkyv may read it.
fn versioned(bytes: &[u8], what: &'static str, path: &Path) -> Result<AlignedVec> {
    let (&version, archive) =
        bytes.split_first().ok_or_else(|| StorageError::corrupt(path, format!("{what} record is empty")))?;
    if version != RECORD_VERSION {
        let (got, supported) = (u32::from(version), u32::from(RECORD_VERSION));
        return Err(StorageError::Version { path: path.to_owned(), what, got, supported });
    }
    let mut aligned = AlignedVec::with_capacity(archive.len());
    aligned.extend_from_slice(archive);
    Ok(aligned)
}

#[cfg(test)]
mod tests {
    use super::super::targets::passage;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_come_back_as_they_were() {
        let bytes = encode(&passage());
        assert_eq!(decode::<PassageRecord>(&bytes, "passage", Path::new("x")).unwrap(), passage());
    }

    #[test]
    fn an_unknown_version_is_named() {
        let mut bytes = encode(&passage());
        bytes[0] = 7;
        let error = decode::<PassageRecord>(&bytes, "passage", Path::new("x")).unwrap_err();
        assert!(matches!(error, StorageError::Version { got: 7, supported: 1, what: "passage", .. }));
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(version) = bytes.first_mut() {
                *version = RECORD_VERSION;
            }
            let _ = decode::<PassageRecord>(&bytes, "passage", Path::new("x"));
            let _ = decode::<DocumentRecord>(&bytes, "document", Path::new("x"));
            let _ = decode_filtered(&bytes, Path::new("x"));
        }
    }

    #[test]
    fn mutated_records_are_read_or_refused() {
        crate::documents::targets::records().run(60_000);
    }
}
