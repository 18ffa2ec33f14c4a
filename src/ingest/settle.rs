//! The key of a document that was read from a file: a file that was ingested under another spelling of its path keeps
//! its document.

use std::collections::HashSet;
use std::path::Path;

use parking_lot::Mutex;
use postil_storage::Document as StoredDocument;

use super::report::Merged;
use crate::origin::{FILE_FIELD, Known, Origin, PATH_FIELD, Places, is_of_records, key_of};
use crate::{Database, Document, Error};

/// Files and documents of a database, while documents are ingested.
pub(super) struct Files<'a> {
    db: &'a Database,
    places: Places,
    /// Read when it is first needed.
    known: &'a Mutex<Option<Known>>,
}

/// A document whose key is settled, and what the database has of it.
pub(super) struct Settled {
    /// What the database has under the key.
    pub(super) stored: Option<StoredDocument>,
    /// Other documents that are the same file.
    pub(super) duplicates: Vec<Merged>,
}

impl<'a> Files<'a> {
    pub(super) fn new(db: &'a Database, known: &'a Mutex<Option<Known>>) -> Self {
        Self { db, places: Places::of(db.path()), known }
    }

    /// Gives a document that was read from a file the key that the file has in the database, or one
    /// that no other file has, and notes the file in it. `seen` are keys that are taken.
    pub(super) fn settle(&self, document: &mut Document, seen: &HashSet<String>) -> Result<Settled, Error> {
        let mut others = Vec::new();
        let origin = match document.origin.take() {
            // A key that was changed by hand is that of a document of its own.
            Some(Origin { is_whole: true, given, .. }) if given != document.key => None,
            other => other,
        };
        if let Some(origin) = origin.as_ref().filter(|origin| origin.is_whole) {
            (document.key, others) = self.key(origin, seen)?;
        }
        let stored = self.db.store().document(&document.key)?;
        if let Some(origin) = &origin {
            self.note(document, stored.as_ref(), origin);
        }
        document.origin = origin;
        let merged = |removed| Merged { kept: document.key.clone(), removed };
        Ok(Settled { stored, duplicates: others.into_iter().map(merged).collect() })
    }

    /// Notes a document's file in it. What the database has noted stays where it leads to the file.
    fn note(&self, document: &mut Document, stored: Option<&StoredDocument>, origin: &Origin) {
        let had = |field| stored.and_then(|stored| stored.metadata.get(field)).cloned();
        let noted = stored.and_then(|stored| self.places.noted(&stored.metadata));
        let is_noted = noted.as_ref() == Some(&origin.place);
        let way = if is_noted { had(PATH_FIELD) } else { Some(self.places.way(&origin.place).into()) };
        let given = had(FILE_FIELD).unwrap_or_else(|| {
            let known = self.known.lock();
            let records = || known.as_ref().and_then(|known| known.given.get(&origin.place));
            let given = if origin.is_whole { &document.key } else { records().unwrap_or(&origin.given) };
            given.clone().into()
        });
        document.metadata.insert(FILE_FIELD.to_owned(), given);
        match way {
            Some(way) => document.metadata.insert(PATH_FIELD.to_owned(), way),
            None => document.metadata.remove(PATH_FIELD),
        };
    }

    /// The key of the document that a file is, and the keys of others that are the same file.
    fn key(&self, origin: &Origin, seen: &HashSet<String>) -> Result<(String, Vec<String>), Error> {
        let (store, given) = (self.db.store(), &origin.given);
        let mut known = self.known.lock();
        let known = match &mut *known {
            Some(known) => known,
            unread => {
                if store.document(given)?.is_some_and(|stored| self.is_of(&stored, &origin.place)) {
                    return Ok((given.clone(), Vec::new()));
                }
                unread.insert(Known::read(store, &self.places, |place| !is_of_records(place))?)
            }
        };
        let keys = known.files.entry(origin.place.clone()).or_default();
        // Documents may have been removed or written by other ways since.
        let mut there = Vec::with_capacity(keys.len());
        for key in keys.drain(..) {
            if store.document(&key)?.is_some_and(|stored| self.is_of(&stored, &origin.place)) {
                there.push(key);
            }
        }
        there.sort_by_key(|key| (key != given, key.len()));
        if there.is_empty() {
            there.push(self.free_key(origin, seen)?);
        }
        keys.clone_from(&there);
        let key = there.remove(0);
        Ok((key, there))
    }

    /// A key for a file that has no document: its path as given, unless that is another file's.
    fn free_key(&self, origin: &Origin, seen: &HashSet<String>) -> Result<String, Error> {
        for key in [&origin.given, &self.places.way(&origin.place)] {
            if !seen.contains(key)
                && self.db.store().document(key)?.is_none_or(|stored| self.gives_way(&stored, origin))
            {
                return Ok(key.clone());
            }
        }
        Ok(key_of(&origin.place))
    }

    fn is_of(&self, stored: &StoredDocument, place: &Path) -> bool {
        self.places.of_document(&stored.metadata).is_some_and(|of| of == place)
    }

    /// Tells whether a file may replace a document that is not known to be its own: the document's
    /// file is gone, so that it is taken to have moved, or it has none, or its key is that of a
    /// link that leads elsewhere now.
    fn gives_way(&self, stored: &StoredDocument, origin: &Origin) -> bool {
        self.places.of_document(&stored.metadata).is_none_or(|place| origin.is_link || !place.exists())
    }
}
