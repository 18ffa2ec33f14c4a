//! A file's place, by which it is recognised under every spelling of its path, and the text that a database keeps of it.
//!
//! A place is an absolute path without links and `..`. A database keeps it in the field [`FILE_FIELD`](super::FILE_FIELD),
//! relative to the folder that the database lies in where it is below that folder, so that both can be moved together.
//! Older databases have the path there as it was given to `ingest`, relative to whatever folder that was run in.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use parking_lot::Mutex;
use postil_storage::Value;

use super::FILE_FIELD;

/// The file that a document was read from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// Its place.
    pub(crate) place: PathBuf,
    /// The key that its path gives, as it was spelled; `None` for a record, which has a key of its own.
    pub(crate) key: Option<String>,
    /// Whether its path is a link, so that it may be another file tomorrow.
    pub(crate) is_link: bool,
    /// Its size.
    pub(crate) bytes: u64,
}

/// From places to what a database keeps of them, and back.
#[derive(Debug)]
pub(crate) struct Places {
    /// The folder that the database lies in.
    home: PathBuf,
    /// The working folder, where it is another one.
    elsewhere: Option<PathBuf>,
    /// Folders as they are spelled, and their places: most files share theirs with others.
    folders: Mutex<HashMap<PathBuf, PathBuf>>,
}

impl Places {
    /// Those of the database at `database`.
    pub(crate) fn of(database: &Path) -> Self {
        let database = place_of(database);
        let home = database.parent().unwrap_or(&database).to_owned();
        let elsewhere = std::env::current_dir().ok().map(|folder| place_of(&folder));
        Self { elsewhere: elsewhere.filter(|folder| *folder != home), home, folders: Mutex::default() }
    }

    /// The text kept of a place.
    pub(crate) fn name(&self, place: &Path) -> String {
        text_of(place.strip_prefix(&self.home).unwrap_or(place))
    }

    /// The place that a kept text names.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.resolved(&self.home.join(path_of(name)))
    }

    /// The place of a document's file, if it has one: where a text of an older database names a file of the working
    /// folder and none beside the database, that file is meant.
    pub(crate) fn place_of_document(&self, document: &postil_storage::Document) -> Option<PathBuf> {
        let Some(Value::String(name)) = document.metadata.get(FILE_FIELD) else { return None };
        let place = self.place(name);
        Some(match self.other_place(name) {
            Some(other) if other.exists() && !place.exists() => other,
            _ => place,
        })
    }

    /// The place that a relative text names from the working folder.
    fn other_place(&self, name: &str) -> Option<PathBuf> {
        let path = path_of(name);
        let elsewhere = self.elsewhere.as_ref().filter(|_| path.is_relative())?;
        Some(self.resolved(&elsewhere.join(path)))
    }

    /// The place of an absolute path whose last component is no link.
    fn resolved(&self, path: &Path) -> PathBuf {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return place_of(path) };
        let mut folders = self.folders.lock();
        if let Some(place) = folders.get(folder) {
            return place.join(name);
        }
        let place = place_of(folder);
        let joined = place.join(name);
        folders.insert(folder.to_owned(), place);
        joined
    }
}

/// The place of a path. Of what is not there, the nearest folder above that is there decides.
pub(crate) fn place_of(path: &Path) -> PathBuf {
    if let Ok(place) = std::fs::canonicalize(path) {
        return plain(place);
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (absolute.parent(), absolute.components().next_back()) {
        (Some(parent), Some(Component::Normal(name))) => place_of(parent).join(name),
        (Some(parent), Some(Component::ParentDir)) => {
            let below = place_of(parent);
            below.parent().map(Path::to_owned).unwrap_or(below)
        }
        _ => absolute,
    }
}

/// A canonical path as other programs write it.
#[cfg(windows)]
fn plain(place: PathBuf) -> PathBuf {
    let spelled = place.to_str().and_then(|text| text.strip_prefix(r"\\?\"));
    spelled.filter(|text| !text.starts_with("UNC")).map(PathBuf::from).unwrap_or(place)
}

#[cfg(not(windows))]
fn plain(place: PathBuf) -> PathBuf {
    place
}

/// The key that a file gets: its path as given, with forward slashes and without `./`.
pub(crate) fn key_of(path: &Path) -> String {
    let path: PathBuf = path.components().filter(|part| !matches!(part, Component::CurDir)).collect();
    text_of(&path)
}

/// A path as text, another one for each path. Bytes that are not UTF-8 are written `\xE9`; where a name has these four
/// characters itself, its backslash is written so.
fn text_of(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        let valid = chunk.valid();
        for (at, c) in valid.char_indices() {
            match c {
                std::path::MAIN_SEPARATOR => text.push('/'),
                '\\' if escaped(&valid.as_bytes()[at..]).is_some() => text.push_str(r"\x5C"),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!(r"\x{byte:02X}"));
        }
    }
    text
}

/// The byte that `\xE9` at the beginning of a text stands for.
fn escaped(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| text.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    let value = text.starts_with(br"\x").then(|| Some(digit(2)? * 16 + digit(3)?))??;
    u8::try_from(value).ok()
}

/// The path that [`text_of`] wrote.
fn path_of(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let byte = escaped(rest);
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &rest[4..] } else { after };
    }
    path_of_bytes(bytes, text)
}

#[cfg(unix)]
fn path_of_bytes(bytes: Vec<u8>, _: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
fn path_of_bytes(bytes: Vec<u8>, text: &str) -> PathBuf {
    String::from_utf8(bytes).map_or_else(|_| text.into(), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_text_however_it_is_spelled_with_dots_and_slashes() {
        for spelled in ["d/a.txt", "./d/a.txt", "d//a.txt", "d/./a.txt", "././d/a.txt"] {
            assert_eq!(key_of(Path::new(spelled)), "d/a.txt", "{spelled}");
        }
        assert_eq!(key_of(Path::new("../a.txt")), "../a.txt");
        assert_eq!(key_of(Path::new(".")), "");
        assert_eq!(key_of(Path::new("/")), "/");
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_utf8_are_texts_of_their_own_and_come_back() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let names: [&[u8]; 9] = [
            b"caf\xe9",
            b"caf\xe8",
            "caf\u{fffd}".as_bytes(),
            br"caf\xE9",
            br"caf\xE8",
            br"caf\x5CxE9",
            br"a\b",
            b"\\x\xe9",
            br"\x",
        ];
        let texts: std::collections::HashSet<String> = names
            .iter()
            .map(|name| {
                let path = Path::new(OsStr::from_bytes(name));
                let text = text_of(path);
                assert_eq!(path_of(&text), path, "{text}");
                text
            })
            .collect();
        assert_eq!(texts.len(), names.len());
        assert_eq!(text_of(Path::new(OsStr::from_bytes(b"caf\xe9.txt"))), r"caf\xE9.txt");
        assert_eq!(text_of(Path::new(r"a\b")), r"a\b");
    }

    #[cfg(unix)]
    #[test]
    fn a_place_is_the_same_through_links_and_dots_and_of_what_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let home = std::fs::canonicalize(home.path()).unwrap();
        std::fs::create_dir_all(home.join("real/sub")).unwrap();
        std::fs::write(home.join("real/sub/a.txt"), "a").unwrap();
        std::os::unix::fs::symlink("real", home.join("link")).unwrap();
        let place = home.join("real/sub/a.txt");
        for spelled in ["real/sub/a.txt", "link/sub/a.txt", "real/../link/sub/../sub/a.txt"] {
            assert_eq!(place_of(&home.join(spelled)), place, "{spelled}");
        }
        std::fs::remove_dir_all(home.join("real/sub")).unwrap();
        assert_eq!(place_of(&home.join("link/sub/a.txt")), place);
    }

    #[test]
    fn what_lies_beside_a_database_is_kept_relative_to_it() {
        let home = tempfile::tempdir().unwrap();
        let home = std::fs::canonicalize(home.path()).unwrap();
        let places = Places::of(&home.join("d.postil"));
        assert_eq!(places.name(&home.join("docs/a.txt")), "docs/a.txt");
        assert_eq!(places.place("docs/a.txt"), home.join("docs/a.txt"));
        let outside = home.parent().unwrap().join("a.txt");
        assert_eq!(places.place(&places.name(&outside)), outside);
    }
}
