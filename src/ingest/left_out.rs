//! What a walk passed by, and why: nobody should have to wonder where a file is.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use ignore::gitignore::Gitignore;
use postil_storage::Store;

use crate::document::key_of;

/// Files that say what is ignored, those that count more first.
const IGNORE_FILES: [&str; 2] = [".ignore", ".gitignore"];
/// Folders of version control: nobody's documents.
const VERSION_CONTROL: [&str; 4] = [".git", ".hg", ".svn", ".jj"];
/// Ignored by what no file of the folders says: the user's own rules for Git.
const ELSEWHERE: &str = "rules of Git outside these folders";

/// Files and folders that an ingest of a folder did not take, counted. A folder that was not entered counts once,
/// whatever is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// By the file whose rules say so.
    pub ignored: BTreeMap<String, u64>,
    /// Whose names begin with a dot.
    pub hidden: u64,
    /// Links, which are not followed.
    pub links: u64,
    /// Databases.
    pub databases: u64,
    /// Of kinds that are not read, by their extension in lower case; "" for none.
    pub unknown: BTreeMap<String, u64>,
}

impl LeftOut {
    /// Number of files and folders.
    pub fn total(&self) -> u64 {
        let (ignored, unknown): (u64, u64) = (self.ignored.values().sum(), self.unknown.values().sum());
        ignored + unknown + self.hidden + self.links + self.databases
    }

    pub(super) fn unknown(&mut self, path: &Path) {
        let extension = path.extension().map(OsStr::to_string_lossy).unwrap_or_default();
        *self.unknown.entry(extension.to_lowercase()).or_default() += 1;
    }
}

impl fmt::Display for LeftOut {
    /// As "6 left out: 2 ignored by docs/.gitignore, 1 hidden, 3 of other kinds (.pdf 2, .rst 1)".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} left out", self.total())?;
        let mut between = ": ";
        let mut part = |f: &mut fmt::Formatter<'_>, what: fmt::Arguments<'_>| {
            f.write_str(std::mem::replace(&mut between, ", "))?;
            f.write_fmt(what)
        };
        for (by, count) in &self.ignored {
            part(f, format_args!("{count} ignored by {by}"))?;
        }
        if self.hidden > 0 {
            part(f, format_args!("{} hidden", self.hidden))?;
        }
        match self.links {
            0 => {}
            1 => part(f, format_args!("1 link"))?,
            links => part(f, format_args!("{links} links"))?,
        }
        match self.databases {
            0 => {}
            1 => part(f, format_args!("1 database"))?,
            databases => part(f, format_args!("{databases} databases"))?,
        }
        if !self.unknown.is_empty() {
            let kinds = self.unknown.iter().map(|(extension, count)| match extension.as_str() {
                "" => format!("without an extension {count}"),
                extension => format!(".{extension} {count}"),
            });
            let kinds: Vec<String> = kinds.collect();
            let count: u64 = self.unknown.values().sum();
            part(f, format_args!("{count} of other kinds ({})", kinds.join(", ")))?;
        }
        Ok(())
    }
}

/// Finds out, folder by folder, why entries were not taken.
#[derive(Default)]
pub(super) struct Reasons {
    rules: HashMap<PathBuf, Option<Gitignore>>,
}

impl Reasons {
    /// Counts what is in `folder` and was not among those `seen`.
    pub(super) fn count(&mut self, folder: &Path, seen: &HashSet<PathBuf>, left_out: &mut LeftOut) {
        // A folder that cannot be read was a failure of the walk.
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.filter_map(Result::ok) {
            let path = entry.path();
            if seen.contains(&path) || VERSION_CONTROL.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_symlink() {
                left_out.links += 1;
            } else if kind.is_dir() && Store::is_database(&path) {
                left_out.databases += 1;
            } else if entry.file_name().as_encoded_bytes().first() == Some(&b'.') {
                left_out.hidden += 1;
            } else {
                let by = self.ignored_by(folder, &path, kind.is_dir());
                *left_out.ignored.entry(by).or_default() += 1;
            }
        }
    }

    /// The file whose rules leave a path out: the nearest that has one about it.
    fn ignored_by(&mut self, folder: &Path, path: &Path, is_dir: bool) -> String {
        // The folders above the one that was named have rules too.
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let Some(name) = path.file_name() else { return ELSEWHERE.to_owned() };
        let whole = absolute.join(name);
        for above in absolute.ancestors() {
            for file in IGNORE_FILES {
                let file = above.join(file);
                let rules = self.rules.entry(file.clone()).or_insert_with(|| {
                    let (rules, _) = Gitignore::new(&file);
                    (!rules.is_empty()).then_some(rules)
                });
                let matched = rules.as_ref().map(|rules| rules.matched_path_or_any_parents(&whole, is_dir));
                if matched.is_some_and(|matched| matched.is_ignore()) {
                    return shown(&file);
                }
            }
        }
        ELSEWHERE.to_owned()
    }
}

/// A path as it would be typed here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    key_of(below.as_deref().unwrap_or(path))
}
