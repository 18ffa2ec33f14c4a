//! Rewriting the documents, so that their files stay within a bound however slowly other threads
//! run.

use super::shared::{Shared, Unpublished};
use crate::documents::{Documents, Manifest, rewrite};
use crate::error::Result;
use crate::fault::{self, Point};
use crate::sync::atomic::AtomicBool;
use std::sync::Arc;

impl Shared {
    /// Rewrites the documents if their log has grown to its limit. The committing thread does it,
    /// before more is committed: a separate thread would fall behind on a busy machine.
    ///
    /// If it fails, commits go on, since they are durable anyway. It is tried again when the log is
    /// twice as long, and [`Stat`](super::Stat) has the failure.
    pub(super) fn keep_documents_small(&self) {
        match self.rewrite_grown() {
            Ok(false) => {}
            outcome => *self.rewrite_failure.lock() = outcome.err().map(|error| error.to_string()),
        }
    }

    /// Rewrites the documents if their log has grown; `true` if it had.
    fn rewrite_grown(&self) -> Result<bool> {
        if !self.documents().have_grown()? {
            return Ok(false);
        }
        let writer = self.writer.lock();
        self.writable()?;
        if !self.documents().have_grown()? {
            // Another thread has done it already.
            return Ok(false);
        }
        let outcome = self.rewrite(&writer, &AtomicBool::new(false));
        if outcome.is_err() {
            self.unpoisoned()?;
            self.documents().postpone_rewrite()?;
        }
        outcome.map(|()| true)
    }

    /// Rewrites the documents; commits wait meanwhile, reads go on.
    pub(super) fn rewrite_documents(&self, stop: &AtomicBool) -> Result<()> {
        let writer = self.writer.lock();
        self.writable()?;
        self.rewrite(&writer, stop)
    }

    fn rewrite(&self, writer: &Manifest, stop: &AtomicBool) -> Result<()> {
        let documents = self.documents();
        if documents.are_fresh() {
            return Ok(());
        }
        // An adoption writes without a new generation, so a generation may be rewritten twice.
        let used = rewrite::current(&self.path)?.map_or(0, |(number, _)| number + 1);
        let number = writer.generation.max(used);
        let snapshot = self.current();
        snapshot.ids_are_sound()?;
        let copied = documents.copied(&self.path, number, &|row| snapshot.is_sealed(row), stop)?;
        let Some(copied) = copied else {
            return Ok(());
        };
        let unpublished = Unpublished(self);
        let new = Documents::take_place(&copied, &self.path)
            .inspect_err(|error| self.poison(&error.to_string()))?;
        drop(documents);
        let old = std::mem::replace(&mut *self.documents.write(), Arc::new(new));
        drop(unpublished);
        fault::reach(Point::RewriteUsed)?;
        old.supersede();
        drop(old);
        fault::reach(Point::RewriteOldRemoved)
    }
}
