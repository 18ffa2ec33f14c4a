//! Keys of documents read from files: a file ingested under another spelling of its path keeps its
//! document.

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
    /// Stored documents by file; read at first use.
    known: &'a Mutex<Option<Known>>,
}

/// The stored state of a document whose key is settled.
pub(super) struct Settled {
    /// The stored document with that key; `None` without one.
    pub(super) stored: Option<StoredDocument>,
    /// Other stored documents of the same file, to be removed.
    pub(super) duplicates: Vec<Merged>,
}

impl<'a> Files<'a> {
    pub(super) fn new(db: &'a Database, known: &'a Mutex<Option<Known>>) -> Self {
        Self { db, places: Places::of(db.path()), known }
    }

    /// Gives a document read from a file the key that the file has in the database, or an unused
    /// one, and records the file in its metadata. `seen` holds the keys already used.
    pub(super) fn settle(&self, document: &mut Document, seen: &HashSet<String>) -> Result<Settled, Error> {
        let mut others = Vec::new();
        let origin = match document.origin.take() {
            // A key that the caller changed makes it a separate document.
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

    /// Records a document's file in its metadata. A stored record that still leads to the file is
    /// kept.
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

    /// The key of a file's document, and the keys of its duplicates.
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
        // Documents may have been removed or written elsewhere since.
        let mut there = Vec::with_capacity(keys.len());
        for key in keys.drain(..) {
            if store.document(&key)?.is_some_and(|stored| self.is_of(&stored, &origin.place)) {
                there.push(key);
            }
        }
        there.sort_by_key(|key| (key != given, key.len()));
        if there.is_empty() {
            there.push(self.unused_key(origin, seen)?);
        }
        keys.clone_from(&there);
        let key = there.remove(0);
        Ok((key, there))
    }

    /// A key for a file without a document: its path as given, unless another file has that key.
    fn unused_key(&self, origin: &Origin, seen: &HashSet<String>) -> Result<String, Error> {
        for key in [&origin.given, &self.places.way(&origin.place)] {
            if !seen.contains(key)
                && self.db.store().document(key)?.is_none_or(|stored| self.may_be_replaced(&stored, origin))
            {
                return Ok(key.clone());
            }
        }
        Ok(key_of(&origin.place))
    }

    fn is_of(&self, stored: &StoredDocument, place: &Path) -> bool {
        self.places.of_document(&stored.metadata).is_some_and(|of| of == place)
    }

    /// True when a file may replace a document not known to be its own: the document's file is
    /// missing (it is taken to have moved), or it has none, or its key is a link that leads
    /// elsewhere now.
    fn may_be_replaced(&self, stored: &StoredDocument, origin: &Origin) -> bool {
        self.places.of_document(&stored.metadata).is_none_or(|place| origin.is_link || !place.exists())
    }
}
