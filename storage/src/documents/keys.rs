//! Big-endian keys, so that trees are in order of row and document id.

use std::ops::Range;

/// Bytes of a text block; a character may span two blocks.
pub(super) const TEXT_BLOCK_BYTES: usize = 32 * 1024;

/// Prefix of the keys of runs.
pub(super) const RUN: &[u8] = b"run";

pub(super) fn id(id: u64) -> [u8; 8] {
    id.to_be_bytes()
}

pub(super) fn read_id(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.try_into().ok()?))
}

pub(super) fn block(document: u64, block: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&document.to_be_bytes());
    key[8..].copy_from_slice(&block.to_be_bytes());
    key
}

/// Key of a segment, in the manifest's tree.
pub(crate) fn segment(number: u32) -> Vec<u8> {
    [b"segment".as_slice(), &number.to_be_bytes()].concat()
}

/// Key of a run, in the manifest's tree.
pub(super) fn run(first_row: u64) -> Vec<u8> {
    [RUN, &first_row.to_be_bytes()].concat()
}

/// Returns the blocks that hold a range of bytes.
pub(super) fn blocks_of(range: &Range<u64>) -> Range<u32> {
    if range.is_empty() {
        return 0..0;
    }
    let block_bytes = TEXT_BLOCK_BYTES as u64;
    (range.start / block_bytes) as u32..range.end.div_ceil(block_bytes) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_their_range_and_no_more() {
        let b = TEXT_BLOCK_BYTES as u64;
        for (range, blocks) in
            [(0..0, 0..0), (0..1, 0..1), (0..b, 0..1), (b..b + 1, 1..2), (b - 1..b + 1, 0..2), (b..b, 0..0)]
        {
            assert_eq!(blocks_of(&range), blocks, "{range:?}");
        }
    }
}
