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

use super::block;
use std::cmp::Ordering;

/// Bytes of an offset, an end and a CRC.
pub(super) const PLACE_BYTES: usize = 20;

/// The bytes of an index, already compared with their checksum.
#[derive(Clone, Copy)]
pub(super) struct Index<'a> {
    places: &'a [[u8; PLACE_BYTES]],
    keys: &'a [u8],
}

impl<'a> Index<'a> {
    /// Returns `None` if the bytes are not an index of that many blocks.
    pub(super) fn new(bytes: &'a [u8], blocks: u64) -> Option<Self> {
        let places = usize::try_from(blocks).ok()?.checked_mul(PLACE_BYTES)?;
        let (places, keys) = bytes.split_at_checked(places)?;
        Some(Self { places: places.as_chunks().0, keys })
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

    /// Returns the offset of a block and its CRC.
    pub(super) fn block(&self, block: usize) -> Option<(usize, u32)> {
        let (offset, _, crc) = self.place(block)?;
        Some((usize::try_from(offset).ok()?, crc))
    }

    /// Returns the first key of a block; empty if this build did not write the index.
    pub(super) fn first_key(&self, block: usize) -> &'a [u8] {
        let start = block.checked_sub(1).and_then(|before| self.place(before)).map_or(0, |(_, end, _)| end);
        let end = self.place(block).map_or(0, |(_, end, _)| end);
        self.keys.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Returns the only block that may have the key.
    pub(super) fn find(&self, key: &[u8]) -> Option<usize> {
        let (mut from, mut to) = (0, self.blocks());
        while from < to {
            let middle = from + (to - from) / 2;
            match block::order(self.first_key(middle), key) {
                Ordering::Less | Ordering::Equal => from = middle + 1,
                Ordering::Greater => to = middle,
            }
        }
        from.checked_sub(1)
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
