//! One entry, or all in order. A block is compared with its checksum each time it is read.

use super::index::{Index, Making};
use super::write::Entry;
use super::{Part, block, header};
use crate::error::{Result, StorageError};
use crate::mapped::map;
use memmap2::Mmap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An open base.
pub(crate) struct Base {
    pub(super) path: PathBuf,
    pub(super) map: Mmap,
    pub(super) tables: [Table; Part::ALL.len()],
}

/// Where a part is in the file.
pub(super) struct Table {
    pub(super) entries: u64,
    block_count: u64,
    pub(super) blocks: Range<usize>,
    pub(super) index: Range<usize>,
    /// In the place of a damaged one.
    made: Option<Vec<u8>>,
}

impl Base {
    /// Opens the file that has that checksum. Its indexes, which are a hundredth of it, are compared with theirs.
    ///
    /// # Errors
    /// [`StorageError::Io`], [`StorageError::Version`] and [`StorageError::Corrupt`].
    pub(crate) fn open(path: &Path, checksum: u32) -> Result<Self> {
        Self::open_with(path, checksum, |part| Err(StorageError::corrupt(path, damaged_index(part))))
    }

    /// Opens a file that may be damaged, and makes indexes anew that are; tells which.
    pub(crate) fn open_damaged(path: &Path, checksum: u32) -> Result<(Self, Vec<String>)> {
        let mut damage = Vec::new();
        let base = Self::open_with(path, checksum, |part| {
            damage.push(damaged_index(part));
            Ok(())
        })?;
        Ok((base, damage))
    }

    /// `go_on` is asked whether to make the index of a part anew.
    fn open_with(path: &Path, checksum: u32, mut go_on: impl FnMut(Part) -> Result<()>) -> Result<Self> {
        let map = map::map(path)?;
        let (header, found, body) = header::decode(&map, path)?;
        if found != checksum {
            return Err(StorageError::corrupt(path, "this is not the base that was written here"));
        }
        let mut tables = Vec::new();
        for (part, table) in Part::ALL.into_iter().zip(header.tables) {
            let Some((blocks, index)) = table.places(body, map.len()) else {
                return Err(StorageError::corrupt(path, format!("{} are not all in the file", part.name())));
            };
            let sound = crc32fast::hash(&map[index.clone()]) == table.index_crc
                && Index::new(&map[index.clone()], table.blocks).is_some();
            let (mut block_count, mut made) = (table.blocks, None);
            if !sound {
                go_on(part)?;
                let making = Making::of_blocks(&map[blocks.clone()]);
                block_count = making.blocks;
                made = Some(making.bytes());
            }
            tables.push(Table { entries: table.entries, block_count, blocks, index, made });
        }
        let Ok(tables) = tables.try_into() else { unreachable!("one for each part") };
        Ok(Self { path: path.to_owned(), map, tables })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// All of it.
    pub(crate) fn content(&self) -> &[u8] {
        &self.map
    }

    /// The value of a key.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] when the block that it would be in is damaged.
    pub(in crate::documents) fn get(&self, part: Part, key: &[u8]) -> Result<Option<&[u8]>> {
        let Some(block) = self.index(part).find(key) else { return Ok(None) };
        Ok(block::find(&self.map[self.block(part, block)?], key))
    }

    /// All entries of a part, in order of their keys. A damaged block is an error, and the iterator goes on after it.
    pub(in crate::documents) fn entries(self: Arc<Self>, part: Part) -> Entries {
        Entries { base: self, part, block: 0, left: 0..0 }
    }

    pub(super) fn index(&self, part: Part) -> Index<'_> {
        let table = &self.tables[part as usize];
        let bytes = table.made.as_ref().map_or(&self.map[table.index.clone()], |made| &made[..]);
        Index::new(bytes, table.block_count).expect("opening checked its length")
    }

    /// Where the entries of a block are in the file.
    pub(super) fn block(&self, part: Part, block: usize) -> Result<Range<usize>> {
        let table = &self.tables[part as usize].blocks;
        let place = self.index(part).block(block).and_then(|(offset, crc)| {
            let (entries, found, _) = block::read(self.map[table.clone()].get(offset..)?)?;
            let start = table.start + offset + block::HEAD_BYTES;
            (found == crc).then_some(start..start + entries.len())
        });
        place.ok_or_else(|| {
            let name = part.name();
            StorageError::corrupt(&self.path, format!("block {block} of {name} does not match its checksum"))
        })
    }
}

fn damaged_index(part: Part) -> String {
    format!("the index of {} does not match its checksum", part.name())
}

/// See [`Base::entries`].
pub(crate) struct Entries {
    base: Arc<Base>,
    part: Part,
    /// The next one.
    block: usize,
    /// What is left of the one before: bytes of the file.
    left: Range<usize>,
}

impl Iterator for Entries {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value, rest)) = block::first(&self.base.map[self.left.clone()]) {
                self.left.start = self.left.end - rest.len();
                return Some(Ok((key.into(), value.into())));
            }
            if self.block >= self.base.index(self.part).blocks() {
                return None;
            }
            let read = self.base.block(self.part, self.block);
            self.block += 1;
            match read {
                Ok(entries) => self.left = entries,
                Err(error) => {
                    self.left = 0..0;
                    return Some(Err(error));
                }
            }
        }
    }
}
