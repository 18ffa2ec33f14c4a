//! Copies of a database: making one while the database is in use, and restoring one.

use super::check::Damage;
use super::lock::{Lock, is_marked};
use super::staging::{Staging, parent};
use super::step::{OnStep, Step};
use super::{Store, StoreOptions, space};
use crate::documents::rewrite;
use crate::durable::{Going, bytes_under, copy, copy_folder};
use crate::error::{AtPath, Result, StorageError};
use crate::index::{SEGMENTS, run, segment};
use std::ops::ControlFlow;
use std::path::Path;

impl Store {
    /// Copies the database, as of one moment, to `to`, where nothing may exist yet: the copy is a
    /// database like any other. It is complete and durable when this returns, and nothing is at
    /// `to` before. Reads go on meanwhile; commits wait while the documents are copied, but not for
    /// the segments. `progress` gets bytes; `Break` if it cancelled the copy.
    ///
    /// # Errors
    /// [`StorageError::Exists`], [`StorageError::NoSpace`], [`StorageError::Corrupt`] if a segment
    /// does not match its checksums, so that no damage is copied, and [`StorageError::Io`]; nothing
    /// is left at `to` then.
    pub fn backup(&self, to: impl AsRef<Path>, progress: OnStep<'_>) -> Result<ControlFlow<()>> {
        let (shared, to) = (&*self.shared, to.as_ref());
        let (staging, lock) = Staging::begin(to)?;
        let total_bytes = shared.disk_bytes()?;
        space::ensure(parent(to), shared.options.min_free_bytes.saturating_add(total_bytes))?;
        let mut bytes = 0;
        let mut going = |more: u64| {
            bytes += more;
            progress(Step { done: bytes, total: total_bytes.max(bytes) })
        };
        // Trees have no snapshots: nothing may write while they are copied. Segments never change,
        // and those of the snapshot stay mapped when their names go.
        let writer = shared.writer.lock();
        shared.unpoisoned()?;
        let (snapshot, documents) = (shared.current(), shared.documents());
        snapshot.ids_are_sound()?;
        if documents
            .copy_to(&rewrite::first(&staging.path), &|row| snapshot.is_sealed(row), &mut going)?
            .is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
        drop(writer);
        let folder = staging.path.join(SEGMENTS);
        std::fs::create_dir(&folder).at(&folder)?;
        for segment in &snapshot.segments {
            if let Some(what) = segment.damaged_sections().into_iter().next() {
                return Err(StorageError::corrupt(segment.path(), what));
            }
            let to = segment::file(&folder, segment.number);
            if copy(&mut segment.file_bytes(), &to, &mut going)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        for present in snapshot.growing.runs(snapshot.growing.rows()) {
            present.is_sound()?;
            let to = run::file(&folder, present.rows().start);
            if copy(&mut present.file_bytes(), &to, &mut going)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        staging.finish()?;
        drop(lock);
        Ok(ControlFlow::Continue(()))
    }

    /// Copies a backup, or any database that is not open, to `to`, where nothing may exist yet, and
    /// checks the copy before it gets its name. The backup is only read. `progress` gets bytes;
    /// `Break` if it cancelled the copy.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`backup`](Self::backup); [`StorageError::Corrupt`] with the
    /// first damage that the check finds, use [`rebuild`](Self::rebuild) then.
    pub fn restore(
        backup: impl AsRef<Path>,
        to: impl AsRef<Path>,
        options: StoreOptions,
        progress: OnStep<'_>,
    ) -> Result<ControlFlow<()>> {
        let (backup, to) = (backup.as_ref(), to.as_ref());
        if !backup.exists() {
            return Err(StorageError::NotFound { path: backup.to_owned() });
        }
        if !is_marked(backup)? {
            let what = "it has no LOCK file of a database".to_owned();
            return Err(StorageError::NotADatabase { path: backup.to_owned(), what });
        }
        let _unused = Lock::watch(backup)?;
        let (staging, lock) = Staging::begin(to)?;
        let total_bytes = bytes_under(backup)?;
        space::ensure(parent(to), options.min_free_bytes.saturating_add(total_bytes))?;
        let mut bytes = 0;
        let mut going = |more: u64| {
            bytes += more;
            progress(Step { done: bytes, total: total_bytes.max(bytes) })
        };
        if copy_parts(backup, &staging.path, &mut going)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let store = Self::open_locked(&staging.path, options, lock, None)?;
        let copied = Step { done: bytes, total: total_bytes.max(bytes) };
        let damage = match store.check_watched(&mut |_| progress(copied)) {
            Err(StorageError::Cancelled) => return Ok(ControlFlow::Break(())),
            checked => checked?,
        };
        // Closed before it is renamed: not every system can rename open files.
        drop(store);
        if let Some(Damage { path, what }) = damage.into_iter().next() {
            let path = path.strip_prefix(&staging.path).map_or(path.clone(), |inside| backup.join(inside));
            return Err(StorageError::Corrupt { path, what });
        }
        staging.finish()?;
        Ok(ControlFlow::Continue(()))
    }
}

/// Copies the current trees, and the segments.
fn copy_parts(from: &Path, to: &Path, going: Going<'_>) -> Result<ControlFlow<()>> {
    let Some((_, trees)) = rewrite::current(from)? else {
        let what = "it was never completely created".to_owned();
        return Err(StorageError::NotADatabase { path: from.to_owned(), what });
    };
    let segments = from.join(SEGMENTS);
    for folder in [&trees, &segments] {
        let name = folder.file_name().unwrap_or_default();
        if folder.exists() && copy_folder(folder, &to.join(name), going)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
