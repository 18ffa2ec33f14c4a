//! Copies of a database, and the way back.

use std::ops::ControlFlow;
use std::path::Path;

use postil_storage::{Copied as CopyStep, Store, StoreOptions};

use crate::{Database, Error, Progress, Watch};

/// What a backup or a restore did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Copied {
    /// Bytes copied.
    pub bytes: u64,
    /// True when it was cancelled; nothing is left of the copy then.
    pub interrupted: bool,
}

impl Copied {
    fn of<E>(
        watch: &Watch<'_>,
        copy: impl FnOnce(postil_storage::CopyProgress<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<Self, E> {
        let mut copied = Self::default();
        let flow = copy(&mut |step: CopyStep| {
            copied.bytes = step.bytes;
            let total_bytes = Some(step.total_bytes);
            watch.tell(&Progress { total_bytes, read_bytes: step.bytes, ..Progress::default() });
            if watch.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(Self { interrupted: flow.is_break(), ..copied })
    }
}

impl Database {
    /// Copies the database, as it is at one moment and while it is in use, to `to`, where nothing may be yet. The copy is
    /// a database like any other, complete and durable when this returns; nothing is at `to` before, nor after it was
    /// cancelled.
    ///
    /// # Errors
    /// [`Error::Storage`] when something is at `to`, there is no room, or a segment is damaged; nothing is left then.
    pub fn backup(&self, to: impl AsRef<Path>, watch: &Watch<'_>) -> Result<Copied, Error> {
        Ok(Copied::of(watch, |progress| self.store().backup(to, progress))?)
    }

    /// Copies a backup, which is only read, to `to`, where nothing may be yet, and checks the copy before it gets its
    /// name. Nothing is at `to` after it was cancelled.
    ///
    /// # Errors
    /// [`Error::Storage`] when the backup is damaged, is no database or is in use, or something is at `to`; nothing is
    /// left then.
    pub fn restore(
        backup: impl AsRef<Path>,
        to: impl AsRef<Path>,
        watch: &Watch<'_>,
    ) -> Result<Copied, Error> {
        Ok(Copied::of(watch, |progress| Store::restore(backup, to, StoreOptions::default(), progress))?)
    }
}
