//! Rewriting all trees: sled never frees the space of removed entries, nor overwrites them. The
//! documents of the trees go into a new base, together with the entries of the old base that the
//! trees did not remove.
//!
//! The new trees are made under a name with `.new`, closed, and renamed: a folder without `.new` is
//! complete. The folder of the highest generation counts; a crash or a slow reader left the others.

use super::trees::BASE_KEY;
use super::{COMMITTED, Documents, Writes, base, keys};
use crate::durable::{Going, copy_folder_but, link_for_reading, link_or_copy, sync_folder, sync_names};
use crate::error::{AtPath, Result};
use crate::fault::{self, Point};
use crate::sync::atomic::{AtomicBool, Ordering};
use sled::IVec;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

const NAME: &str = "documents";
const UNFINISHED: &str = "new";
/// Bytes of one write to the new trees.
const BATCH_BYTES: usize = 1 << 20;

/// A complete copy of the trees that is not in use yet.
pub(crate) struct Copied {
    unfinished: PathBuf,
    path: PathBuf,
}

/// Returns the folder of a database's trees and the generation of their rewrite; `None` if the
/// database has no trees yet.
pub(crate) fn current(database: &Path) -> Result<Option<(u64, PathBuf)>> {
    Ok(folders(database)?.into_iter().filter_map(|(generation, path)| Some((generation?, path))).max())
}

/// Returns the folder for the first trees of a database.
pub(crate) fn first(database: &Path) -> PathBuf {
    database.join(NAME)
}

/// Makes the trees of a new database; they get their name once `writes` are durable in them. Trees
/// already there have no manifest.
pub(crate) fn create(database: &Path, writes: &Writes) -> Result<Documents> {
    for (_, path) in folders(database)? {
        std::fs::remove_dir_all(&path).at(&path)?;
    }
    let path = first(database);
    let unfinished = path.with_extension(UNFINISHED);
    let new = Documents::open(&unfinished)?;
    fault::reach(Point::CreateTrees)?;
    new.commit(writes)?;
    drop(new);
    Documents::take_place(&Copied { unfinished, path }, database)
}

/// True if a folder holds nothing but what a database begins with: its trees, and `others`.
pub(crate) fn is_begun(database: &Path, others: &[&str]) -> Result<bool> {
    let trees = folders(database)?;
    for entry in std::fs::read_dir(database).at(database)? {
        let path = entry.at(database)?.path();
        let ours = match path.file_name().and_then(|name| name.to_str()) {
            Some(COMMITTED) => true,
            Some(name) if others.contains(&name) => true,
            _ => match trees.iter().find(|(_, tree)| *tree == path) {
                Some((None, _)) => true,
                Some((Some(_), _)) => path.join("conf").is_file(),
                None => false,
            },
        };
        if !ours {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns all complete trees of a database, the newest first.
pub(crate) fn all(database: &Path) -> Result<Vec<PathBuf>> {
    let complete = folders(database)?.into_iter().filter_map(|(generation, path)| Some((generation?, path)));
    let mut complete: Vec<_> = complete.collect();
    complete.sort_unstable();
    Ok(complete.into_iter().rev().map(|(_, path)| path).collect())
}

/// True if a folder of a database is one of trees, current or left behind.
pub(crate) fn is_trees(path: &Path) -> bool {
    generation(path).is_some()
}

/// Removes all trees except `keep`.
pub(crate) fn remove_others(database: &Path, keep: &Path) -> Result<()> {
    for (_, path) in folders(database)?.into_iter().filter(|(_, path)| path != keep) {
        std::fs::remove_dir_all(&path).at(&path)?;
    }
    Ok(())
}

/// Returns all folders of trees; the generation is `None` for an unfinished one.
fn folders(database: &Path) -> Result<Vec<(Option<u64>, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(database).at(database)? {
        let path = entry.at(database)?.path();
        if let Some(generation) = generation(&path) {
            found.push((generation, path));
        }
    }
    Ok(found)
}

/// Returns the generation of a folder of trees: `Some(None)` if it is unfinished, `None` if it is
/// no such folder.
fn generation(path: &Path) -> Option<Option<u64>> {
    let rest = path.file_name()?.to_str()?.strip_prefix(NAME)?;
    let generation = match rest.strip_prefix('-') {
        None if rest.is_empty() => Some(0),
        None if rest == ".new" => None,
        Some(rest) if rest.ends_with(UNFINISHED) => None,
        rest => Some(rest?.parse().ok()?),
    };
    path.is_dir().then_some(generation)
}

impl Documents {
    /// Copies all trees to a new folder of the database, not used yet; `None` if it was cancelled.
    /// Nothing may be written to these trees from the call until the copy is in use.
    pub(crate) fn copied(
        &self,
        database: &Path,
        number: u64,
        sealed: &dyn Fn(u64) -> bool,
        stop: &AtomicBool,
    ) -> Result<Option<Copied>> {
        let path = database.join(format!("{NAME}-{number:012}"));
        let unfinished = path.with_extension(UNFINISHED);
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished).at(&unfinished)?;
        }
        let mut going = |_| match stop.load(Ordering::Acquire) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        match self.copy_to(&unfinished, sealed, &mut going) {
            Ok(ControlFlow::Continue(())) => {
                fault::reach(Point::RewriteClosed)?;
                Ok(Some(Copied { unfinished, path }))
            }
            ended => {
                // The unfinished copy may be what fills the disk; if it cannot be removed now, the
                // next attempt removes it.
                let _ = std::fs::remove_dir_all(&unfinished);
                ended.map(|_| None)
            }
        }
    }

    /// Makes the copy current, and opens it. After an error the next open may find either the old
    /// or the new trees: they are equal, and must stay so.
    pub(crate) fn take_place(copied: &Copied, database: &Path) -> Result<Self> {
        let Copied { unfinished, path } = copied;
        std::fs::rename(unfinished, path).at(path)?;
        fault::reach(Point::RewriteRenamed)?;
        sync_names(database)?;
        fault::reach(Point::RewriteFolderSynced)?;
        let new = Self::open(path)?;
        new.note_fewest_bytes()?;
        new.written.store(false, Ordering::Release);
        Ok(new)
    }

    /// True if nothing was written to the trees since they were copied.
    pub(crate) fn are_fresh(&self) -> bool {
        !self.written.load(Ordering::Acquire)
    }

    /// Writes everything to a new folder, durable and closed when this returns, unless `going`
    /// cancelled it: trees with what changes, without the vectors of `sealed` rows, and a base with
    /// the rest. Nothing may be written to these trees meanwhile.
    pub(crate) fn copy_to(
        &self,
        folder: &Path,
        sealed: &dyn Fn(u64) -> bool,
        going: Going<'_>,
    ) -> Result<ControlFlow<()>> {
        let new = Self::open(folder)?;
        fault::reach(Point::RewriteBegun)?;
        let ControlFlow::Continue(checksum) =
            base::write(&base::file(folder), |part| self.entries(part), going)?
        else {
            return Ok(ControlFlow::Break(()));
        };
        fault::reach(Point::RewriteBase)?;
        for (from, to) in [(&self.manifest, &new.manifest), (&self.removals, &new.removals)] {
            if self.copy_tree(from.iter(), to, folder, going)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if self.copy_vectors(&new, sealed, folder, going)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        match checksum {
            Some(checksum) => new.manifest.insert(BASE_KEY, &checksum.to_le_bytes()),
            None => new.manifest.remove(BASE_KEY),
        }
        .at(folder)?;
        new.closed(folder)?;
        Ok(ControlFlow::Continue(()))
    }

    /// As [`copy_to`](Self::copy_to), with a link to the base, so that only changes since the base
    /// was made are written.
    pub(crate) fn publish_to(&self, folder: &Path, sealed: &dyn Fn(u64) -> bool) -> Result<()> {
        let new = Self::open(folder)?;
        let going: Going<'_> = &mut |_| ControlFlow::Continue(());
        for (from, to) in self.trees().into_iter().zip(new.trees()) {
            if from.name() != self.vectors.name() {
                let flow = self.copy_tree(from.iter(), to, folder, going)?;
                debug_assert!(flow.is_continue());
            }
        }
        let flow = self.copy_vectors(&new, sealed, folder, going)?;
        debug_assert!(flow.is_continue());
        if let Some(base) = &self.base {
            link_or_copy(base.path(), base.content(), &base::file(folder))?;
        }
        new.closed(folder)
    }

    /// Copies vectors, except those of `sealed` rows.
    fn copy_vectors(
        &self,
        new: &Self,
        sealed: &dyn Fn(u64) -> bool,
        folder: &Path,
        going: Going<'_>,
    ) -> Result<ControlFlow<()>> {
        let growing = self.vectors.iter().filter(|entry| {
            let row = entry.as_ref().ok().and_then(|(row, _)| keys::read_id(row));
            !row.is_some_and(sealed)
        });
        self.copy_tree(growing, &new.vectors, folder, going)
    }

    fn copy_tree(
        &self,
        from: impl Iterator<Item = sled::Result<(IVec, IVec)>>,
        to: &sled::Tree,
        folder: &Path,
        going: Going<'_>,
    ) -> Result<ControlFlow<()>> {
        let (mut batch, mut bytes) = (sled::Batch::default(), 0);
        for entry in self.steps(from) {
            let (key, value) = entry?;
            bytes += key.len() + value.len();
            batch.insert(key, value);
            if bytes >= BATCH_BYTES {
                to.apply_batch(std::mem::take(&mut batch)).at(folder)?;
                if going(bytes as u64).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                bytes = 0;
            }
        }
        to.apply_batch(batch).at(folder)?;
        Ok(going(bytes as u64))
    }

    /// Closes trees that were written to a new folder; all of it is durable when this returns.
    fn closed(self, folder: &Path) -> Result<()> {
        fault::reach(Point::RewriteCopied)?;
        self.flush()?;
        drop(self);
        // sled syncs what it writes, but not the names of its files.
        sync_folder(folder)
    }
}

/// Copies closed trees, with a link to their base, for a read-only opener.
pub(crate) fn copy_for_reading(trees: &Path, to: &Path) -> Result<()> {
    let flow = copy_folder_but(trees, to, base::FILE, &mut |_| ControlFlow::Continue(()))?;
    debug_assert!(flow.is_continue());
    link_base(trees, to)
}

/// As [`copy_for_reading`], without the trees: the folder will get new ones.
pub(crate) fn copy_base_for_reading(trees: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir(to).at(to)?;
    link_base(trees, to)
}

fn link_base(trees: &Path, to: &Path) -> Result<()> {
    let file = base::file(trees);
    if file.is_file() { link_for_reading(&file, &base::file(to)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_the_highest_generation_counts() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path();
        assert_eq!(current(database).unwrap(), None);
        for name in
            ["documents", "documents-7", "documents-000000000012", "documents-99.new", "documents-x", "other"]
        {
            std::fs::create_dir(database.join(name)).unwrap();
        }
        let (generation, path) = current(database).unwrap().unwrap();
        assert_eq!((generation, &path), (12, &database.join("documents-000000000012")));
        remove_others(database, &path).unwrap();
        let mut left: Vec<_> = std::fs::read_dir(database).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["documents-000000000012", "documents-x", "other"]);
    }
}
