//! Changes without embedding: removals, and documents whose file has moved.

use postil_storage::{Batch, Document as StoredDocument, Metadata, Value};

use super::prepare::content_hash;
use crate::chunk::ChunkOptions;
use crate::origin::{FILE_FIELD, PATH_FIELD};
use crate::{Database, Document, Error};

/// Keys removed in one commit.
const REMOVE_AT_ONCE: usize = 4096;
/// Documents rewritten in one commit.
const WRITE_AT_ONCE: usize = 256;

/// Removes documents; returns the number removed.
pub(super) fn remove(db: &Database, keys: Vec<String>) -> Result<u64, Error> {
    let mut removed = 0;
    let mut keys = keys.into_iter().peekable();
    while keys.peek().is_some() {
        let mut batch = Batch::new();
        keys.by_ref().take(REMOVE_AT_ONCE).for_each(|key| batch.remove(key));
        removed += db.store().commit(batch)?.removed as u64;
    }
    Ok(removed)
}

/// An unchanged document whose recorded file has moved.
pub(super) struct Moved {
    key: String,
    file: [Option<Value>; 2],
    content_hash: [u8; 32],
}

impl Moved {
    /// The move of `stored`, when `document` differs from it only by its recorded file; `None`
    /// otherwise.
    pub(super) fn of(
        document: &mut Document,
        stored: &StoredDocument,
        content_hash_now: [u8; 32],
        options: &ChunkOptions,
    ) -> Option<Self> {
        let (file, former) = (noted(&document.metadata), noted(&stored.metadata));
        // A document without a file belongs to the caller and is not touched.
        if file == former || file.iter().all(Option::is_none) {
            return None;
        }
        note(&mut document.metadata, former);
        let is_same = content_hash(document, options) == stored.content_hash;
        note(&mut document.metadata, file.clone());
        is_same.then(|| Self { key: document.key.clone(), file, content_hash: content_hash_now })
    }
}

fn noted(metadata: &Metadata) -> [Option<Value>; 2] {
    [FILE_FIELD, PATH_FIELD].map(|field| metadata.get(field).cloned())
}

fn note(metadata: &mut Metadata, file: [Option<Value>; 2]) {
    for (field, value) in [FILE_FIELD, PATH_FIELD].into_iter().zip(file) {
        match value {
            Some(value) => metadata.insert(field.to_owned(), value),
            None => metadata.remove(field),
        };
    }
}

/// Rewrites documents with their files' new places and their stored vectors.
pub(super) fn write_moved(db: &Database, moved: &[Moved]) -> Result<(), Error> {
    for some in moved.chunks(WRITE_AT_ONCE) {
        let mut batch = Batch::new();
        for Moved { key, file, content_hash } in some {
            let Some(mut written) = db.store().written(key)? else { continue };
            note(&mut written.metadata, file.clone());
            written.content_hash = *content_hash;
            batch.upsert(written);
        }
        db.store().commit(batch)?;
    }
    Ok(())
}
