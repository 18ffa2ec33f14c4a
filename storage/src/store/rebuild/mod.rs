//! A new database of what can be read of a possibly damaged one.

#[cfg(test)]
mod tests;

use crate::error::{AtPath, Result, StorageError};
use crate::store::batch::{Batch, DocumentWrite};
use crate::store::lost::Lost;
use crate::store::salvage::{self, Salvage, Salvaged};
use crate::store::staging::Staging;
use crate::store::{Profile, Store, StoreOptions, space};
use std::path::Path;

/// The result of a rebuild.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Rebuilt {
    /// Documents in the new database.
    pub documents: u64,
    /// Passages in the new database.
    pub passages: u64,
    /// Documents in the new database whose vectors were embedded again.
    pub embedded: u64,
    /// Documents in the new database with vectors that are only known to agree with their codes,
    /// and could not be embedded again.
    pub doubtful: Vec<Lost>,
    /// Documents that are not in the new database, and files and records that could not be read.
    pub lost: Vec<Lost>,
}

/// The reason that passages cannot be embedded again, which becomes a part of the report.
pub type EmbedError = Box<dyn std::error::Error + Send + Sync>;

/// Embeds the passages of a document at the given indices again, for a database of that profile.
pub type Embed<'a> =
    &'a mut dyn FnMut(&Profile, &DocumentWrite, &[usize]) -> Result<Vec<Vec<f32>>, EmbedError>;

impl Store {
    /// Makes a new database at `to`, where nothing may exist yet, of what can be read of the one at
    /// `from`, which may be damaged in any way and is not changed. `embed` makes vectors again that
    /// cannot be read. `profile` is for a database whose manifest is lost; without it, the new
    /// database has bare vectors then.
    ///
    /// # Errors
    /// If no documents can be read at all, if another opener holds the old database, and as
    /// [`create`](Self::create) for the new one; nothing is left at `to` then.
    pub fn rebuild(
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
        mut options: StoreOptions,
        profile: Option<Profile>,
        embed: Embed<'_>,
    ) -> Result<Rebuilt> {
        let mut rebuilt = Rebuilt::default();
        let (staging, lock) = Staging::begin(to.as_ref())?;
        space::ensure(&staging.path, options.min_free_bytes)?;
        let scratch = salvage::scratch(&staging.path);
        let old = Salvage::open(from.as_ref(), &scratch, profile, &mut rebuilt.lost)?;
        let Some(profile) = old.profile().cloned() else {
            let what = "its manifest is lost, and no segment says of what dimension its vectors are";
            return Err(StorageError::corrupt(from.as_ref(), what));
        };
        // No document of the old database exceeds the limits of the new one.
        options.max_text_bytes = usize::MAX;
        options.max_metadata_bytes = usize::MAX;
        options.max_title_bytes = usize::MAX;
        options.max_passages = usize::MAX;
        let store = Self::create_locked(&staging.path, profile, options, lock)?;
        let mut waiting = Waiting { store: &store, batch: Batch::new() };
        let mut lost = std::mem::take(&mut rebuilt.lost);
        old.each(&mut lost, &mut |salvaged, lost| {
            match whole(&store, salvaged, embed, &mut rebuilt) {
                Ok(document) => {
                    rebuilt.documents += 1;
                    rebuilt.passages += document.passages.len() as u64;
                    waiting.add(document)?;
                }
                Err(gone) => lost.push(gone),
            }
            Ok(())
        })?;
        rebuilt.lost = lost;
        waiting.commit()?;
        drop(old);
        std::fs::remove_dir_all(&scratch).at(&scratch)?;
        store.close()?;
        staging.finish()?;
        Ok(rebuilt)
    }
}

/// Returns the document with all its vectors, or the reason that it cannot have them.
fn whole(
    store: &Store,
    salvaged: Salvaged,
    embed: Embed<'_>,
    rebuilt: &mut Rebuilt,
) -> Result<DocumentWrite, Lost> {
    let Salvaged { mut document, uncertain } = salvaged;
    if !uncertain.is_empty() {
        match embed(&store.shared.profile, &document, &uncertain) {
            Ok(vectors) => {
                for (&at, vector) in uncertain.iter().zip(vectors) {
                    document.passages[at].vector = vector;
                }
                rebuilt.embedded += 1;
            }
            Err(why) if uncertain.iter().all(|&at| !document.passages[at].vector.is_empty()) => {
                let what =
                    format!("vectors are of a segment that is damaged or that no manifest names; {why}");
                rebuilt.doubtful.push(Lost::new(&document.key, what));
            }
            Err(why) => {
                let what = format!("{} vectors cannot be read; {why}", uncertain.len());
                return Err(Lost::new(&document.key, what));
            }
        }
    }
    let key = document.key.clone();
    store.prepared(document).map_err(|error| Lost::new(&key, error.to_string()))
}

/// Documents that wait for the next commit.
struct Waiting<'a> {
    store: &'a Store,
    batch: Batch,
}

impl Waiting<'_> {
    fn add(&mut self, document: DocumentWrite) -> Result<()> {
        self.batch.upsert(document);
        if self.batch.is_full() { self.commit() } else { Ok(()) }
    }

    fn commit(&mut self) -> Result<()> {
        self.store.commit(std::mem::take(&mut self.batch)).map(|_| ())
    }
}
