//! Removing documents whose file is gone.

use std::collections::HashSet;
use std::path::PathBuf;

use postil_storage::{Batch, Value};

use super::{FILE_FIELD, Skipped};
use crate::document::key_of;
use crate::{Database, Error};

/// Keys removed in one commit.
const REMOVE_AT_ONCE: usize = 4096;

/// Removes the documents that came from `roots` and are not among `seen`; returns how many.
///
/// A file that is there but could not be read keeps its documents.
pub(super) fn prune(
    db: &Database,
    roots: &[PathBuf],
    seen: &HashSet<String>,
    skipped: &[Skipped],
) -> Result<u64, Error> {
    let roots: Vec<String> = roots.iter().filter(|root| root.exists()).map(|root| key_of(root)).collect();
    let unread: HashSet<&str> = skipped.iter().map(|skip| skip.source.as_str()).collect();
    let mut gone = Vec::new();
    for document in db.store().documents() {
        let document = document?;
        let Some(Value::String(file)) = document.metadata.get(FILE_FIELD) else { continue };
        let within = roots.iter().any(|root| is_within(file, root));
        if within && !seen.contains(&document.key) && !unread.contains(file.as_str()) {
            gone.push(document.key);
        }
    }
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
    if root.is_empty() {
        return !file.starts_with('/');
    }
    file.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || root.ends_with('/'))
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
    }
}
