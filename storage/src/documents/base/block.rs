//! A block: entries that are read and checked together.
//!
//! ```text
//! 0       4     8
//! +-------+-----+---------------------------------------------+-----
//! | bytes | CRC | key bytes u16 | value bytes u32 | key | value | ...
//! +-------+-----+---------------------------------------------+-----
//! ```
//! `bytes` is the length of the entries, CRC their CRC-32. Keys ascend.

use std::cmp::Ordering;

/// Bytes before the entries of a block.
pub(super) const HEAD_BYTES: usize = 8;
/// Upper bound on the bytes of the entries in a block, unless the block has a single entry.
pub(super) const FULL_BYTES: usize = 4096;
/// Bytes before the key of an entry: the two lengths.
const LENGTHS_BYTES: usize = 6;

/// Returns the entries of the first block in `bytes`, their CRC and the bytes after the block;
/// `None` if the CRC does not match. No block is empty, because a block of zeros would match.
pub(super) fn read(bytes: &[u8]) -> Option<(&[u8], u32, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let (entries, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let crc = u32::from_le_bytes(*crc);
    (!entries.is_empty() && crc32fast::hash(entries) == crc).then_some((entries, crc, rest))
}

/// Returns the head of a block whose entries have that CRC.
pub(super) fn head(entries: &[u8], crc: u32) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[..4].copy_from_slice(&(entries.len() as u32).to_le_bytes());
    head[4..].copy_from_slice(&crc.to_le_bytes());
    head
}

/// Returns the number of bytes that an entry takes.
pub(super) fn entry_bytes(key: &[u8], value: &[u8]) -> usize {
    LENGTHS_BYTES + key.len() + value.len()
}

/// Appends an entry.
pub(super) fn push(entries: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    debug_assert!(u16::try_from(key.len()).is_ok() && u32::try_from(value.len()).is_ok());
    entries.extend_from_slice(&(key.len() as u16).to_le_bytes());
    entries.extend_from_slice(&(value.len() as u32).to_le_bytes());
    entries.extend_from_slice(key);
    entries.extend_from_slice(value);
}

/// Returns the key and the value of the first entry, and the entries after it; `None` if there is
/// none or if it ends beyond the block.
pub(super) fn first(entries: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (key_bytes, rest) = entries.split_first_chunk::<2>()?;
    let (value_bytes, rest) = rest.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*key_bytes)))?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*value_bytes) as usize)?;
    Some((key, value, rest))
}

/// Offset of each entry of a block, so that finding one does not read most of the block.
pub(super) struct Starts(Box<[u16]>);

impl Starts {
    pub(super) fn of(entries: &[u8]) -> Self {
        let (mut starts, mut rest) = (Vec::new(), entries);
        while let Some((_, _, after)) = first(rest) {
            // An offset that does not fit: this build did not write the block. Entries before it
            // are found.
            let Ok(start) = u16::try_from(entries.len() - rest.len()) else { break };
            starts.push(start);
            rest = after;
        }
        Self(starts.into())
    }

    /// Returns the value of a key; `None` if the block does not have it. `first_key` is that of
    /// the block.
    #[inline]
    pub(super) fn find<'a>(&self, entries: &'a [u8], first_key: &[u8], key: &[u8]) -> Option<&'a [u8]> {
        let entry = |at: usize| first(entries.get(usize::from(*self.0.get(at)?)..)?);
        let (mut from, mut to) = (0, self.0.len());
        let mut at = self.guess(first_key, key);
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

    /// Returns the entry that probably has the key: ids are mostly consecutive.
    #[inline]
    fn guess(&self, first_key: &[u8], key: &[u8]) -> usize {
        let last = self.0.len().saturating_sub(1);
        match (id(first_key), id(key)) {
            (Some(first), Some(id)) => id.saturating_sub(first).min(last as u64) as usize,
            _ => self.0.len() / 2,
        }
    }

    /// Returns the offset of the entry that probably has the key, as a slice of one.
    #[inline]
    pub(super) fn likely(&self, first_key: &[u8], key: &[u8]) -> &[u16] {
        let at = self.guess(first_key, key);
        self.0.get(at..=at).unwrap_or_default()
    }
}

#[inline]
pub(super) fn id(key: &[u8]) -> Option<u64> {
    key.first_chunk().map(|id| u64::from_be_bytes(*id))
}

/// Compares keys by their bytes. Most keys are 8-byte ids, or begin with one.
#[inline]
pub(super) fn order(a: &[u8], b: &[u8]) -> Ordering {
    match (a.split_first_chunk::<8>(), b.split_first_chunk::<8>()) {
        (Some((a_id, a_rest)), Some((b_id, b_rest))) => {
            u64::from_be_bytes(*a_id).cmp(&u64::from_be_bytes(*b_id)).then_with(|| a_rest.cmp(b_rest))
        }
        _ => a.cmp(b),
    }
}
