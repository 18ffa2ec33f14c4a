//! From the paths a user names to the files that will be read.

use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use postil_storage::Store;

use crate::Error;
use crate::extract::{FileKind, Kind};

/// A file that will be read.
#[derive(Clone, Debug)]
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    pub(super) kind: FileKind,
    pub(super) bytes: u64,
}

/// What a walk found: files in a stable order, and what could not be entered.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) files: Vec<SourceFile>,
    pub(super) failures: Vec<Error>,
}

/// Files under `roots`: a file is taken whatever its ending; a folder gives the files of known endings
/// that `.gitignore` and `.ignore` allow. Links are not followed, so a walk stays inside its root and
/// ends; databases are not entered.
pub(super) fn walk(roots: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for root in roots {
        match std::fs::metadata(root) {
            Err(source) => found.failures.push(Error::Read { path: root.clone(), source }),
            Ok(metadata) if metadata.is_file() => found.files.push(SourceFile {
                kind: FileKind::of(root).unwrap_or(FileKind::Document(Kind::Plain)),
                path: root.clone(),
                bytes: metadata.len(),
            }),
            Ok(_) => walk_folder(root, &mut found),
        }
    }
    found
}

fn walk_folder(root: &Path, found: &mut Found) {
    let entries = WalkBuilder::new(root)
        .require_git(false)
        .sort_by_file_name(std::cmp::Ord::cmp)
        .filter_entry(|entry| !Store::is_database(entry.path()))
        .build();
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                found.failures.push(Error::Walk(error));
                continue;
            }
        };
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let Some(kind) = FileKind::of(entry.path()) else { continue };
        match entry.metadata() {
            Ok(metadata) => {
                found.files.push(SourceFile { path: entry.into_path(), kind, bytes: metadata.len() });
            }
            Err(error) => found.failures.push(Error::Walk(error)),
        }
    }
}
