//! Entries that are read and checked together.
//!
//! ```text
//! 0       4     8
//! +-------+-----+---------------------------------------------+-----
//! | bytes | CRC | key bytes u16 | value bytes u32 | key | value | ...
//! +-------+-----+---------------------------------------------+-----
//! ```
//! `bytes` and CRC are those of the entries. Keys ascend.

/// Before the entries.
pub(super) const HEAD_BYTES: usize = 8;
/// A block of more than one entry has no more bytes of them.
pub(super) const FULL_BYTES: usize = 4096;
/// Before the key of an entry.
const LENGTHS_BYTES: usize = 6;

/// The entries of the block that `bytes` begins with and their CRC, if they match it, and what comes after the block. No
/// block is empty: zeros would be one that matches.
pub(super) fn read(bytes: &[u8]) -> Option<(&[u8], u32, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let (entries, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let crc = u32::from_le_bytes(*crc);
    (!entries.is_empty() && crc32fast::hash(entries) == crc).then_some((entries, crc, rest))
}

/// What comes before entries of that CRC.
pub(super) fn head(entries: &[u8], crc: u32) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[..4].copy_from_slice(&(entries.len() as u32).to_le_bytes());
    head[4..].copy_from_slice(&crc.to_le_bytes());
    head
}

/// Bytes of an entry.
pub(super) fn entry_bytes(key: &[u8], value: &[u8]) -> usize {
    LENGTHS_BYTES + key.len() + value.len()
}

/// Adds an entry.
pub(super) fn push(entries: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    debug_assert!(u16::try_from(key.len()).is_ok() && u32::try_from(value.len()).is_ok());
    entries.extend_from_slice(&(key.len() as u16).to_le_bytes());
    entries.extend_from_slice(&(value.len() as u32).to_le_bytes());
    entries.extend_from_slice(key);
    entries.extend_from_slice(value);
}

/// The first entry, and those after it; `None` where there is none, or it ends after the block does.
pub(super) fn first(entries: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (key_bytes, rest) = entries.split_first_chunk::<2>()?;
    let (value_bytes, rest) = rest.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*key_bytes)))?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*value_bytes) as usize)?;
    Some((key, value, rest))
}

/// The value of a key.
pub(super) fn find<'a>(mut entries: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    while let Some((at, value, rest)) = first(entries) {
        if at >= key {
            return (at == key).then_some(value);
        }
        entries = rest;
    }
    None
}
