//! Removing documents whose file is gone.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use postil_storage::{Batch, Value};

use super::identity::Base;
use super::{FILE_FIELD, Skipped};
use crate::document::key_of;
use crate::{Database, Error};

/// Keys removed in one commit.
const REMOVE_AT_ONCE: usize = 4096;

/// Removes the documents that came from `roots` and are not among `seen`; returns how many.
///
/// What is there but could not be read, a file or a folder, keeps its documents; with a failure of which the place is
/// not known, everything does. A file that has become empty does not.
pub(super) fn prune(
    db: &Database,
    roots: &[PathBuf],
    seen: &HashSet<String>,
    skipped: &[Skipped],
) -> Result<u64, Error> {
    let base = Base::of(db);
    let canonical = |path: &Path| std::fs::canonicalize(path).ok();
    let present: Vec<&PathBuf> = roots.iter().filter(|root| root.exists()).collect();
    let named: Vec<String> = present.iter().map(|root| key_of(root)).collect();
    let placed: Vec<PathBuf> = present.iter().filter_map(|root| canonical(root)).collect();
    let unread: HashSet<&str> = skipped
        .iter()
        .filter(|skip| !matches!(skip.error, Error::EmptyDocument { .. }))
        .map(|skip| skip.source.as_str())
        .collect();
    if unread.contains("") {
        return Ok(0);
    }
    let unread_places: Vec<PathBuf> = unread.iter().filter_map(|place| canonical(Path::new(place))).collect();
    let mut gone = Vec::new();
    for document in db.store().documents() {
        let document = document?;
        let Some(Value::String(file)) = document.metadata.get(FILE_FIELD) else { continue };
        let place = base.path(&document.metadata);
        let is_under = |places: &[PathBuf]| {
            place.as_ref().is_some_and(|place| places.iter().any(|root| place.starts_with(root)))
        };
        let is_unread = || unread.iter().any(|place| is_within(file, place)) || is_under(&unread_places);
        let within = match place {
            Some(_) => is_under(&placed),
            None => named.iter().any(|root| is_within(file, root)),
        };
        if within && !seen.contains(&document.key) && !is_unread() {
            gone.push(document.key);
        }
    }
    remove(db, &gone)
}

/// Removes the documents of files that have none any more; returns how many.
pub(super) fn emptied(db: &Database, files: &[PathBuf]) -> Result<u64, Error> {
    let files: HashSet<PathBuf> = files.iter().filter_map(|file| std::fs::canonicalize(file).ok()).collect();
    if files.is_empty() {
        return Ok(0);
    }
    let base = Base::of(db);
    let mut gone = Vec::new();
    for document in db.store().documents() {
        let document = document?;
        if base.path(&document.metadata).is_some_and(|path| files.contains(&path)) {
            gone.push(document.key);
        }
    }
    remove(db, &gone)
}

/// Removes documents, many at once; returns how many there were.
pub(super) fn remove(db: &Database, gone: &[String]) -> Result<u64, Error> {
    let mut removed = 0;
    for keys in gone.chunks(REMOVE_AT_ONCE) {
        let mut batch = Batch::new();
        for key in keys {
            batch.remove(key.clone());
        }
        removed += db.store().commit(batch)?.removed as u64;
    }
    Ok(removed)
}

/// Whether `file` is `root` or lies under it; the empty root is the present folder.
fn is_within(file: &str, root: &str) -> bool {
    let below = if root.is_empty() {
        Some(file).filter(|file| !file.starts_with('/'))
    } else {
        let rest = file.strip_prefix(root);
        rest.filter(|rest| rest.is_empty() || rest.starts_with('/') || root.ends_with('/'))
    };
    // `..` after a root that ends in `..` leads further up, and out of it.
    below.is_some_and(|below| below.trim_start_matches('/').split('/').next() != Some(".."))
}

#[cfg(test)]
mod tests {
    use super::is_within;

    #[test]
    fn a_file_is_within_its_folder_but_not_within_one_whose_name_it_shares() {
        assert!(is_within("docs/a.md", "docs"));
        assert!(is_within("docs", "docs"));
        assert!(is_within("docs/a.md", ""));
        assert!(is_within("/docs/a.md", "/"));
        assert!(!is_within("docs2/a.md", "docs"));
        assert!(!is_within("/elsewhere/a.md", ""));
        assert!(!is_within("../elsewhere/a.md", ""));
        assert!(is_within("../elsewhere/a.md", ".."));
        assert!(!is_within("../../elsewhere/a.md", ".."));
    }
}
