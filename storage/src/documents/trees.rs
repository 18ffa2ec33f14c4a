//! Reading the trees and the base below them.

use super::base::{Base, Entry, Part};
use super::document::{decode_document, decode_filtered};
use super::keys::{self, TEXT_BLOCK_BYTES};
use super::log::{Closing, Committed, Syncing, contained, contained_steps};
use super::over::over;
use super::records::{decode, decode_passage};
use super::{DocumentRecord, Manifest, PassageRecord};
use crate::durable::bytes_under;
use crate::error::{Result, StorageError};
use crate::value::fields::Fields;
use crate::vector::precision::Precision;
use roaring::RoaringTreemap;
use sled::{IVec, Tree};
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub(super) const MANIFEST_KEY: &[u8] = b"manifest";
pub(super) const PRECISION_KEY: &[u8] = b"precision";
/// Key of the base's checksum; absent if there is no base.
pub(super) const BASE_KEY: &[u8] = b"base";
/// Key of the bytes of sled's files after the last rewrite; absent before the first one.
const WRITTEN_ANEW_KEY: &[u8] = b"log";
/// Trees of fewer bytes are not rewritten because of their size.
const GROWN_BYTES: u64 = 8 << 20;

/// The open trees.
pub(crate) struct Documents {
    pub(super) path: PathBuf,
    pub(super) committed: Committed,
    pub(super) syncing: Syncing,
    pub(super) manifest: Tree,
    pub(super) keys: Tree,
    pub(super) documents: Tree,
    pub(super) texts: Tree,
    pub(super) passages: Tree,
    pub(super) vectors: Tree,
    pub(super) removals: Tree,
    /// Entries as of the last rewrite of the trees; `None` before it.
    pub(super) base: Option<Arc<Base>>,
    /// True for each tree over the base that may have entries: a lookup in an empty tree would take
    /// longer than one in the base.
    pub(super) over_base: [AtomicBool; Part::ALL.len()],
    /// Bytes of sled's files after the last rewrite, or after the last failed attempt at one.
    pub(super) fewest_bytes: AtomicU64,
    /// True if the trees may differ from the copy they were made from.
    pub(super) written: AtomicBool,
    /// The last field, so that sled is closed completely when it is dropped.
    pub(super) closing: Closing,
}

/// A value, owned by sled or borrowed from the base.
enum Value<'a> {
    OfTree(IVec),
    OfBase(&'a [u8]),
}

impl Deref for Value<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::OfTree(value) => value,
            Self::OfBase(value) => value,
        }
    }
}

impl Documents {
    /// True if sled's log is so long that a rewrite pays: more than twice its length after the last
    /// rewrite, because sled's own cleaning lets it grow beyond three times its content, and more
    /// than half of the base, which a rewrite writes too.
    pub(crate) fn have_grown(&self) -> Result<bool> {
        let fewest_bytes = self.fewest_bytes.load(Ordering::Relaxed);
        Ok(self.log_bytes()? > GROWN_BYTES.max(2 * fewest_bytes).max(self.base_bytes() / 2))
    }

    /// Returns the bytes of all files in the folder except the base.
    fn log_bytes(&self) -> Result<u64> {
        Ok(bytes_under(&self.path)?.saturating_sub(self.base_bytes()))
    }

    fn base_bytes(&self) -> u64 {
        self.base.as_ref().map_or(0, |base| base.content().len() as u64)
    }

    /// Reads the length of sled's log after the last rewrite, as an earlier opener recorded it.
    pub(super) fn read_fewest_bytes(&mut self) -> Result<()> {
        let Some(bytes) = self.get(&self.manifest, WRITTEN_ANEW_KEY)? else { return Ok(()) };
        let bytes = bytes[..].try_into().map_err(|_| {
            StorageError::corrupt(&self.path, "the length of the log written anew is not 8 bytes long")
        })?;
        *self.fewest_bytes.get_mut() = u64::from_le_bytes(bytes);
        Ok(())
    }

    /// Records the length of the log after a rewrite. Durable with the next commit: if it is lost,
    /// the next rewrite only comes sooner.
    pub(super) fn note_fewest_bytes(&self) -> Result<()> {
        let bytes = self.log_bytes()?;
        contained(&self.path, || self.manifest.insert(WRITTEN_ANEW_KEY, &bytes.to_le_bytes()))?;
        self.fewest_bytes.store(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Postpones the next rewrite after a failed one, until the log is twice as long.
    pub(crate) fn postpone_rewrite(&self) -> Result<()> {
        self.fewest_bytes.store(self.log_bytes()?, Ordering::Relaxed);
        Ok(())
    }

    /// Makes everything written so far durable.
    pub(super) fn flush(&self) -> Result<()> {
        // A log that names a large page's file before that file is durable would be unreadable
        // after a power cut. sled still has the end of the transaction in its buffer here.
        self.syncing.blobs()?;
        contained(&self.path, || self.closing.flush())?;
        self.syncing.all()
    }

    /// Returns all trees, in the order of a transaction's numbers.
    pub(super) fn trees(&self) -> [&Tree; 7] {
        [
            &self.manifest,
            &self.keys,
            &self.documents,
            &self.texts,
            &self.passages,
            &self.vectors,
            &self.removals,
        ]
    }

    pub(crate) fn manifest(&self) -> Result<Option<Manifest>> {
        let Some(bytes) = self.get(&self.manifest, MANIFEST_KEY)? else { return Ok(None) };
        let manifest: Manifest = decode(&bytes, &self.path)?;
        self.committed.check(manifest.generation, &self.path)?;
        Ok(Some(manifest))
    }

    /// Returns the precision of stored vectors.
    pub(crate) fn precision(&self) -> Result<Precision> {
        let Some(bytes) = self.get(&self.manifest, PRECISION_KEY)? else { return Ok(Precision::default()) };
        let known = if let [byte] = bytes[..] { Precision::from_byte(byte) } else { None };
        known.ok_or_else(|| StorageError::corrupt(&self.path, "an unknown precision of vectors is named"))
    }

    /// Returns the recorded checksum of a segment; `None` if it was adopted before checksums were
    /// recorded.
    pub(crate) fn segment_checksum(&self, number: u32) -> Result<Option<u32>> {
        self.checksum(&keys::segment(number), &format!("segment {number}"))
    }

    /// Returns the first row and the checksum of each run with vectors of growing rows.
    pub(crate) fn runs(&self) -> Result<Vec<(u64, u32)>> {
        let entries = self.steps(self.manifest.scan_prefix(keys::RUN)).map(|entry| {
            let (key, value) = entry?;
            let checksum = value[..].try_into().ok().map(u32::from_le_bytes);
            let run = keys::read_id(&key[keys::RUN.len()..]).zip(checksum);
            run.ok_or_else(|| StorageError::corrupt(&self.path, "the name of a run is damaged"))
        });
        entries.collect()
    }

    pub(super) fn checksum(&self, key: &[u8], of: &str) -> Result<Option<u32>> {
        let Some(bytes) = self.get(&self.manifest, key)? else { return Ok(None) };
        let bytes = bytes[..].try_into().map_err(|_| {
            StorageError::corrupt(&self.path, format!("the checksum of {of} is not 4 bytes long"))
        })?;
        Ok(Some(u32::from_le_bytes(bytes)))
    }

    pub(super) fn steps<T>(
        &self,
        of_sled: impl Iterator<Item = sled::Result<T>>,
    ) -> impl Iterator<Item = Result<T>> {
        contained_steps(self.path.clone(), of_sled)
    }

    fn get(&self, tree: &Tree, key: &[u8]) -> Result<Option<IVec>> {
        contained(&self.path, || tree.get(key))
    }

    fn tree(&self, part: Part) -> &Tree {
        match part {
            Part::Keys => &self.keys,
            Part::Documents => &self.documents,
            Part::Texts => &self.texts,
            Part::Passages => &self.passages,
        }
    }

    /// Returns the value of a key in a tree, or else in the base below it.
    fn get_over(&self, part: Part, key: &[u8]) -> Result<Option<Value<'_>>> {
        if self.over_base[part as usize].load(Ordering::Acquire)
            && let Some(value) = self.get(self.tree(part), key)?
        {
            // An empty value hides an entry of the base that was removed.
            return Ok((!value.is_empty()).then_some(Value::OfTree(value)));
        }
        match &self.base {
            Some(base) => Ok(base.get(part, key)?.map(Value::OfBase)),
            None => Ok(None),
        }
    }

    /// Iterates over the entries of a tree and the base below it, in order of keys.
    pub(super) fn entries(&self, part: Part) -> impl Iterator<Item = Result<Entry>> + use<> {
        let base = self.base.as_ref().map(|base| Arc::clone(base).entries(part));
        over(contained_steps(self.path.clone(), self.tree(part).iter()), base)
    }

    /// Returns the id of the document that a key names now.
    pub(crate) fn id_of(&self, key: &str) -> Result<Option<u64>> {
        self.get_over(Part::Keys, key.as_bytes())?.map(|id| self.read_id(&id)).transpose()
    }

    pub(crate) fn document(&self, id: u64) -> Result<Option<DocumentRecord>> {
        let bytes = self.get_over(Part::Documents, &keys::id(id))?;
        bytes.map(|bytes| decode_document(&bytes, &self.path)).transpose()
    }

    /// Returns the stored record of a document.
    #[cfg(test)]
    pub(crate) fn raw_document(&self, id: u64) -> Vec<u8> {
        self.get_over(Part::Documents, &keys::id(id)).unwrap().unwrap().to_vec()
    }

    pub(crate) fn passage(&self, row: u64) -> Result<Option<PassageRecord>> {
        let bytes = self.get_over(Part::Passages, &keys::id(row))?;
        bytes.map(|bytes| decode_passage(&bytes, &self.path)).transpose()
    }

    /// Returns a range of a document's text, reading only the blocks it touches; `None` if a block
    /// is missing.
    pub(crate) fn text(&self, document: u64, range: &Range<u64>) -> Result<Option<String>> {
        let mut bytes = Vec::with_capacity((range.end.saturating_sub(range.start) as usize).min(1 << 20));
        for number in keys::blocks_of(range) {
            let Some(block) = self.get_over(Part::Texts, &keys::block(document, number))? else {
                return Ok(None);
            };
            let block_start = u64::from(number) * TEXT_BLOCK_BYTES as u64;
            let from = range.start.saturating_sub(block_start) as usize;
            let to = (range.end - block_start).min(TEXT_BLOCK_BYTES as u64) as usize;
            let part = block.get(from..to).ok_or_else(|| {
                StorageError::corrupt(
                    &self.path,
                    format!("text block {number} of document {document} is short"),
                )
            })?;
            bytes.extend_from_slice(part);
        }
        let text = String::from_utf8(bytes).map_err(|_| {
            StorageError::corrupt(&self.path, format!("bytes {range:?} of document {document} are not text"))
        })?;
        Ok(Some(text))
    }

    /// Returns the number of lines of a document's text that end before byte `at`; `None` if a
    /// block is missing.
    pub(crate) fn lines_before(&self, document: u64, at: u64) -> Result<Option<u64>> {
        let mut lines = 0;
        for number in keys::blocks_of(&(0..at)) {
            let Some(block) = self.get_over(Part::Texts, &keys::block(document, number))? else {
                return Ok(None);
            };
            let to = (at - u64::from(number) * TEXT_BLOCK_BYTES as u64).min(block.len() as u64) as usize;
            lines += block[..to].iter().filter(|&&byte| byte == b'\n').count() as u64;
        }
        Ok(Some(lines))
    }

    /// Iterates over keys and document ids, in key order.
    pub(crate) fn keys(self: &Arc<Self>) -> impl Iterator<Item = Result<(String, u64)>> + use<> {
        let this = Arc::clone(self);
        self.entries(Part::Keys).map(move |entry| {
            let (key, id) = entry?;
            let key = String::from_utf8(key.to_vec())
                .map_err(|_| StorageError::corrupt(&this.path, "the key of a document is not text"))?;
            Ok((key, this.read_id(&id)?))
        })
    }

    /// As [`document`](Self::document), with `None` inside if the document's fields do not pass:
    /// its metadata is not read then.
    pub(crate) fn document_where(
        &self,
        id: u64,
        passes: impl FnOnce(&Fields) -> bool,
    ) -> Result<Option<Option<DocumentRecord>>> {
        let Some(bytes) = self.get_over(Part::Documents, &keys::id(id))? else { return Ok(None) };
        let (fields, _) = decode_filtered(&bytes, &self.path)?;
        let passing = passes(&fields).then(|| decode_document(&bytes, &self.path));
        passing.transpose().map(Some)
    }

    /// Returns the rows of documents whose fields pass.
    pub(crate) fn rows_where(&self, passes: impl Fn(&Fields) -> bool) -> Result<RoaringTreemap> {
        let mut rows = RoaringTreemap::new();
        for entry in self.entries(Part::Documents) {
            let (fields, range) = decode_filtered(&entry?.1, &self.path)?;
            if passes(&fields) {
                rows.insert_range(range);
            }
        }
        Ok(rows)
    }

    /// Iterates over the vectors in the trees, in row order.
    pub(crate) fn vectors(&self) -> impl Iterator<Item = Result<(u64, Vec<f32>)>> + use<'_> {
        self.steps(self.vectors.iter()).map(|entry| {
            let (row, bytes) = entry?;
            let row = self.read_id(&row)?;
            Ok((row, self.components(row, &bytes)?))
        })
    }

    /// Returns the first `most` rows below a bound that are `sealed` and still have a vector here.
    pub(crate) fn sealed_vectors(
        &self,
        below: u64,
        sealed: impl Fn(u64) -> bool,
        most: usize,
    ) -> Result<Vec<u64>> {
        let rows = self.steps(self.vectors.range(..keys::id(below)).keys()).map(|row| self.read_id(&row?));
        rows.filter(|row| row.as_ref().map_or(true, |&row| sealed(row))).take(most).collect()
    }

    /// Returns the vector of a row that is in no segment, or whose vector was not deleted here yet.
    pub(crate) fn vector(&self, row: u64) -> Result<Option<Vec<f32>>> {
        let Some(bytes) = self.get(&self.vectors, &keys::id(row))? else { return Ok(None) };
        self.components(row, &bytes).map(Some)
    }

    fn components(&self, row: u64, bytes: &[u8]) -> Result<Vec<f32>> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(StorageError::corrupt(&self.path, format!("vector of row {row} is cut short")));
        }
        Ok(numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
    }

    /// Returns the removed rows that a segment or run still holds.
    pub(crate) fn removals(&self) -> Result<RoaringTreemap> {
        self.steps(self.removals.iter().keys()).map(|row| self.read_id(&row?)).collect()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the base below the trees; `None` if there is none.
    pub(crate) fn base(&self) -> Option<&Base> {
        self.base.as_deref()
    }

    fn read_id(&self, bytes: &[u8]) -> Result<u64> {
        keys::read_id(bytes).ok_or_else(|| StorageError::corrupt(&self.path, "an id is not 8 bytes long"))
    }
}
