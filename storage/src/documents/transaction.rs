//! One atomic write over all trees.
//!
//! Everything is serialized before the transaction starts, because sled's transactions hold a
//! global lock.

use super::base::Part;
use super::document::encode_document;
use super::keys::{self, TEXT_BLOCK_BYTES};
use super::log::contained;
use super::records::{encode, encode_passage};
use super::trees::{MANIFEST_KEY, PRECISION_KEY};
use super::{DocumentRecord, Documents, Manifest, PassageRecord};
use crate::error::Result;
use crate::fault::{self, Point};
use crate::vector::precision::Precision;
use sled::Transactional;
use sled::transaction::{ConflictableTransactionError, TransactionError};
use std::sync::atomic::Ordering;

/// The tree of a write.
#[derive(Clone, Copy)]
enum In {
    Manifest,
    /// A tree merged over a part of the base.
    Over(Part),
    Vectors,
    Removals,
}

impl In {
    /// Returns the index of the tree in [`Documents::trees`].
    fn number(self) -> usize {
        match self {
            Self::Manifest => 0,
            Self::Over(part) => 1 + part as usize,
            Self::Vectors => 5,
            Self::Removals => 6,
        }
    }
}

/// A tree, a key and its value; a value of `None` removes the key.
type Write = (In, Vec<u8>, Option<Vec<u8>>);

/// Serialized writes, waiting for one transaction.
#[derive(Default)]
pub(crate) struct Writes {
    writes: Vec<Write>,
    generation: Option<u64>,
}

impl Writes {
    fn set(&mut self, tree: In, key: &[u8], value: Vec<u8>) {
        self.writes.push((tree, key.to_vec(), Some(value)));
    }

    fn delete(&mut self, tree: In, key: &[u8]) {
        self.writes.push((tree, key.to_vec(), None));
    }

    pub(crate) fn manifest(&mut self, manifest: &Manifest) {
        self.generation = Some(manifest.generation);
        self.set(In::Manifest, MANIFEST_KEY, encode(manifest));
    }

    /// Records the precision of vectors. Full precision is not recorded, so that older builds can
    /// read the database.
    pub(crate) fn precision(&mut self, precision: Precision) {
        if precision != Precision::default() {
            self.set(In::Manifest, PRECISION_KEY, vec![precision.to_byte()]);
        }
    }

    /// Records the checksum of the content that the segment's name now stands for.
    pub(crate) fn segment(&mut self, number: u32, checksum: u32) {
        self.set(In::Manifest, &keys::segment(number), checksum.to_le_bytes().to_vec());
    }

    /// Forgets the checksum of a segment that is gone.
    pub(crate) fn forget_segment(&mut self, number: u32) {
        self.delete(In::Manifest, &keys::segment(number));
    }

    /// Writes a new document and its text, and points its key to it.
    pub(crate) fn document(&mut self, id: u64, record: &DocumentRecord, text: &str) {
        self.set(In::Over(Part::Keys), record.key.as_bytes(), keys::id(id).to_vec());
        self.set(In::Over(Part::Documents), &keys::id(id), encode_document(record));
        for (number, block) in text.as_bytes().chunks(TEXT_BLOCK_BYTES).enumerate() {
            self.set(In::Over(Part::Texts), &keys::block(id, number as u32), block.to_vec());
        }
    }

    pub(crate) fn remove_key(&mut self, key: &str) {
        self.delete(In::Over(Part::Keys), key.as_bytes());
    }

    /// Deletes a document and its text; the caller removes its rows.
    pub(crate) fn remove_document(&mut self, id: u64, record: &DocumentRecord) {
        self.delete(In::Over(Part::Documents), &keys::id(id));
        for number in keys::blocks_of(&(0..record.text_bytes)) {
            self.delete(In::Over(Part::Texts), &keys::block(id, number));
        }
    }

    /// Records the checksum of the run file that has the vectors from `first_row` on.
    pub(crate) fn run(&mut self, first_row: u64, checksum: u32) {
        self.set(In::Manifest, &keys::run(first_row), checksum.to_le_bytes().to_vec());
    }

    /// Forgets a run: a segment now has the vectors of its rows that are not removed.
    pub(crate) fn forget_run(&mut self, first_row: u64) {
        self.delete(In::Manifest, &keys::run(first_row));
    }

    /// Deletes the row's unsealed vector; call once a segment holds it.
    pub(crate) fn take_out_vector(&mut self, row: u64) {
        self.delete(In::Vectors, &keys::id(row));
    }

    pub(crate) fn passage(&mut self, row: u64, passage: &PassageRecord) {
        self.set(In::Over(Part::Passages), &keys::id(row), encode_passage(passage));
    }

    /// Writes the vector of a row that is in no file.
    pub(crate) fn vector(&mut self, row: u64, vector: &[f32]) {
        self.set(In::Vectors, &keys::id(row), vector.iter().flat_map(|x| x.to_le_bytes()).collect());
    }

    /// Deletes a row that is in no file yet.
    pub(crate) fn remove_row_in_trees(&mut self, row: u64) {
        self.delete(In::Over(Part::Passages), &keys::id(row));
        self.delete(In::Vectors, &keys::id(row));
    }

    /// Deletes a row that a segment or run holds; the file does not change.
    pub(crate) fn remove_row_in_file(&mut self, row: u64) {
        self.delete(In::Over(Part::Passages), &keys::id(row));
        self.mark_removed(row);
    }

    /// Records that a row of a segment or run is removed.
    pub(crate) fn mark_removed(&mut self, row: u64) {
        self.set(In::Removals, &keys::id(row), Vec::new());
    }

    /// Forgets a removed row that no segment or run holds any more.
    pub(crate) fn forget_removed(&mut self, row: u64) {
        self.delete(In::Removals, &keys::id(row));
    }
}

impl Documents {
    /// Writes everything or nothing; what it wrote is durable when this returns.
    pub(crate) fn commit(&self, writes: &Writes) -> Result<()> {
        self.written.store(true, Ordering::Release);
        for (tree, ..) in &writes.writes {
            if let In::Over(part) = tree {
                self.over_base[*part as usize].store(true, Ordering::Release);
            }
        }
        let in_base: Vec<bool> = writes.writes.iter().map(|write| self.takes_out(write)).collect();
        contained(&self.path, || {
            let trees = self.trees();
            trees[..]
                .transaction(|trees| {
                    for ((tree, key, value), &in_base) in writes.writes.iter().zip(&in_base) {
                        match value {
                            Some(value) => trees[tree.number()].insert(key.as_slice(), value.as_slice())?,
                            // An entry of the base cannot be deleted: an empty value hides it.
                            None if in_base => trees[tree.number()].insert(key.as_slice(), &[])?,
                            None => trees[tree.number()].remove(key.as_slice())?,
                        };
                    }
                    Ok::<(), ConflictableTransactionError<std::convert::Infallible>>(())
                })
                .map_err(|error| match error {
                    TransactionError::Storage(error) => error,
                    TransactionError::Abort(never) => match never {},
                })
        })?;
        fault::reach(Point::TransactionWritten)?;
        self.flush()?;
        fault::reach(Point::TransactionFlushed)?;
        if let Some(generation) = writes.generation {
            self.committed.note(generation);
        }
        Ok(())
    }

    /// True if a write deletes an entry of the base. If the base is damaged, it may do so.
    fn takes_out(&self, (tree, key, value): &Write) -> bool {
        match (tree, value, &self.base) {
            (In::Over(part), None, Some(base)) => base.get(*part, key).map_or(true, |found| found.is_some()),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tree_is_where_a_transaction_looks_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let documents = Documents::open(folder.path()).unwrap();
        let of = |tree: In| String::from_utf8(documents.trees()[tree.number()].name().to_vec()).unwrap();
        for part in Part::ALL {
            assert_eq!(of(In::Over(part)), part.name());
        }
        assert_eq!([In::Manifest, In::Vectors, In::Removals].map(of), ["manifest", "vectors", "removals"]);
    }
}
