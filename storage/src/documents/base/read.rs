//! Reading one entry, or all in order. A block is compared with its checksum before its first entry
//! is returned, and at each full iteration.

use super::block::{self, Starts};
use super::header::{self, Header};
use super::index::{Index, Making};
use super::write::Entry;
use super::{OTHER_BASE, Part};
use crate::error::{Result, StorageError};
use crate::mapped::map;
use memmap2::Mmap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Bytes read in order before their pages are dropped from memory.
const PIECE_BYTES: usize = if cfg!(test) { 4096 } else { 4 << 20 };

/// An open base.
pub(crate) struct Base {
    path: PathBuf,
    pub(super) map: Mmap,
    /// Bytes of the header, which is at the start and at the end of the file.
    pub(super) header_bytes: usize,
    pub(super) tables: [Places; Part::ALL.len()],
}

/// The ranges of one table in the file.
pub(super) struct Places {
    pub(super) entries: u64,
    block_count: u64,
    pub(super) blocks: Range<usize>,
    pub(super) index: Range<usize>,
    /// An index rebuilt in place of a damaged one; `None` if the index in the file is sound.
    made: Option<Vec<u8>>,
    /// Entry offsets of each block that was found sound.
    pub(super) sound: Box<[OnceLock<Starts>]>,
}

impl Base {
    /// Opens the file that has that checksum, and compares its indexes (a hundredth of the file
    /// when keys are short) with their checksums.
    ///
    /// # Errors
    /// [`StorageError::Io`], [`StorageError::Version`] and [`StorageError::Corrupt`].
    pub(crate) fn open(path: &Path, checksum: u32) -> Result<Self> {
        let map = map::map(path)?;
        let (header, found, body) = header::decode(&map, path)?;
        if found != checksum {
            return Err(StorageError::corrupt(path, OTHER_BASE));
        }
        Self::new(path, map, &header, body, |what| Err(StorageError::corrupt(path, what)))
    }

    /// Opens a file that may be damaged: uses the header at the end if that at the start is
    /// damaged, and rebuilds damaged indexes. Also returns the checksum and a list of the damage.
    ///
    /// # Errors
    /// As [`open`](Self::open), if neither header can be read.
    pub(crate) fn open_damaged(path: &Path) -> Result<(Self, u32, Vec<String>)> {
        let (map, mut damage) = (map::map(path)?, Vec::new());
        let (header, checksum, body) = match header::decode(&map, path) {
            Err(StorageError::Corrupt { what, .. }) => {
                damage.push(what);
                header::decode_last(&map, path)?
            }
            decoded => decoded?,
        };
        let base = Self::new(path, map, &header, body, |what| {
            damage.push(what);
            Ok(())
        })?;
        Ok((base, checksum, damage))
    }

    /// Calls `damaged` for each damage found; opening goes on if it returns `Ok`.
    fn new(
        path: &Path,
        map: Mmap,
        header: &Header,
        header_bytes: usize,
        mut damaged: impl FnMut(String) -> Result<()>,
    ) -> Result<Self> {
        let mut tables = Vec::new();
        for (part, table) in Part::ALL.into_iter().zip(header.tables) {
            let Some((blocks, index)) = table.places(header_bytes, map.len()) else {
                let what = format!("its table of {} is not all in the file", part.name());
                return Err(StorageError::corrupt(path, what));
            };
            let sound = crc32fast::hash(&map[index.clone()]) == table.index_crc
                && Index::new(&map[index.clone()], table.blocks, part).is_some();
            let (mut block_count, mut made) = (table.blocks, None);
            if !sound {
                damaged(damaged_index(part))?;
                let (making, read) = Making::of_blocks(&map[blocks.clone()]);
                block_count = making.blocks;
                if read < blocks.len() {
                    damaged(format!("its {} cannot be read from block {block_count} on", part.name()))?;
                }
                made = Some(making.bytes());
            }
            let sound = (0..block_count).map(|_| OnceLock::new()).collect();
            tables.push(Places { entries: table.entries, block_count, blocks, index, made, sound });
        }
        let Ok(tables) = tables.try_into() else { unreachable!("one for each part") };
        Ok(Self { path: path.to_owned(), map, header_bytes, tables })
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns all bytes of the file.
    pub(crate) fn content(&self) -> &[u8] {
        &self.map
    }

    /// Returns the value of a key; `None` if the base does not have it.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if the block of the key is damaged.
    pub(in crate::documents) fn get(&self, part: Part, key: &[u8]) -> Result<Option<&[u8]>> {
        let index = self.index(part);
        let Some(number) = index.find(key) else { return Ok(None) };
        let table = &self.tables[part as usize];
        let Some(sound) = table.sound.get(number) else { return Ok(None) };
        let first_key = index.first_key(number);
        if let Some(starts) = sound.get()
            && let Some(entries) = self.known_entries(table, index, number)
        {
            return Ok(starts.find(entries, first_key, key));
        }
        // A block is compared with its checksum only once.
        let entries = &self.map[self.block(part, number)?];
        Ok(sound.get_or_init(|| Starts::of(entries)).find(entries, first_key, key))
    }

    /// Returns the entries of a block that was found sound, and what follows them.
    #[inline]
    pub(super) fn known_entries(&self, table: &Places, index: Index<'_>, number: usize) -> Option<&[u8]> {
        let (offset, _) = index.block(number)?;
        // Without the block's own length, which lies in memory that nothing else needs.
        self.map.get(table.blocks.clone())?.get(offset.checked_add(block::HEAD_BYTES)?..)
    }

    /// Iterates over all entries of a part, in order of keys. A damaged block is one error; the
    /// iterator then goes on with the next block.
    pub(in crate::documents) fn entries(self: Arc<Self>, part: Part) -> Entries {
        let start = self.tables[part as usize].blocks.start;
        Entries { base: self, part, block: 0, left: start..start, gone: start }
    }

    pub(super) fn index(&self, part: Part) -> Index<'_> {
        let table = &self.tables[part as usize];
        let bytes = table.made.as_ref().map_or(&self.map[table.index.clone()], |made| &made[..]);
        Index::new(bytes, table.block_count, part).expect("opening checked its length")
    }

    /// Returns the range of a block's entries in the file, after comparing them with their CRC.
    pub(super) fn block(&self, part: Part, block: usize) -> Result<Range<usize>> {
        let table = &self.tables[part as usize].blocks;
        let place = self.index(part).block(block).and_then(|(offset, crc)| {
            let (entries, found, _) = block::read(self.map[table.clone()].get(offset..)?)?;
            let start = table.start + offset + block::HEAD_BYTES;
            (found == crc).then_some(start..start + entries.len())
        });
        place.ok_or_else(|| StorageError::corrupt(&self.path, damaged_block(part, block)))
    }
}

fn damaged_index(part: Part) -> String {
    format!("the index of its {} does not match its checksum", part.name())
}

pub(super) fn damaged_block(part: Part, block: usize) -> String {
    format!("block {block} of its {} does not match its checksum", part.name())
}

/// Iterator over the entries of a part; see [`Base::entries`].
pub(crate) struct Entries {
    base: Arc<Base>,
    part: Part,
    /// Number of the next block.
    block: usize,
    /// Unread part of the current block, as a range of the file.
    left: Range<usize>,
    /// End of the bytes that were already dropped from memory.
    gone: usize,
}

impl Entries {
    /// Evicts the pages already read, once there are [`PIECE_BYTES`] of them.
    fn evict(&mut self) {
        let read = self.left.end;
        if read >= self.gone + PIECE_BYTES {
            map::let_go(&self.base.map, self.gone..read);
            self.gone = read;
        }
    }
}

impl Iterator for Entries {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value, rest)) = block::first(&self.base.map[self.left.clone()]) {
                self.left.start = self.left.end - rest.len();
                return Some(Ok((key.into(), value.into())));
            }
            self.evict();
            if self.block >= self.base.index(self.part).blocks() {
                return None;
            }
            let read = self.base.block(self.part, self.block);
            self.block += 1;
            match read {
                Ok(entries) => self.left = entries,
                Err(error) => {
                    self.left.start = self.left.end;
                    return Some(Err(error));
                }
            }
        }
    }
}
