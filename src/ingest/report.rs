//! The report of an ingest: documents stored, skipped and left out.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::Error;
use crate::extract::ExtractError;

/// The result of an ingest.
#[derive(Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Ingested {
    /// New documents.
    pub added: u64,
    /// Documents whose content had changed.
    pub replaced: u64,
    /// Documents that were stored already, byte for byte.
    pub unchanged: u64,
    /// Documents removed: their file or record is now empty, their record is no longer in its file,
    /// or their file was pruned; includes those `merged`.
    pub removed: u64,
    /// Documents removed because their file has another one; included in `removed`.
    pub merged: Vec<Merged>,
    /// Number of documents kept although their file is missing or left out now;
    /// [`IngestOptions::prune`] removes them.
    ///
    /// [`IngestOptions::prune`]: super::IngestOptions::prune
    pub stale: u64,
    /// Passages embedded and committed.
    pub passages: u64,
    /// Documents and files that could not be ingested, with the reasons; all others were.
    pub skipped: Vec<Skipped>,
    /// Parts of ingested documents that could not be read, such as scanned pages.
    pub unread: Vec<Unread>,
    /// Files and folders that were not to be ingested.
    pub left_out: LeftOut,
    /// Metadata fields dropped from records, by name, with the number of records:
    /// [`FILE_FIELD`](super::FILE_FIELD) and [`PATH_FIELD`](super::PATH_FIELD) are reserved for the
    /// file that a record is read from.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialize::by_field"))]
    pub fields_left_out: BTreeMap<String, u64>,
    /// True when [`Cancel`](crate::Cancel) ended it early.
    pub interrupted: bool,
}

impl Ingested {
    /// True when there was nothing to ingest: no document was found or removed, and nothing failed.
    #[must_use]
    pub fn found_nothing(&self) -> bool {
        let Self { added, replaced, unchanged, removed, .. } = self;
        added + replaced + unchanged + removed == 0 && self.skipped.is_empty() && !self.interrupted
    }

    /// The reasons of [`skipped`](Self::skipped) with their counts, the most frequent first:
    /// `2 not text in UTF-8, 1 empty`.
    #[must_use]
    pub fn skipped_by_reason(&self) -> String {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for skipped in &self.skipped {
            *counts.entry(skipped.reason()).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        let told: Vec<_> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        told.join(", ")
    }
}

/// A document removed because its file was stored twice, under two spellings of its path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Merged {
    /// Key of the document that stays.
    pub kept: String,
    /// Key of the one that is removed.
    pub removed: String,
}

/// Parts of a document that could not be read; the rest was ingested.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Unread {
    /// The file, or the document's key.
    pub source: String,
    /// Each part with the reason: `page 3: a picture without text`.
    pub parts: Vec<String>,
}

/// A document or file that could not be ingested.
#[derive(Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Skipped {
    /// The file, or the document's key.
    pub source: String,
    /// The reason.
    pub error: Error,
    /// True when the database keeps the version of an earlier ingest.
    pub kept: bool,
}

impl Skipped {
    /// The reason in a few words, the same for all errors of a kind: `not text in UTF-8`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        use std::io::ErrorKind;
        match &self.error {
            Error::EmptyDocument { .. } => "empty",
            Error::FileTooLarge { .. } => "too large",
            Error::RepeatedKey { .. } => "with a key that came before",
            Error::Record { .. } => "no record",
            Error::Replaced { .. } => "replaced meanwhile",
            Error::Read { source, .. } if source.kind() == ErrorKind::NotFound => "not there",
            Error::Extract { source, .. } => match source {
                ExtractError::NotUtf8 { .. } => "not text in UTF-8",
                ExtractError::Encrypted { .. } | ExtractError::Encryption { .. } => "encrypted",
                ExtractError::OnlyPictures { .. } => "scanned",
                ExtractError::NotBuilt { .. } => "of a format that this build does not read",
                ExtractError::TooMuchText { .. } | ExtractError::TooLarge { .. } => "too large",
                ExtractError::OutOfTime { .. } => "too slow to read",
                _ => "damaged",
            },
            Error::Storage(_) => "refused by the database",
            _ => "unreadable",
        }
    }
}

/// Files and folders that a walk left out. A folder that was not entered counts as one.
///
/// Displayed as `2 ignored by docs/.gitignore, 1 hidden`; as an empty text when nothing was left
/// out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LeftOut {
    /// Files and folders that an ignore file excludes, by the ignore file: its path from the
    /// working folder, or absolute; empty when the file with the rule was not found.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialize::by_path"))]
    pub ignored: BTreeMap<PathBuf, u64>,
    /// Files and folders whose name begins with a dot, except `.git` and ignore files.
    pub hidden: u64,
    /// Files of unknown kinds by their ending, in lower case and without its dot; empty for none.
    pub unknown: BTreeMap<String, u64>,
    /// Symbolic links.
    pub links: u64,
    /// Pipes, sockets and devices.
    pub special: u64,
    /// Databases.
    pub databases: u64,
    /// Folders among the ignored and hidden.
    pub folders: u64,
}

/// Most kinds of files that are listed.
const TOLD: usize = 5;

impl LeftOut {
    /// Files and folders that were left out.
    #[must_use]
    pub fn count(&self) -> u64 {
        let Self { ignored, hidden, unknown, links, special, databases, folders: _ } = self;
        ignored.values().chain(unknown.values()).sum::<u64>() + hidden + links + special + databases
    }

    /// Noun for the counted things: `file`, `folder`, `files` or `files and folders`.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match (self.count(), self.folders) {
            (1, 1) => "folder",
            (_, 1..) => "files and folders",
            (1, _) => "file",
            _ => "files",
        }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (by, count) in &self.ignored {
            parts.push(match by.as_os_str().is_empty() {
                true => format!("{count} ignored by rules of git"),
                false => format!("{count} ignored by {}", by.display()),
            });
        }
        if self.hidden > 0 {
            parts.push(format!("{} hidden", self.hidden));
        }
        let unknown: u64 = self.unknown.values().sum();
        if unknown > 0 {
            parts.push(format!("{unknown} of kinds that are not read ({})", self.kinds()));
        }
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        if self.links > 0 {
            parts.push(format!("{} link{}", self.links, plural(self.links)));
        }
        if self.special > 0 {
            let s = plural(self.special);
            parts.push(format!("{} pipe{s} or device{s}", self.special));
        }
        if self.databases > 0 {
            parts.push(format!("{} database{}", self.databases, plural(self.databases)));
        }
        f.write_str(&parts.join(", "))
    }
}

impl LeftOut {
    /// The unknown kinds, the most frequent first.
    fn kinds(&self) -> String {
        let mut kinds: Vec<(&str, u64)> =
            self.unknown.iter().map(|(ending, &count)| (ending.as_str(), count)).collect();
        kinds.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        let rest: u64 = kinds.iter().skip(TOLD).map(|(_, count)| count).sum();
        let mut told: Vec<String> = kinds
            .iter()
            .take(TOLD)
            .map(|&(ending, count)| match ending {
                "" => format!("{count} without an ending"),
                _ => format!("{count} .{ending}"),
            })
            .collect();
        if rest > 0 {
            told.push(format!("{rest} more"));
        }
        told.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_told_in_one_line() {
        let mut left_out = LeftOut::default();
        assert_eq!((left_out.to_string(), left_out.count()), (String::new(), 0));
        left_out.ignored.insert("root/.gitignore".into(), 2);
        left_out.hidden = 1;
        assert_eq!(left_out.to_string(), "2 ignored by root/.gitignore, 1 hidden");
        assert_eq!((left_out.count(), left_out.noun()), (3, "files"));
        left_out.folders = 1;
        left_out.links = 1;
        left_out.special = 2;
        left_out.databases = 1;
        for (ending, count) in [("", 1), ("a", 2), ("b", 1), ("c", 1), ("d", 9), ("e", 1), ("f", 3)] {
            left_out.unknown.insert(ending.into(), count);
        }
        assert_eq!(
            left_out.to_string(),
            "2 ignored by root/.gitignore, 1 hidden, 18 of kinds that are not read (9 .d, 3 .f, 2 .a, 1 without an \
             ending, 1 .b, 2 more), 1 link, 2 pipes or devices, 1 database"
        );
        assert_eq!((left_out.count(), left_out.noun()), (25, "files and folders"));
    }
}
