//! Commits of batches in one transaction: prepare outside the lock, write and flush inside, then
//! publish.

use super::batch::DocumentWrite;
use super::shared::Shared;
use super::snapshot::Snapshot;
use super::{Batch, Committed, Extent, Store, limits, space};
use crate::documents::{DocumentRecord, Manifest, PassageRecord, Writes};
use crate::error::{Result, StorageError};
use crate::fault::{self, Point};
use crate::index::run::Run;
use crate::sync::atomic::Ordering;
use roaring::RoaringTreemap;
use std::sync::Arc;

/// Part of `seal_rows`, as a divisor: a batch of at least that part has its vectors in a file of
/// its own, so that few files wait to be sealed.
const RUN_PART: usize = 64;
/// Fewest rows that are worth a file, however small `seal_rows` is.
const FEWEST_RUN_ROWS: usize = 4;

/// Multiple of `seal_rows` waiting to be sealed at which commits wait too.
const BACKPRESSURE: usize = 4;

impl Store {
    /// Writes the batch, all of it or nothing; it is durable and searchable when this returns.
    /// Batches that several threads commit at once share a transaction and its flush.
    ///
    /// # Errors
    /// An error about the batch itself changes nothing. After a disk error ([`StorageError::Io`],
    /// [`StorageError::Documents`]) reads continue with the last committed state, and writes return
    /// [`StorageError::Poisoned`] until the database is reopened.
    pub fn commit(&self, mut batch: Batch) -> Result<Committed> {
        let shared = &*self.shared;
        batch.prepare(&shared.profile, &shared.options)?;
        if batch.is_empty() {
            return Ok(Committed::default());
        }
        space::ensure(&shared.path, shared.options.min_free_bytes.saturating_add(space::needed_for(&batch)))?;
        self.wait_for_room()?;
        shared.writable()?;
        let committed = shared.commit_in_turn(batch)?;
        shared.keep_documents_small();
        self.indexer.wake();
        Ok(committed)
    }

    /// Checks that a document would be accepted, apart from its passages' ranges and vectors.
    ///
    /// # Errors
    /// [`StorageError::Key`], [`StorageError::TextTooLong`], [`StorageError::TooMuch`] and
    /// [`StorageError::Metadata`], as [`commit`](Self::commit) would return for the whole batch.
    pub fn admits(&self, extent: &Extent<'_>) -> Result<()> {
        limits::key(extent.key)?;
        extent.check(&self.shared.options)
    }

    /// Returns the document as it would be stored: vectors under cosine have unit length, those of
    /// half precision are rounded.
    ///
    /// # Errors
    /// The errors that a commit of it would return.
    pub fn prepared(&self, document: DocumentWrite) -> Result<DocumentWrite> {
        let mut batch = Batch { upserts: vec![document], removes: Vec::new() };
        batch.prepare(&self.shared.profile, &self.shared.options)?;
        Ok(batch.upserts.remove(0))
    }

    fn wait_for_room(&self) -> Result<()> {
        let shared = &*self.shared;
        let full = || shared.current().growing.rows() > BACKPRESSURE * shared.options.seal_rows;
        if !full() {
            return Ok(());
        }
        *shared.sealing_failure.lock() = None;
        self.indexer.wake();
        while full() {
            shared.writable()?;
            if let Some(what) = shared.sealing_failure.lock().clone() {
                return Err(StorageError::Sealing { path: shared.path.clone(), what });
            }
            shared.wait();
        }
        Ok(())
    }
}

/// Returns the state that the holder of the writer's lock may write on.
///
/// # Errors
/// If writes are no longer allowed, or row ids are damaged.
pub(super) fn ready(shared: &Shared) -> Result<Arc<Snapshot>> {
    shared.writable()?;
    let before = shared.current();
    before.ids_are_sound()?;
    Ok(before)
}

/// Writes the batches on the state `before` in one transaction; returns the outcome of each. They
/// have no key in common.
///
/// # Errors
/// If no batch was written, or possibly all of them.
pub(super) fn write(
    shared: &Shared,
    before: &Snapshot,
    writer: &mut Manifest,
    batches: Vec<Batch>,
) -> Result<Vec<Result<Committed>>> {
    let mut draft = Draft {
        shared,
        writes: Writes::default(),
        manifest: writer.clone(),
        before,
        growing_from: before.growing_from(),
        gone: RoaringTreemap::new(),
        ids: Vec::new(),
        vectors: Vec::new(),
    };
    let outcomes: Vec<_> = batches.into_iter().map(|batch| draft.add(batch)).collect();
    if outcomes.iter().all(Result::is_err) {
        return Ok(outcomes);
    }
    draft.writes.manifest(&draft.manifest);
    fault::reach(Point::CommitPrepared)?;
    let run = draft.write_vectors()?;

    shared.sequence.fetch_add(1, Ordering::AcqRel);
    // On failure the sequence stays odd: the trees may differ from the snapshot.
    let unpublished = shared.write(&draft.writes)?;
    let mut snapshot = before.clone();
    snapshot.generation = draft.manifest.generation;
    match run {
        Some(run) => snapshot.growing.append_run(Arc::new(run)),
        None => snapshot.growing.append(draft.ids, draft.vectors),
    }
    if !draft.gone.is_empty() {
        *Arc::make_mut(&mut snapshot.removed) |= draft.gone;
    }
    snapshot.live = draft.manifest.passages;
    snapshot.documents = draft.manifest.documents;
    shared.publish(snapshot);
    shared.sequence.fetch_add(1, Ordering::AcqRel);
    *writer = draft.manifest;
    drop(unpublished);
    shared.notify();
    fault::reach(Point::CommitPublished)?;
    Ok(outcomes)
}

/// A transaction under construction.
struct Draft<'a> {
    shared: &'a Shared,
    writes: Writes,
    manifest: Manifest,
    before: &'a Snapshot,
    growing_from: u64,
    gone: RoaringTreemap,
    ids: Vec<u64>,
    vectors: Vec<f32>,
}

/// The current document of a key.
type Found = (u64, DocumentRecord);

impl Draft<'_> {
    /// Adds a batch. Steps that can fail come first, so that after an error nothing of it is in the
    /// draft.
    fn add(&mut self, batch: Batch) -> Result<Committed> {
        let removes =
            batch.removes.iter().map(|key| Ok((key, self.found(key)?))).collect::<Result<Vec<_>>>()?;
        let replaces = batch.upserts.iter().map(|document| self.found(&document.key));
        let replaces = replaces.collect::<Result<Vec<_>>>()?;
        let mut committed = Committed::default();
        self.manifest.generation += 1;
        for (key, found) in removes {
            if let Some(found) = found {
                self.take_out(&found);
                self.writes.remove_key(key);
                committed.removed += 1;
            }
        }
        for (document, replaced) in batch.upserts.into_iter().zip(replaces) {
            match &replaced {
                Some(found) => {
                    self.take_out(found);
                    committed.replaced += 1;
                }
                None => committed.added += 1,
            }
            committed.passages += document.passages.len();
            self.put_in(document);
        }
        Ok(committed)
    }

    fn found(&self, key: &str) -> Result<Option<Found>> {
        let documents = &self.shared.documents();
        let Some(id) = documents.id_of(key)? else { return Ok(None) };
        let Some(record) = documents.document(id)? else {
            let what = format!("key {key:?} names document {id}, which is not there");
            return Err(StorageError::corrupt(documents.path(), what));
        };
        Ok(Some((id, record)))
    }

    fn take_out(&mut self, (id, record): &Found) {
        self.writes.remove_document(*id, record);
        for row in record.first_row..record.first_row.saturating_add(record.row_count) {
            if row < self.growing_from || self.before.growing.run_of(row).is_some() {
                self.writes.remove_row_in_file(row);
            } else {
                self.writes.remove_row_in_trees(row);
            }
            self.gone.insert(row);
        }
        self.manifest.documents = self.manifest.documents.saturating_sub(1);
        self.manifest.passages = self.manifest.passages.saturating_sub(record.row_count);
    }

    /// Writes many vectors to a run, or adds few to the transaction.
    fn write_vectors(&mut self) -> Result<Option<Run>> {
        let Shared { segments_folder, profile, options, .. } = self.shared;
        if self.ids.len() < (options.seal_rows / RUN_PART).max(FEWEST_RUN_ROWS) {
            for (&row, vector) in self.ids.iter().zip(self.vectors.chunks_exact(profile.dimension)) {
                self.writes.vector(row, vector);
            }
            return Ok(None);
        }
        let run = Run::write(segments_folder, self.ids[0], profile.dimension, &self.vectors);
        let run = run.inspect_err(|error| {
            self.shared.poison(&error.to_string());
            Run::clear(segments_folder, self.ids[0]);
        })?;
        self.writes.run(self.ids[0], run.checksum());
        Ok(Some(run))
    }

    fn put_in(&mut self, document: DocumentWrite) {
        let id = self.manifest.next_document;
        let (first_row, row_count) = (self.manifest.next_row, document.passages.len() as u64);
        for (row, passage) in (first_row..).zip(document.passages) {
            let record = PassageRecord {
                document: id,
                start: passage.range.start,
                end: passage.range.end,
                source_start: passage.source_range.start,
                source_end: passage.source_range.end,
                heading: passage.heading,
                lead_start: passage.lead.start,
                lead_end: passage.lead.end,
                places: passage.places,
            };
            self.writes.passage(row, &record);
            self.ids.push(row);
            self.vectors.extend(passage.vector);
        }
        let record = DocumentRecord {
            key: document.key,
            title: document.title,
            content_hash: document.content_hash,
            metadata: document.metadata,
            text_bytes: document.text.len() as u64,
            source_map: document.source_map,
            first_row,
            row_count,
        };
        self.writes.document(id, &record, &document.text);
        self.manifest.next_document += 1;
        self.manifest.next_row += row_count;
        self.manifest.documents += 1;
        self.manifest.passages += row_count;
    }
}
