//! The folder has no unknown files, and every known file is there.

use super::report::Damage;
use crate::documents::{COMMITTED, Documents, Manifest, base, rewrite};
use crate::error::{AtPath, Result};
use crate::index::{SEGMENTS, run, segment};
use crate::store::lock::LOCK_FILE;
use crate::store::publish::PUBLISHED;
use crate::store::shared::Shared;
use crate::store::snapshot::Snapshot;
use std::path::Path;

pub(super) fn check(
    shared: &Shared,
    manifest: &Manifest,
    documents: &Documents,
    snapshot: &Snapshot,
    damage: &mut Vec<Damage>,
) -> Result<()> {
    let mut report = |path: &Path, what: &str| {
        damage.push(Damage { path: path.to_owned(), what: what.to_owned() });
    };
    for entry in std::fs::read_dir(&shared.path).at(&shared.path)? {
        let path = entry.at(&shared.path)?.path();
        let known =
            [LOCK_FILE, COMMITTED, SEGMENTS, PUBLISHED].iter().any(|name| shared.path.join(name) == path);
        // Trees that a compaction replaced stay while a reader uses them; the next open removes
        // them at the latest.
        if !known && !rewrite::is_trees(&path) && path.symlink_metadata().is_ok() {
            report(&path, "is no part of the database");
        }
    }
    if rewrite::current(&shared.path)?.is_none_or(|(_, current)| current != documents.path()) {
        report(documents.path(), "the trees in use are not those that the next open would read");
    }
    let base = base::file(documents.path());
    match documents.base() {
        None if base.exists() => report(&base, "is no part of the database"),
        Some(_) if !base.is_file() => report(&base, "the documents name this file, and it is not there"),
        _ => {}
    }
    let folder = &shared.segments_folder;
    let segments = manifest.segments.iter().map(|entry| segment::file(folder, entry.number));
    // The check of rows compares these runs with those of the manifest.
    let runs = snapshot.growing.runs(snapshot.growing.rows()).map(|run| run::file(folder, run.rows().start));
    let adopted: Vec<_> = segments.chain(runs).collect();
    // The indexer may write this file during a check; a failed one of this name is overwritten.
    let next = segment::file(folder, manifest.next_segment);
    for entry in std::fs::read_dir(folder).at(folder)? {
        let path = entry.at(folder)?.path();
        if !adopted.contains(&path) && path.with_extension("seg") != next {
            report(&path, "is no part of the database");
        }
    }
    for path in adopted.iter().filter(|path| !path.is_file()) {
        report(path, "the manifest names this file, and it is not there");
    }
    Ok(())
}
