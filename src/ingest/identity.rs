//! One file is one document under every spelling of its path, and two files are two.
//!
//! What tells files apart is where they are: the canonical path, recorded relative to the folder that the database
//! is in, so that a project which is moved as a whole keeps its documents.

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};

use postil_storage::{Document as Stored, Metadata, Value};

use super::{FILE_FIELD, PATH_FIELD};
use crate::document::text_of;
use crate::{Database, Document, Error};

/// The folder that places are relative to: that of the database, without links.
pub(super) struct Base(PathBuf);

impl Base {
    pub(super) fn of(db: &Database) -> Self {
        let path = std::fs::canonicalize(db.path()).unwrap_or_else(|_| db.path().to_owned());
        Self(path.parent().map(Path::to_owned).unwrap_or_default())
    }

    /// The way from the base to a canonical path.
    fn place(&self, path: &Path) -> String {
        let (mut from, mut to) = (self.0.components().peekable(), path.components().peekable());
        while from.peek().is_some() && from.peek() == to.peek() {
            from.next();
            to.next();
        }
        // Another drive: there is no way.
        let up = from.map(|_| Component::ParentDir);
        text_of(&up.chain(to).collect::<PathBuf>())
    }

    /// The canonical path of a file that a document says it was read from, if it says so in a way that leads there.
    pub(super) fn path(&self, metadata: &Metadata) -> Option<PathBuf> {
        if let Some(Value::String(place)) = metadata.get(PATH_FIELD) {
            let mut path = self.0.clone();
            for part in Path::new(place).components() {
                match part {
                    Component::ParentDir => drop(path.pop()),
                    part => path.push(part),
                }
            }
            return Some(path);
        }
        // Written before places were recorded: relative to whatever folder was the current one.
        match metadata.get(FILE_FIELD)? {
            Value::String(file) => std::fs::canonicalize(file).ok(),
            _ => None,
        }
    }
}

/// A document that was there twice, under two spellings of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merged {
    /// Key of the document that stays.
    pub kept: String,
    /// Key of the one that is removed.
    pub removed: String,
}

/// Documents of files, by where the files are.
#[derive(Default)]
struct Known {
    /// Keys of documents that are a whole file.
    keys: Vec<String>,
    /// The spelling that readers are shown.
    spelling: Option<String>,
}

/// Gives documents of files the keys that they have in the database.
pub(super) struct Identities<'a> {
    db: &'a Database,
    base: Base,
    known: Option<HashMap<String, Known>>,
    /// Of documents found twice, the key that stays by that which goes.
    merged: BTreeMap<String, String>,
}

impl<'a> Identities<'a> {
    pub(super) fn new(db: &'a Database) -> Self {
        Self { db, base: Base::of(db), known: None, merged: BTreeMap::new() }
    }

    /// Gives a document of a file its key and names its place; one that is of no file stays as it is.
    pub(super) fn settle(&mut self, document: &mut Document) -> Result<(), Error> {
        let Some(origin) = &document.origin else { return Ok(()) };
        let place = self.base.place(&origin.path);
        let stored = self.db.store().document(&document.key)?;
        let is_here = |stored: &Stored| stored.metadata.get(PATH_FIELD) == Some(&place.clone().into());
        if let Some(stored) = stored.as_ref().filter(|stored| is_here(stored)) {
            keep_spelling(document, stored.metadata.get(FILE_FIELD));
        } else {
            let is_whole = origin.is_whole;
            let known = self.known()?.get(&place);
            let spelling = known.and_then(|known| known.spelling.clone());
            let keys = known.map(|known| known.keys.clone()).filter(|_| is_whole).unwrap_or_default();
            match keys.iter().find(|key| **key == document.key).or(keys.first()) {
                Some(kept) => {
                    let removed = keys.iter().filter(|key| *key != kept).cloned();
                    self.merged.extend(removed.map(|removed| (removed, kept.clone())));
                    document.key.clone_from(kept);
                }
                // Another file has this key, from another folder, and is still there.
                None if is_whole && stored.is_some_and(|stored| self.is_elsewhere(&stored)) => {
                    document.key.clone_from(&place);
                }
                None => {}
            }
            keep_spelling(document, spelling.map(Value::from).as_ref());
        }
        document.metadata.insert(PATH_FIELD.to_owned(), place.into());
        Ok(())
    }

    /// Whether a stored document is of a file that is there, at a place that is recorded.
    fn is_elsewhere(&self, stored: &Stored) -> bool {
        let is_placed = stored.metadata.contains_key(PATH_FIELD);
        is_placed && self.base.path(&stored.metadata).is_some_and(|path| path.is_file())
    }

    fn known(&mut self) -> Result<&HashMap<String, Known>, Error> {
        let known = match self.known.take() {
            Some(known) => known,
            None => self.read()?,
        };
        Ok(self.known.insert(known))
    }

    fn read(&self) -> Result<HashMap<String, Known>, Error> {
        let mut all: HashMap<String, Known> = HashMap::new();
        for stored in self.db.store().documents() {
            let Stored { key, metadata, .. } = stored?;
            let Some(path) = self.base.path(&metadata) else { continue };
            let known = all.entry(self.base.place(&path)).or_default();
            if let Some(Value::String(file)) = metadata.get(FILE_FIELD) {
                let is_whole = *file == key || metadata.get(PATH_FIELD) == Some(&key.clone().into());
                known.spelling.get_or_insert_with(|| file.clone());
                if is_whole {
                    known.keys.push(key);
                }
            }
        }
        Ok(all)
    }

    /// The documents found twice.
    pub(super) fn merged(self) -> Vec<Merged> {
        self.merged.into_iter().map(|(removed, kept)| Merged { kept, removed }).collect()
    }
}

fn keep_spelling(document: &mut Document, spelling: Option<&Value>) {
    if let Some(spelling) = spelling {
        document.metadata.insert(FILE_FIELD.to_owned(), spelling.clone());
    }
}
