//! One atomic write over all trees.
//!
//! Everything is serialized before the transaction starts, because sled's transactions hold a global lock.

use super::base::Part;
use super::contain::contained;
use super::document::encode_document;
use super::keys::{self, TEXT_BLOCK_BYTES};
use super::records::encode;
use super::trees::{MANIFEST_KEY, PRECISION_KEY};
use super::{DocumentRecord, Documents, Manifest, PassageRecord};
use crate::error::Result;
use crate::fault::{self, Point};
use crate::vector::precision::Precision;
use sled::Transactional;
use sled::transaction::{ConflictableTransactionError, TransactionError};
use std::sync::atomic::Ordering;

/// A tree.
#[derive(Clone, Copy)]
enum In {
    Manifest,
    /// One that the base has entries of.
    Over(Part),
    Vectors,
    Removals,
}

impl In {
    /// Its place in [`Documents::trees`].
    fn number(self) -> usize {
        match self {
            Self::Manifest => 0,
            Self::Over(part) => 1 + part as usize,
            Self::Vectors => 5,
            Self::Removals => 6,
        }
    }
}

/// A key and its value; no value removes the key.
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

    /// How exactly vectors are kept; nothing is written of the usual way, so that older builds read it.
    pub(crate) fn precision(&mut self, precision: Precision) {
        if precision != Precision::default() {
            self.set(In::Manifest, PRECISION_KEY, vec![precision.to_byte()]);
        }
    }

    /// The segment's name now stands for the content of this checksum.
    pub(crate) fn segment(&mut self, number: u32, checksum: u32) {
        self.set(In::Manifest, &keys::segment(number), checksum.to_le_bytes().to_vec());
    }

    /// The segment's name stands for nothing any more.
    pub(crate) fn forget_segment(&mut self, number: u32) {
        self.delete(In::Manifest, &keys::segment(number));
    }

    /// A new document and its text; its key now names it.
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

    /// Takes out a document and its text; its rows are the caller's to remove.
    pub(crate) fn remove_document(&mut self, id: u64, record: &DocumentRecord) {
        self.delete(In::Over(Part::Documents), &keys::id(id));
        for number in keys::blocks_of(&(0..record.text_bytes)) {
            self.delete(In::Over(Part::Texts), &keys::block(id, number));
        }
    }

    /// Vectors from that row on are in a file of this checksum.
    pub(crate) fn run(&mut self, first_row: u64, checksum: u32) {
        self.set(In::Manifest, &keys::run(first_row), checksum.to_le_bytes().to_vec());
    }

    /// The run's vectors are in a segment now, but for those of removed rows.
    pub(crate) fn forget_run(&mut self, first_row: u64) {
        self.delete(In::Manifest, &keys::run(first_row));
    }

    /// A segment has the row's vector.
    pub(crate) fn take_out_vector(&mut self, row: u64) {
        self.delete(In::Vectors, &keys::id(row));
    }

    pub(crate) fn passage(&mut self, row: u64, passage: &PassageRecord) {
        self.set(In::Over(Part::Passages), &keys::id(row), encode(passage));
    }

    /// The vector of a row that is in no file.
    pub(crate) fn vector(&mut self, row: u64, vector: &[f32]) {
        self.set(In::Vectors, &keys::id(row), vector.iter().flat_map(|x| x.to_le_bytes()).collect());
    }

    /// Takes out a row that is in no file yet.
    pub(crate) fn remove_row_in_trees(&mut self, row: u64) {
        self.delete(In::Over(Part::Passages), &keys::id(row));
        self.delete(In::Vectors, &keys::id(row));
    }

    /// Takes out a row that a segment or run holds: the file stays as it is.
    pub(crate) fn remove_row_in_file(&mut self, row: u64) {
        self.delete(In::Over(Part::Passages), &keys::id(row));
        self.mark_removed(row);
    }

    /// Remembers that a row of a segment or run is removed.
    pub(crate) fn mark_removed(&mut self, row: u64) {
        self.set(In::Removals, &keys::id(row), Vec::new());
    }

    /// No segment or run holds the removed row any more.
    pub(crate) fn forget_removed(&mut self, row: u64) {
        self.delete(In::Removals, &keys::id(row));
    }
}

impl Documents {
    /// Writes everything or nothing, and returns when it is durable.
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
                            // What the base has cannot be taken out of it.
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

    /// Whether a write takes something out of the base. Where that is damaged, it may.
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
