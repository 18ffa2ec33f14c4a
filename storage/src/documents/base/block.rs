//! Entries that are read and checked together.
//!
//! ```text
//! 0       4     8
//! +-------+-----+---------------------------------------------+-----
//! | bytes | CRC | key bytes u16 | value bytes u32 | key | value | ...
//! +-------+-----+---------------------------------------------+-----
//! ```
//! `bytes` and CRC are those of the entries. Keys ascend.

use std::cmp::Ordering;

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

/// The entries of the block that `bytes` begins with, of which it is known that they match their CRC.
pub(super) fn entries(bytes: &[u8]) -> Option<&[u8]> {
    let (length, _) = bytes.split_first_chunk::<4>()?;
    bytes.get(HEAD_BYTES..)?.get(..u32::from_le_bytes(*length) as usize)
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

/// Where the entries of a block begin, so that most of it need not be read to find one.
pub(super) struct Starts(Box<[u16]>);

impl Starts {
    pub(super) fn of(entries: &[u8]) -> Self {
        let (mut starts, mut rest) = (Vec::new(), entries);
        while let Some((_, _, after)) = first(rest) {
            // Where one begins later, the block is not of this build; those before it are found.
            let Ok(start) = u16::try_from(entries.len() - rest.len()) else { break };
            starts.push(start);
            rest = after;
        }
        Self(starts.into())
    }

    /// The value of a key.
    pub(super) fn find<'a>(&self, entries: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
        let entry = |at: usize| first(entries.get(usize::from(*self.0.get(at)?)..)?);
        let (mut from, mut to) = (0, self.0.len());
        // Ids mostly follow each other, so it is known where one should be.
        let mut at = match (id(entry(0)?.0), id(key)) {
            (Some(first), Some(id)) => id.saturating_sub(first).min(to as u64 - 1) as usize,
            _ => to / 2,
        };
        while from < to {
            let (found, value, _) = entry(at)?;
            match order(found, key) {
                Ordering::Equal => return Some(value),
                Ordering::Less => from = at + 1,
                Ordering::Greater => to = at,
            }
            at = from + (to - from) / 2;
        }
        None
    }
}

fn id(key: &[u8]) -> Option<u64> {
    key.first_chunk().map(|id| u64::from_be_bytes(*id))
}

/// That of keys, which is that of their bytes. Most keys are ids of 8 bytes, or begin with one.
#[inline]
pub(super) fn order(a: &[u8], b: &[u8]) -> Ordering {
    match (a.split_first_chunk::<8>(), b.split_first_chunk::<8>()) {
        (Some((a_id, a_rest)), Some((b_id, b_rest))) => {
            u64::from_be_bytes(*a_id).cmp(&u64::from_be_bytes(*b_id)).then_with(|| a_rest.cmp(b_rest))
        }
        _ => a.cmp(b),
    }
}
