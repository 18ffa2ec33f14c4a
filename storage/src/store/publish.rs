//! Publications, which other processes may read beside the writer: a copy of the trees at one
//! moment, and links to the immutable files below them.
//!
//! sled cannot be opened twice, so readers never come near the trees in use. A publication is made
//! under a name with `.new` and renamed, and never changes. Removing one begins with renaming it,
//! so that a reader that still finds its name after copying it has all of it.

use super::Store;
use crate::documents::rewrite;
use crate::durable::{link_or_copy, sync_folder, sync_names};
use crate::error::{AtPath, Result};
use crate::index::{SEGMENTS, run, segment};
use std::path::{Path, PathBuf};

/// Folder of publications in a database.
pub(super) const PUBLISHED: &str = "published";
const UNFINISHED: &str = "new";
const GOING: &str = "old";

impl Store {
    /// Shows the committed state to stores opened with [`open_published`](Self::open_published), in
    /// this process or another one, once they open a [`newer`](Self::newer) state. Until the next call they
    /// see this state. Copies what changed since the last rewrite of the documents, and links to
    /// the rest; commits wait meanwhile. Removed documents stay in the files of a publication until
    /// another replaces it, after a [`compact`](Self::compact) and a later commit.
    ///
    /// # Errors
    /// As [`backup`](Self::backup); the previous publication stays then.
    pub fn publish(&self) -> Result<()> {
        let shared = &*self.shared;
        let folder = shared.path.join(PUBLISHED);
        let writer = shared.writer.lock();
        shared.writable()?;
        let place = folder.join(format!("{:012}", writer.generation));
        if place.exists() {
            // Sealing and compaction change the files, but not the content of the database.
            return Ok(());
        }
        std::fs::create_dir_all(&folder).at(&folder)?;
        let unfinished = place.with_extension(UNFINISHED);
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished).at(&unfinished)?;
        }
        let segments = unfinished.join(SEGMENTS);
        std::fs::create_dir_all(&segments).at(&segments)?;
        let snapshot = shared.current();
        snapshot.ids_are_sound()?;
        for present in &snapshot.segments {
            let link = segment::file(&segments, present.number);
            link_or_copy(present.path(), present.file_bytes(), &link)?;
        }
        for present in snapshot.growing.runs(snapshot.growing.rows()) {
            let link = run::file(&segments, present.rows().start);
            link_or_copy(present.path(), present.file_bytes(), &link)?;
        }
        shared.documents().publish_to(&rewrite::first(&unfinished), &|row| snapshot.is_sealed(row))?;
        drop(writer);
        sync_folder(&unfinished)?;
        std::fs::rename(&unfinished, &place).at(&place)?;
        sync_names(&folder)?;
        remove_others(&folder, &place)
    }
}

/// Returns the newest publication of a database, and its generation.
pub(super) fn newest(database: &Path) -> Result<Option<(u64, PathBuf)>> {
    let folder = database.join(PUBLISHED);
    if !folder.is_dir() {
        return Ok(None);
    }
    let mut newest = None;
    for entry in std::fs::read_dir(&folder).at(&folder)? {
        let path = entry.at(&folder)?.path();
        if let Some(generation) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) {
            newest = newest.max(Some((generation, path)));
        }
    }
    Ok(newest)
}

fn remove_others(folder: &Path, keep: &Path) -> Result<()> {
    let entries = std::fs::read_dir(folder).at(folder)?.map(|entry| Ok(entry.at(folder)?.path()));
    let others: Vec<PathBuf> =
        entries.filter(|path| !matches!(path, Ok(path) if path == keep)).collect::<Result<_>>()?;
    // Publications that a crash left half removed go first: the others need their names.
    let (going, others): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|path| path.extension().is_some_and(|extension| extension == GOING));
    for path in going {
        std::fs::remove_dir_all(&path).at(&path)?;
    }
    for path in others {
        let going =
            path.with_file_name(format!("{}.{GOING}", path.file_name().unwrap_or_default().display()));
        std::fs::rename(&path, &going).at(&path)?;
        std::fs::remove_dir_all(&going).at(&going)?;
    }
    Ok(())
}
