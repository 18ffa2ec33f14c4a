use std::path::Path;

use postil_extract::Kind;

/// The content of a file, judged by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// One document.
    Document(Kind),
    /// JSON Lines, a document on each: see [`jsonl`](super::jsonl).
    Records,
}

impl FileKind {
    /// The kind of a file by its extension, in any case; `None` for one that no kind has. What a
    /// file is read as is decided by its content where that shows it: see [`Kind::detect`].
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "jsonl" => Some(Self::Records),
            _ => Kind::of(path).map(Self::Document),
        }
    }
}
