//! Another encoder for a database: every passage embedded anew, and swapped in one step.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use postil_contract::{Encoder, Passage};
use postil_storage::{Batch, DocumentWrite, Profile, Store};

use crate::{Error, Options, Progress, Watch, encoding, open_model};

/// The result of giving a database another encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Reencoded {
    /// Name of the encoder that the database had.
    pub before: String,
    /// Name of the encoder that it has now.
    pub after: String,
    /// Passages that were embedded; 0 when it had this encoder already.
    pub passages: u64,
}

impl Options {
    /// Gives the database at `path` the encoder of these options, given by
    /// [`encoder`](Self::encoder) or [`model`](Self::model): all passages are embedded anew into a
    /// database beside it, `NAME.reencoding`, which takes its place in one step. Until then the old
    /// one is unchanged, and nobody else can open it.
    ///
    /// # Errors
    /// [`Error::NoEncoder`] for a database of bare vectors, [`Error::Cancelled`], and any error of
    /// the encoder or the store; the database is unchanged then.
    pub fn reencode(self, path: impl AsRef<Path>, watch: &Watch<'_>) -> Result<Reencoded, Error> {
        watch.begin()?;
        let path = path.as_ref();
        let encoder = match (&self.encoder, &self.model) {
            (Some(encoder), _) => Arc::clone(encoder),
            (None, model) => open_model(model.as_deref().unwrap_or(crate::DEFAULT_MODEL))?,
        };
        let old = Store::open(path, self.store.clone())?;
        let recorded = old.profile().clone();
        if recorded.encoder.is_empty() {
            return Err(Error::NoEncoder { dimension: recorded.dimension });
        }
        let mut options = self;
        options.encoder = Some(Arc::clone(&encoder));
        let Profile { dimension, metric, encoder: after, fingerprint, .. } = encoding::profile(&options)?;
        let mut reencoded = Reencoded { before: recorded.encoder.clone(), after: after.clone(), passages: 0 };
        if recorded.fingerprint == fingerprint {
            return Ok(reencoded);
        }
        let place = beside(path);
        // An earlier attempt was cut short.
        if Store::is_database(&place) {
            std::fs::remove_dir_all(&place).map_err(|source| Error::Read { path: place.clone(), source })?;
        }
        let profile = Profile { dimension, metric, encoder: after, fingerprint, ..recorded };
        // No document of the old database exceeds the limits of the new one.
        options.store.max_text_bytes = usize::MAX;
        options.store.max_metadata_bytes = usize::MAX;
        options.store.max_title_bytes = usize::MAX;
        options.store.max_passages = usize::MAX;
        let new = Store::create(&place, profile, options.store)?;
        let filled = fill(&new, &old, &*encoder, watch);
        let closed = filled.and_then(|passages| Ok(new.close().map(|()| passages)?));
        match closed {
            Ok(passages) => reencoded.passages = passages,
            Err(error) => {
                // Best effort: the next attempt removes it too.
                let _ = std::fs::remove_dir_all(&place);
                return Err(error);
            }
        }
        old.replace_with(&place)?;
        Ok(reencoded)
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".reencoding");
    path.with_file_name(name)
}

fn fill(new: &Store, old: &Store, encoder: &dyn Encoder, watch: &Watch<'_>) -> Result<u64, Error> {
    let (mut batch, mut progress) = (Batch::new(), Progress::default());
    for document in old.documents() {
        watch.begin()?;
        let Some(mut document) = old.written(&document?.key)? else { continue };
        embed(&mut document, encoder)?;
        progress.documents_read += 1;
        progress.passages_embedded += document.passages.len() as u64;
        batch.upsert(document);
        if batch.is_full() {
            new.commit(std::mem::take(&mut batch))?;
        }
        watch.report(&progress);
    }
    new.commit(batch)?;
    Ok(progress.passages_embedded)
}

fn embed(document: &mut DocumentWrite, encoder: &dyn Encoder) -> Result<(), Error> {
    let mut passages = Vec::with_capacity(document.passages.len());
    for passage in &document.passages {
        let text = passage.text(&document.text);
        let what = || format!("a passage of {:?} is no range of its text", document.key);
        let text =
            text.ok_or_else(|| Error::Exchange { path: PathBuf::from(&document.key), what: what() })?;
        passages.push((&passage.heading, text));
    }
    let passages: Vec<_> = passages.iter().map(|(heading, text)| Passage { title: heading, text }).collect();
    let embeddings = encoder.encode_passages(&passages)?;
    if embeddings.len() != passages.len() {
        return Err(Error::VectorCount { got: embeddings.len(), expected: passages.len() });
    }
    for (passage, vector) in document.passages.iter_mut().zip(embeddings.rows()) {
        passage.vector = vector.to_vec();
    }
    Ok(())
}
