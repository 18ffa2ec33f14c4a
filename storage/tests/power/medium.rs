//! A medium that keeps everything synced, and any part of the rest.
//!
//! A file keeps any sectors of its writes since its last sync, in no order. A folder keeps the
//! changes of its names in their order, up to any of them, as journalling file systems do.
//! `sync_file_range` keeps nothing: by its manual it writes no metadata, such as a file's length,
//! and does not flush a disk's cache.

use super::record::{Event, Inode};
use std::collections::BTreeMap;
use std::path::Path;

/// Bytes that a disk writes as a unit.
const SECTOR: usize = 512;

/// Fate of unsynced writes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unsynced {
    Dropped,
    Kept,
    /// Any part of them is kept, chosen by the number.
    Torn(u64),
}

#[derive(Clone)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    Resize(u64),
}

#[derive(Clone)]
enum NameChange {
    Link(String, Inode),
    Unlink(String),
    Rename(String, String),
}

#[derive(Default)]
pub(crate) struct Medium {
    files: BTreeMap<Inode, (Vec<u8>, Vec<Change>)>,
    folders: BTreeMap<Inode, (BTreeMap<String, Inode>, Vec<NameChange>)>,
}

fn apply(content: &mut Vec<u8>, change: &Change, keeps: &mut dyn FnMut() -> bool) {
    match change {
        Change::Resize(bytes) => {
            if keeps() {
                content.resize(*bytes as usize, 0);
            }
        }
        Change::Write { offset, bytes } => {
            let (mut from, offset) = (0, *offset as usize);
            while from < bytes.len() {
                let to = ((offset + from + 1).next_multiple_of(SECTOR) - offset).min(bytes.len());
                if keeps() {
                    content.resize(content.len().max(offset + to), 0);
                    content[offset + from..offset + to].copy_from_slice(&bytes[from..to]);
                }
                from = to;
            }
        }
    }
}

fn rename(names: &mut BTreeMap<String, Inode>, change: &NameChange) {
    match change {
        NameChange::Link(name, inode) => _ = names.insert(name.clone(), *inode),
        NameChange::Unlink(name) => _ = names.remove(name),
        NameChange::Rename(from, to) => {
            if let Some(inode) = names.remove(from) {
                names.insert(to.clone(), inode);
            }
        }
    }
}

impl Medium {
    /// Makes an empty folder.
    pub(crate) fn new(root: Inode) -> Self {
        Self { folders: BTreeMap::from([(root, Default::default())]), ..Self::default() }
    }

    pub(crate) fn play(&mut self, event: &Event) {
        match event.clone() {
            Event::Linked { parent, name, inode, folder } => {
                // An inode's number is reused once its file is gone.
                if folder {
                    self.folders.insert(inode, Default::default());
                } else {
                    self.files.insert(inode, Default::default());
                }
                self.names(parent).push(NameChange::Link(name, inode));
            }
            Event::Unlinked { parent, name } => self.names(parent).push(NameChange::Unlink(name)),
            Event::Renamed { from, to } => {
                assert_eq!(from.0, to.0, "renames stay within a folder");
                self.names(to.0).push(NameChange::Rename(from.1, to.1));
            }
            Event::Written { inode, offset, bytes } => {
                self.file(inode).1.push(Change::Write { offset, bytes });
            }
            Event::Resized { inode, bytes } => self.file(inode).1.push(Change::Resize(bytes)),
            Event::Synced { inode } => {
                if let Some((content, changes)) = self.files.get_mut(&inode) {
                    changes.drain(..).for_each(|change| apply(content, &change, &mut || true));
                } else if let Some((names, changes)) = self.folders.get_mut(&inode) {
                    changes.drain(..).for_each(|change| rename(names, &change));
                }
            }
            Event::Acknowledged { .. } | Event::Committing => {}
        }
    }

    fn names(&mut self, folder: Inode) -> &mut Vec<NameChange> {
        &mut self.folders.get_mut(&folder).expect("the folder was made while recording").1
    }

    fn file(&mut self, inode: Inode) -> &mut (Vec<u8>, Vec<Change>) {
        self.files.get_mut(&inode).expect("the file was made while recording")
    }

    /// Writes to `to` the content of `folder` after the power is back.
    pub(crate) fn materialize(&self, folder: Inode, to: &Path, unsynced: Unsynced) {
        std::fs::create_dir_all(to).unwrap();
        let mut random = Random::new(match unsynced {
            Unsynced::Torn(seed) => seed ^ folder.rotate_left(17),
            _ => 0,
        });
        let (synced, changes) = &self.folders[&folder];
        let mut names = synced.clone();
        let kept = match unsynced {
            Unsynced::Dropped => 0,
            Unsynced::Kept => changes.len(),
            Unsynced::Torn(_) => random.next() as usize % (changes.len() + 1),
        };
        changes[..kept].iter().for_each(|change| rename(&mut names, change));
        for (name, inode) in names {
            let path = to.join(name);
            if self.folders.contains_key(&inode) {
                self.materialize(inode, &path, unsynced);
                continue;
            }
            let (synced, changes) = &self.files[&inode];
            let mut content = synced.clone();
            // Often all or nothing of a file, sometimes any of its sectors.
            let way = random.next() % 4;
            for change in changes {
                apply(&mut content, change, &mut || match (unsynced, way) {
                    (Unsynced::Dropped, _) | (Unsynced::Torn(_), 0) => false,
                    (Unsynced::Kept, _) | (Unsynced::Torn(_), 1) => true,
                    (Unsynced::Torn(_), _) => random.next().is_multiple_of(2),
                });
            }
            std::fs::write(path, content).unwrap();
        }
    }
}

/// xorshift generator.
struct Random(u64);

impl Random {
    /// Seeds that differ in one bit work as well as any.
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15).swap_bytes())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.max(1);
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }
}
