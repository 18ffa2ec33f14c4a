//! Every entry of the trees and the base, damaged ones included: for the check and for salvage.
//!
//! An outer error stands for a block of the base, whose entries are left out, or for a tree, after
//! which nothing follows. An inner error stands for one entry.

use super::base::Part;
use super::document::decode_document;
use super::keys::{self, TEXT_BLOCK_BYTES};
use super::records::decode_passage;
use super::{DocumentRecord, Documents, PassageRecord};
use crate::error::{Result, StorageError};
#[cfg(test)]
use std::sync::atomic::Ordering;

impl Documents {
    /// Iterates over keys with their document ids, in key order.
    pub(crate) fn every_key(&self) -> impl Iterator<Item = Result<Result<(String, u64)>>> + use<'_> {
        self.entries(Part::Keys).map(|entry| {
            let (key, id) = entry?;
            let Ok(text) = String::from_utf8(key.to_vec()) else {
                return Ok(Err(self.corrupt(format!("a key is not text: {}", key.escape_ascii()))));
            };
            Ok(match keys::read_id(&id) {
                Some(id) => Ok((text, id)),
                None => Err(self.corrupt(format!("key {text:?} names no document id"))),
            })
        })
    }

    /// Iterates over documents with their ids, in order of id.
    pub(crate) fn every_document(
        &self,
    ) -> impl Iterator<Item = Result<(u64, Result<DocumentRecord>)>> + use<'_> {
        self.entries(Part::Documents).map(|entry| {
            let (id, bytes) = entry?;
            Ok((self.lenient_id(&id), decode_document(&bytes, &self.path)))
        })
    }

    /// Iterates over passages with their rows, in order of row.
    pub(crate) fn every_passage(
        &self,
    ) -> impl Iterator<Item = Result<(u64, Result<PassageRecord>)>> + use<'_> {
        self.entries(Part::Passages).map(|entry| {
            let (row, bytes) = entry?;
            Ok((self.lenient_id(&row), decode_passage(&bytes, &self.path)))
        })
    }

    /// Iterates over text blocks, in order: document id, block number and bytes. `None` if the key
    /// is not that of a block.
    pub(crate) fn every_block(&self) -> impl Iterator<Item = Result<Option<(u64, u32, u64)>>> + use<'_> {
        self.entries(Part::Texts).map(|entry| {
            let (key, block) = entry?;
            let split = key.split_at_checked(8);
            Ok(split.and_then(|(id, number)| {
                let number = u32::from_be_bytes(number.try_into().ok()?);
                Some((keys::read_id(id)?, number, block.len() as u64))
            }))
        })
    }

    /// Returns the bytes that block `number` of a text must have; `None` if the text has no such
    /// block.
    pub(crate) fn block_bytes(text_bytes: u64, number: u32) -> Option<u64> {
        let start = u64::from(number) * TEXT_BLOCK_BYTES as u64;
        (start < text_bytes).then(|| (text_bytes - start).min(TEXT_BLOCK_BYTES as u64))
    }

    /// Decodes an id. One of the wrong length becomes an id that is never assigned, so that it
    /// belongs to nothing.
    fn lenient_id(&self, bytes: &[u8]) -> u64 {
        keys::read_id(bytes).unwrap_or(u64::MAX)
    }

    fn corrupt(&self, what: String) -> StorageError {
        StorageError::corrupt(&self.path, what)
    }

    /// Puts bytes into a tree, or removes them, as no transaction of ours would.
    #[cfg(test)]
    pub(crate) fn tamper(&self, tree: &str, key: &[u8], value: Option<&[u8]>) {
        self.over_base.iter().for_each(|over| over.store(true, Ordering::Release));
        let tree = self.trees().into_iter().find(|known| known.name() == tree.as_bytes()).unwrap();
        match value {
            Some(value) => tree.insert(key, value).unwrap(),
            None => tree.remove(key).unwrap(),
        };
    }
}
