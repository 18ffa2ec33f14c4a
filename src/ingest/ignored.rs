//! The ignore file that excludes a file, for reports: the walk itself decides what is excluded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Names of ignore files, by precedence.
const RULES: [&str; 3] = [".ignore", ".gitignore", ".git/info/exclude"];

/// The ignore files of the folders above the entries left out.
pub(super) struct IgnoreFiles {
    folders: HashMap<PathBuf, [Gitignore; RULES.len()]>,
    everywhere: Gitignore,
    working_folder: PathBuf,
}

impl IgnoreFiles {
    pub(super) fn new() -> Self {
        let working_folder = std::env::current_dir().unwrap_or_default();
        Self { folders: HashMap::new(), everywhere: Gitignore::global().0, working_folder }
    }

    /// The ignore file that excludes an absolute path; an empty path when none is found.
    pub(super) fn which(&mut self, path: &Path, is_folder: bool) -> PathBuf {
        for (kind, name) in RULES.iter().enumerate() {
            for folder in path.ancestors().skip(1) {
                match self.rules(folder)[kind].matched(path, is_folder) {
                    Match::Ignore(_) => return self.shown(folder.join(name)),
                    Match::Whitelist(_) => break,
                    Match::None => {}
                }
            }
        }
        let excluded = match self.everywhere.matched(path, is_folder) {
            Match::Ignore(glob) => glob.from().map(Path::to_owned),
            _ => None,
        };
        excluded.map(|file| self.shown(file)).unwrap_or_default()
    }

    fn rules(&mut self, folder: &Path) -> &[Gitignore; RULES.len()] {
        self.folders.entry(folder.to_owned()).or_insert_with(|| {
            RULES.map(|name| {
                let mut rules = GitignoreBuilder::new(folder);
                // Unreadable rules exclude nothing, in the walk too.
                let _ = rules.add(folder.join(name));
                rules.build().unwrap_or_else(|_| Gitignore::empty())
            })
        })
    }

    /// Relative to the working folder when that is above.
    fn shown(&self, file: PathBuf) -> PathBuf {
        file.strip_prefix(&self.working_folder).map(Path::to_owned).unwrap_or(file)
    }
}
