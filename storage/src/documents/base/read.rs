//! One entry, or all in order. A block is compared with its checksum before the first entry of it is given, and each
//! time that all are read.

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

/// Bytes that are read in order before they are let go of.
const PIECE_BYTES: usize = if cfg!(test) { 4096 } else { 4 << 20 };

/// An open base.
pub(crate) struct Base {
    path: PathBuf,
    pub(super) map: Mmap,
    /// Bytes of the header, here and at the end of the file.
    pub(super) header_bytes: usize,
    pub(super) tables: [Places; Part::ALL.len()],
}

/// Where the table of a part is in the file.
pub(super) struct Places {
    pub(super) entries: u64,
    block_count: u64,
    pub(super) blocks: Range<usize>,
    pub(super) index: Range<usize>,
    /// In the place of a damaged one.
    made: Option<Vec<u8>>,
    /// Of each block that was found sound, where its entries begin.
    sound: Box<[OnceLock<Starts>]>,
}

impl Base {
    /// Opens the file that has that checksum. Its indexes, a hundredth of it where keys are short, are compared with theirs.
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

    /// Opens a file that may be damaged: by the header at its end, if that at its start is, and with new indexes in the
    /// place of damaged ones. Gives its checksum and what is damaged.
    ///
    /// # Errors
    /// As [`open`](Self::open), where neither header can be read.
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

    /// `damaged` is told what is, and may go on after it.
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
                && Index::new(&map[index.clone()], table.blocks).is_some();
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
        let Some(number) = self.index(part).find(key) else { return Ok(None) };
        let table = &self.tables[part as usize];
        let Some(sound) = table.sound.get(number) else { return Ok(None) };
        if let Some(starts) = sound.get()
            && let Some((offset, _)) = self.index(part).block(number)
            && let Some(entries) = self.map[table.blocks.clone()].get(offset..).and_then(block::entries)
        {
            return Ok(starts.find(entries, key));
        }
        // Compared with its checksum only once.
        let entries = &self.map[self.block(part, number)?];
        Ok(sound.get_or_init(|| Starts::of(entries)).find(entries, key))
    }

    /// All entries of a part, in order of their keys. A damaged block is an error, and the iterator goes on after it.
    pub(in crate::documents) fn entries(self: Arc<Self>, part: Part) -> Entries {
        let start = self.tables[part as usize].blocks.start;
        Entries { base: self, part, block: 0, left: start..start, gone: start }
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
        place.ok_or_else(|| StorageError::corrupt(&self.path, damaged_block(part, block)))
    }
}

fn damaged_index(part: Part) -> String {
    format!("the index of its {} does not match its checksum", part.name())
}

pub(super) fn damaged_block(part: Part, block: usize) -> String {
    format!("block {block} of its {} does not match its checksum", part.name())
}

/// See [`Base::entries`].
pub(crate) struct Entries {
    base: Arc<Base>,
    part: Part,
    /// The next one.
    block: usize,
    /// What is left of the one before: bytes of the file.
    left: Range<usize>,
    /// Bytes of the file before this one are let go of.
    gone: usize,
}

impl Entries {
    /// Takes what was read out of memory, once it is much.
    fn let_go(&mut self) {
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
            self.let_go();
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
