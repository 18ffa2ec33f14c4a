//! From the paths a user names to the files that will be read.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::WalkBuilder;
use postil_storage::Store;

use super::left_out::{LeftOut, Reasons};
use super::tree::{OpenError, Tree};
use crate::Error;
use crate::extract::{FileKind, Kind};

/// A file that will be read.
#[derive(Clone, Debug)]
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    pub(super) kind: FileKind,
    pub(super) bytes: u64,
    /// The folder it was found in, and the way from there; `None` for a file that was named itself.
    tree: Option<(Arc<Tree>, PathBuf)>,
}

impl SourceFile {
    /// Opens it, if it is still in the tree that it was found in.
    pub(super) fn open(&self) -> Result<File, Error> {
        let path = || self.path.clone();
        match &self.tree {
            None => File::open(&self.path).map_err(|source| Error::Read { path: path(), source }),
            Some((tree, below)) => tree.file(below).map_err(|error| match error {
                OpenError::Replaced => Error::Replaced { path: path() },
                OpenError::Io(source) => Error::Read { path: path(), source },
            }),
        }
    }
}

/// What a walk found: files in a stable order, and what could not be entered.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) files: Vec<SourceFile>,
    pub(super) failures: Vec<Error>,
    pub(super) left_out: LeftOut,
}

/// Files under `roots`: a file is taken whatever its ending; a folder gives the files of known endings
/// that `.gitignore` and `.ignore` allow. Links are not followed, so a walk stays inside its root and
/// ends, and neither are those that take the place of what was found; databases are not entered.
pub(super) fn walk(roots: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for root in roots {
        match std::fs::metadata(root) {
            Err(source) => found.failures.push(Error::Read { path: root.clone(), source }),
            Ok(metadata) if metadata.is_file() => found.files.push(SourceFile {
                kind: FileKind::of(root).unwrap_or(FileKind::Document(Kind::Plain)),
                path: root.clone(),
                bytes: metadata.len(),
                tree: None,
            }),
            Ok(_) => walk_folder(root, &mut found),
        }
    }
    found
}

fn walk_folder(root: &Path, found: &mut Found) {
    let tree = match Tree::open(root) {
        Ok(tree) => Arc::new(tree),
        Err(source) => {
            found.failures.push(Error::Read { path: root.to_owned(), source });
            return;
        }
    };
    let entries = WalkBuilder::new(root)
        .require_git(false)
        .sort_by_file_name(std::cmp::Ord::cmp)
        .filter_entry(|entry| !Store::is_database(entry.path()))
        .build();
    let (mut seen, mut folders) = (HashSet::new(), Vec::new());
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                found.failures.push(Error::Walk(error));
                continue;
            }
        };
        let Some(of_entry) = entry.file_type() else { continue };
        if of_entry.is_dir() {
            folders.push(entry.path().to_owned());
        }
        if of_entry.is_symlink() && entry.depth() > 0 {
            // Told with the others that the walk passes by.
            continue;
        }
        seen.insert(entry.path().to_owned());
        if !of_entry.is_file() {
            continue;
        }
        let Some(kind) = FileKind::of(entry.path()) else {
            found.left_out.unknown(entry.path());
            continue;
        };
        match entry.metadata() {
            Ok(metadata) => {
                let path = entry.into_path();
                let below = path.strip_prefix(root).unwrap_or(&path).to_owned();
                let tree = Some((Arc::clone(&tree), below));
                found.files.push(SourceFile { path, kind, bytes: metadata.len(), tree });
            }
            Err(error) => found.failures.push(Error::Walk(error)),
        }
    }
    let mut reasons = Reasons::default();
    for folder in folders {
        reasons.count(&folder, &seen, &mut found.left_out);
    }
}
