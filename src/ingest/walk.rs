//! Paths that a user names to the files that will be read.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::{DirEntry, WalkBuilder};
use postil_storage::Store;

use super::ignored::IgnoreFiles;
use super::report::LeftOut;
use super::tree::{OpenError, Tree};
use crate::Error;
use crate::extract::{FileKind, Kind};
use crate::origin::{Origin, key_of, place_of};

/// A file that will be read.
#[derive(Clone, Debug)]
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    pub(super) place: PathBuf,
    pub(super) kind: FileKind,
    pub(super) bytes: u64,
    /// The folder it was found in, and its path relative to it; `None` for a file that was named
    /// itself.
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

    /// The origin of its documents.
    pub(super) fn origin(&self) -> Origin {
        Origin {
            place: self.place.clone(),
            given: key_of(&self.path),
            is_whole: matches!(self.kind, FileKind::Document(_)),
            is_link: self.tree.is_none() && self.path.is_symlink(),
            bytes: self.bytes,
        }
    }
}

/// A path that could not be walked.
#[derive(Debug)]
pub(super) struct Failure {
    /// The path, to name it by; empty when the system does not say.
    pub(super) source: String,
    pub(super) error: Error,
    /// Place of the path; `None` when the system does not say.
    pub(super) place: Option<PathBuf>,
}

/// The result of a walk: files in a stable order, each once, what was left out, and failures.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The places of the paths that were named.
    pub(super) roots: HashSet<PathBuf>,
    pub(super) files: Vec<SourceFile>,
    pub(super) left_out: LeftOut,
    pub(super) failures: Vec<Failure>,
}

/// Files under `roots`: a file is taken whatever its name; a folder gives the files of known
/// endings that are not hidden and that `.gitignore` and `.ignore` allow. Links are not followed,
/// not even those that replace a file after it was found, so a walk stays inside its root and ends;
/// databases are not entered.
pub(super) fn walk(roots: &[PathBuf]) -> Found {
    let mut found = Found::default();
    let mut places = HashSet::new();
    let mut ignore_files = None;
    for root in roots {
        let place = place_of(root);
        found.roots.insert(place.clone());
        match std::fs::metadata(root) {
            Err(source) => {
                let error = Error::Read { path: root.clone(), source };
                found.failures.push(Failure { source: key_of(root), error, place: Some(place) });
            }
            Ok(metadata) if metadata.is_file() => {
                if places.insert(place.clone()) {
                    found.files.push(SourceFile {
                        kind: FileKind::of(root).unwrap_or(FileKind::Document(Kind::Plain)),
                        path: root.clone(),
                        place,
                        bytes: metadata.len(),
                        tree: None,
                    });
                }
            }
            Ok(_) => walk_folder(root, &place, &mut places, &mut ignore_files, &mut found),
        }
    }
    found
}

fn walk_folder(
    root: &Path,
    place: &Path,
    places: &mut HashSet<PathBuf>,
    ignore_files: &mut Option<IgnoreFiles>,
    found: &mut Found,
) {
    let tree = match Tree::open(root) {
        Ok(tree) => Arc::new(tree),
        Err(source) => {
            let error = Error::Read { path: root.to_owned(), source };
            found.failures.push(Failure { source: key_of(root), error, place: Some(place.to_owned()) });
            return;
        }
    };
    let entries = WalkBuilder::new(root)
        .require_git(false)
        .sort_by_file_name(std::cmp::Ord::cmp)
        .filter_entry(|entry| !Store::is_database(entry.path()))
        .build();
    let mut yielded = HashSet::new();
    let mut folders = Vec::new();
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                found.failures.push(failure(error));
                continue;
            }
        };
        let below = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_owned();
        yielded.insert(below.clone());
        let file_place = place.join(&below);
        if entry.file_type().is_some_and(|kind| kind.is_dir()) {
            // A folder under two roots is walked twice, and what it leaves out is counted once.
            if places.insert(file_place) {
                folders.push(below);
            }
            continue;
        }
        match kind_of(&entry) {
            Err(passed) => {
                if places.insert(file_place) {
                    passed(&mut found.left_out, entry.path());
                }
            }
            Ok(kind) => match entry.metadata() {
                Err(error) => found.failures.push(failure(error)),
                Ok(metadata) => {
                    if places.insert(file_place.clone()) {
                        let tree = Some((Arc::clone(&tree), below));
                        let (path, bytes) = (entry.into_path(), metadata.len());
                        found.files.push(SourceFile { path, place: file_place, kind, bytes, tree });
                    }
                }
            },
        }
    }
    for folder in folders {
        count_ignored(root, place, &folder, &yielded, ignore_files, &mut found.left_out);
    }
}

fn failure(error: ignore::Error) -> Failure {
    let path = path_of(&error);
    let (source, place) = (path.map(key_of).unwrap_or_default(), path.map(place_of));
    Failure { source, error: Error::Walk(Box::new(error)), place }
}

/// The path of a walk's failure; `None` when the error does not say.
fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

/// The kind of an entry that is no folder, or the way to count it as left out.
fn kind_of(entry: &DirEntry) -> Result<FileKind, fn(&mut LeftOut, &Path)> {
    match entry.file_type() {
        Some(kind) if kind.is_symlink() => Err(|left_out, _| left_out.links += 1),
        Some(kind) if kind.is_file() => FileKind::of(entry.path()).ok_or(|left_out, path| {
            let ending = path.extension().map(OsStr::to_string_lossy);
            let ending = ending.map(|ending| ending.to_lowercase()).unwrap_or_default();
            *left_out.unknown.entry(ending).or_default() += 1;
        }),
        _ => Err(|left_out, _| left_out.special += 1),
    }
}

/// Counts the entries of a folder that the walk did not yield, hidden or ignored, without entering
/// any.
fn count_ignored(
    root: &Path,
    place: &Path,
    folder: &Path,
    yielded: &HashSet<PathBuf>,
    ignore_files: &mut Option<IgnoreFiles>,
    left_out: &mut LeftOut,
) {
    // A folder that cannot be read is among the failures of the walk.
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else { return };
    for entry in entries.flatten() {
        let (name, below) = (entry.file_name(), folder.join(entry.file_name()));
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let is_ours =
            matches!(name.to_str(), Some(".git" | ".gitignore" | ".ignore")) || yielded.contains(&below);
        if is_ours {
            continue;
        }
        if is_folder && Store::is_database(entry.path()) {
            left_out.databases += 1;
            continue;
        }
        left_out.folders += u64::from(is_folder);
        if name.as_encoded_bytes().starts_with(b".") {
            left_out.hidden += 1;
        } else {
            let ignore_files = ignore_files.get_or_insert_with(IgnoreFiles::new);
            *left_out.ignored.entry(ignore_files.which(&place.join(below), is_folder)).or_default() += 1;
        }
    }
}
