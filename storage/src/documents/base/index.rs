//! The index of a table: the offset, the checksum and the first key of each block.
//!
//! ```text
//! 0                                                               20 x blocks
//! +------------------------------------------------------------------+----------
//! | offset of the block u64, end of its first key u64, its CRC u32 ... | keys ...
//! +------------------------------------------------------------------+----------
//! ```
//! Offsets count from the table's first block, ends from the first key. A block stores its CRC too.
//! The copy here is covered by the CRC of the file's header, so that a block of another base is
//! rejected.

use super::{Part, block};
use std::cmp::Ordering;

/// Bytes of an offset, an end and a CRC.
pub(super) const PLACE_BYTES: usize = 20;
/// Factor by which each step away from a guess is longer than the one before.
const STRIDE: usize = 8;

/// The bytes of an index, already compared with their checksum.
#[derive(Clone, Copy)]
pub(super) struct Index<'a> {
    places: &'a [[u8; PLACE_BYTES]],
    keys: &'a [u8],
    /// Bytes of each key; `None` if keys have different lengths.
    key_bytes: Option<usize>,
}

impl<'a> Index<'a> {
    /// Returns `None` if the bytes are not an index of that many blocks of a part.
    pub(super) fn new(bytes: &'a [u8], blocks: u64, part: Part) -> Option<Self> {
        let places = usize::try_from(blocks).ok()?.checked_mul(PLACE_BYTES)?;
        let (places, keys) = bytes.split_at_checked(places)?;
        let places = places.as_chunks().0;
        let key_bytes = part.key_bytes().filter(|&bytes| places.len().checked_mul(bytes) == Some(keys.len()));
        Some(Self { places, keys, key_bytes })
    }

    pub(super) fn blocks(&self) -> usize {
        self.places.len()
    }

    fn place(&self, block: usize) -> Option<(u64, u64, u32)> {
        let (offset, rest) = self.places.get(block)?.split_first_chunk()?;
        let (end, rest) = rest.split_first_chunk()?;
        let crc = rest.first_chunk()?;
        Some((u64::from_le_bytes(*offset), u64::from_le_bytes(*end), u32::from_le_bytes(*crc)))
    }

    /// Returns the bytes that have the offset of a block; none if there is no such block.
    pub(super) fn place_bytes(&self, block: usize) -> &'a [u8] {
        self.places.get(block).map_or(&[], |place| &place[..])
    }

    /// Returns the offset of a block and its CRC.
    pub(super) fn block(&self, block: usize) -> Option<(usize, u32)> {
        let (offset, _, crc) = self.place(block)?;
        Some((usize::try_from(offset).ok()?, crc))
    }

    /// Returns the first key of a block; empty if this build did not write the index.
    #[inline]
    pub(super) fn first_key(&self, block: usize) -> &'a [u8] {
        if let Some(bytes) = self.key_bytes {
            return self.keys.get(block * bytes..(block + 1) * bytes).unwrap_or_default();
        }
        let start = block.checked_sub(1).and_then(|before| self.place(before)).map_or(0, |(_, end, _)| end);
        let end = self.place(block).map_or(0, |(_, end, _)| end);
        self.keys.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Returns the only block that may have the key.
    pub(super) fn find(&self, key: &[u8]) -> Option<usize> {
        let (mut from, mut to) = self.bounds(key);
        while from < to {
            let middle = from + (to - from) / 2;
            match block::order(self.first_key(middle), key) {
                Ordering::Less | Ordering::Equal => from = middle + 1,
                Ordering::Greater => to = middle,
            }
        }
        from.checked_sub(1)
    }

    /// Returns bounds on the number of blocks that begin at or before the key. Where keys are ids
    /// they are narrow: ids are nearly consecutive, and entries of one part about as long.
    #[inline]
    fn bounds(&self, key: &[u8]) -> (usize, usize) {
        let blocks = self.blocks();
        let Some(guess) = self.guess(key) else { return (0, blocks) };
        let is_after = |block: usize| block::order(self.first_key(block), key) == Ordering::Greater;
        let mut step = 1;
        if is_after(guess) {
            let mut to = guess;
            while let Some(block) = to.checked_sub(step) {
                if !is_after(block) {
                    return (block + 1, to);
                }
                (to, step) = (block, step * STRIDE);
            }
            return (0, to);
        }
        let mut from = guess + 1;
        while let Some(block) = from.checked_add(step - 1).filter(|&block| block < blocks) {
            if is_after(block) {
                return (from, block);
            }
            (from, step) = (block + 1, step * STRIDE);
        }
        (from, blocks)
    }

    /// Returns the block that would have the key if ids were spread evenly over the blocks; `None`
    /// if keys are not ids.
    #[inline]
    fn guess(&self, key: &[u8]) -> Option<usize> {
        self.key_bytes?;
        let last_block = self.blocks().checked_sub(1)?;
        let (first, last) = (block::id(self.first_key(0))?, block::id(self.first_key(last_block))?);
        let (from_first, all) = (block::id(key)?.saturating_sub(first), last.saturating_sub(first));
        let share = from_first as f64 / all.max(1) as f64;
        Some((share * last_block as f64) as usize).map(|block| block.min(last_block))
    }
}

/// An index under construction.
#[derive(Default)]
pub(super) struct Making {
    places: Vec<u8>,
    keys: Vec<u8>,
    pub(super) blocks: u64,
}

impl Making {
    pub(super) fn add(&mut self, offset: u64, first_key: &[u8], crc: u32) {
        self.keys.extend_from_slice(first_key);
        self.places.extend_from_slice(&offset.to_le_bytes());
        self.places.extend_from_slice(&(self.keys.len() as u64).to_le_bytes());
        self.places.extend_from_slice(&crc.to_le_bytes());
        self.blocks += 1;
    }

    pub(super) fn bytes(mut self) -> Vec<u8> {
        self.places.append(&mut self.keys);
        self.places
    }

    /// Builds the index of consecutive blocks, up to the first damaged one; also returns the number
    /// of bytes in those blocks.
    pub(super) fn of_blocks(all: &[u8]) -> (Self, usize) {
        let (mut making, mut rest) = (Self::default(), all);
        while let Some((entries, crc, after)) = block::read(rest)
            && let Some((key, ..)) = block::first(entries)
        {
            making.add((all.len() - rest.len()) as u64, key, crc);
            rest = after;
        }
        (making, all.len() - rest.len())
    }
}
