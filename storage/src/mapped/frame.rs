//! The beginning of a mapped file: a fixed prefix, then an rkyv archive that describes the rest.

use crate::error::{Result, StorageError};
use rkyv::util::AlignedVec;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

/// Alignment of arrays after the header: a cache line, and more than any element needs.
pub(crate) const ALIGNMENT: usize = 64;
/// Bytes of the prefix: magic, version, header length, header CRC, zeros.
pub(crate) const PREFIX_BYTES: usize = 64;

/// Bytes of the prefix before its zeros.
const PREFIX_USED: usize = 20;

/// A kind of file.
pub(crate) struct Frame {
    pub(crate) magic: [u8; 8],
    /// Version that is written, and the only one that is read.
    pub(crate) version: u32,
    /// Name of the kind in messages.
    pub(crate) what: &'static str,
}

impl Frame {
    /// Returns the bytes before the content that the archive describes.
    pub(crate) fn encode(&self, archive: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; PREFIX_BYTES];
        bytes[..8].copy_from_slice(&self.magic);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[12..16].copy_from_slice(&(archive.len() as u32).to_le_bytes());
        bytes[16..20].copy_from_slice(&crc32fast::hash(archive).to_le_bytes());
        bytes.extend_from_slice(archive);
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        bytes
    }

    /// Returns the archive in aligned memory, its checksum, and the offset of the content it
    /// describes.
    ///
    /// # Errors
    /// [`StorageError::Version`]; [`StorageError::Corrupt`] if the file is cut short, of another
    /// kind or damaged.
    pub(crate) fn decode(&self, bytes: &[u8], path: &Path) -> Result<(AlignedVec, u32, usize)> {
        let what = self.what;
        let corrupt = |does: &str| StorageError::corrupt(path, format!("{what} {does}"));
        let prefix = bytes.get(..PREFIX_BYTES).ok_or_else(|| corrupt("is shorter than its header"))?;
        if prefix[..8] != self.magic {
            return Err(corrupt("does not start as one"));
        }
        let word = |at: usize| u32::from_le_bytes(prefix[at..at + 4].try_into().expect("4 bytes"));
        if word(8) != self.version {
            let (got, supported) = (word(8), self.version);
            return Err(StorageError::Version { path: path.to_owned(), what, got, supported });
        }
        let end = PREFIX_BYTES + word(12) as usize;
        let archive = bytes.get(PREFIX_BYTES..end).ok_or_else(|| corrupt("ends inside its header"))?;
        let crc = crc32fast::hash(archive);
        if crc != word(16) {
            return Err(corrupt("header does not match its checksum"));
        }
        let mut aligned = AlignedVec::with_capacity(archive.len());
        aligned.extend_from_slice(archive);
        Ok((aligned, crc, end.next_multiple_of(ALIGNMENT)))
    }
}

/// Sets the checksum of the header to match it, whatever the header is.
#[cfg(any(test, fuzzing))]
pub(crate) fn summed_up(mut bytes: Vec<u8>) -> Vec<u8> {
    let word = bytes.get(12..16).and_then(|word| word.try_into().ok()).map(u32::from_le_bytes);
    let end = word.and_then(|archive| PREFIX_BYTES.checked_add(archive as usize));
    if let Some(archive) = end.and_then(|end| bytes.get(PREFIX_BYTES..end)) {
        let crc = crc32fast::hash(archive);
        bytes[16..20].copy_from_slice(&crc.to_le_bytes());
    }
    bytes
}

/// Writes zeros up to the start of the next array, after an array of `bytes` bytes.
pub(crate) fn pad(file: &mut impl Write, bytes: usize) -> std::io::Result<()> {
    file.write_all(&[0; ALIGNMENT][..bytes.next_multiple_of(ALIGNMENT) - bytes])
}

/// Lists the damage outside of the described arrays: bytes that nothing describes must be zeros,
/// and the file must end at the multiple of [`ALIGNMENT`] after its last array. `bytes` begin with
/// a prefix.
pub(crate) fn stray(bytes: &[u8], described: impl IntoIterator<Item = Range<usize>>) -> Vec<String> {
    let mut damage = Vec::new();
    let archive = u32::from_le_bytes(bytes[12..16].try_into().expect("4 bytes")) as usize;
    // If the file was opened by another header, this one may say anything.
    let mut used = vec![0..PREFIX_USED, PREFIX_BYTES..(PREFIX_BYTES + archive).min(bytes.len())];
    used.extend(described);
    used.sort_by_key(|range| range.start);
    let mut at = 0;
    for range in used {
        if range.start < at {
            damage.push(format!("sections overlap at byte {}", range.start));
        } else if bytes[at..range.start].iter().any(|&byte| byte != 0) {
            damage.push(format!("bytes {at}..{} should be zeros", range.start));
        }
        at = at.max(range.end);
    }
    let end = at.next_multiple_of(ALIGNMENT);
    if end != bytes.len() {
        damage.push(format!("the file has {} bytes, its sections end at {end}", bytes.len()));
    }
    if bytes[at..].iter().any(|&byte| byte != 0) {
        damage.push(format!("bytes {at}..{} should be zeros", bytes.len()));
    }
    damage
}
