//! A file's place, which identifies it under every spelling of its path, and its record in a
//! database.
//!
//! A place is an absolute path without links and `..`. The field [`PATH_FIELD`] holds it relative
//! to the database's folder, so that both can be moved together, and [`FILE_FIELD`] the path as it
//! was given to `ingest`. Older databases have only the latter, relative to the folder that
//! `ingest` was run in.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use parking_lot::Mutex;
use postil_storage::{Metadata, Value};

use super::{FILE_FIELD, PATH_FIELD};

/// Converts places to their records in a database, and back.
#[derive(Debug)]
pub(crate) struct Places {
    /// The folder that the database lies in.
    home: PathBuf,
    /// The working folder.
    here: PathBuf,
    /// Cache from folders as spelled to their places: most files share a folder.
    folders: Mutex<HashMap<PathBuf, PathBuf>>,
}

impl Places {
    /// Makes the converter for the database at `database`.
    pub(crate) fn of(database: &Path) -> Self {
        let database = place_of(database);
        let home = database.parent().unwrap_or(&database).to_owned();
        let here = std::env::current_dir().map_or_else(|_| home.clone(), |folder| place_of(&folder));
        Self { home, here, folders: Mutex::default() }
    }

    /// The path of a place relative to the database's folder; absolute when they have no folder in
    /// common.
    pub(crate) fn way(&self, place: &Path) -> String {
        let both = self.home.components().zip(place.components());
        let common = both.take_while(|(ours, theirs)| ours == theirs).map(|(ours, _)| ours);
        let (mut folders, mut shared) = (0, 0);
        for part in common {
            shared += 1;
            folders += usize::from(matches!(part, Component::Normal(_)));
        }
        if folders == 0 {
            return text_of(place);
        }
        let up = self.home.components().skip(shared).map(|_| Component::ParentDir);
        text_of(&up.chain(place.components().skip(shared)).collect::<PathBuf>())
    }

    /// The recorded place of a document's file, resolved from the database's folder; `None` without
    /// a file.
    pub(crate) fn noted(&self, metadata: &Metadata) -> Option<PathBuf> {
        let text = |field| match metadata.get(field) {
            Some(Value::String(text)) => Some(text.as_str()),
            _ => None,
        };
        let name = text(PATH_FIELD).or_else(|| text(FILE_FIELD))?;
        Some(self.resolved(&self.home.join(path_of(name))))
    }

    /// The place of a document's file; `None` without a file. When nothing is at the recorded
    /// place, its path as given may lead to the file from the working folder.
    pub(crate) fn of_document(&self, metadata: &Metadata) -> Option<PathBuf> {
        let noted = self.noted(metadata)?;
        let given = match metadata.get(FILE_FIELD) {
            Some(Value::String(given)) => self.resolved(&self.here.join(path_of(given))),
            _ => return Some(noted),
        };
        Some(if given != noted && given.exists() && !noted.exists() { given } else { noted })
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

/// The place of a path. For a missing file, the nearest existing folder above it is resolved.
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

/// A canonical path in the usual spelling.
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

/// A path as text, unique for each path. Bytes that are not UTF-8 are written as `\xE9`; a
/// backslash that begins such four characters in a name is escaped in the same way.
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

/// The byte of an escape such as `\xE9` at the start of a text; `None` without one.
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
    fn a_place_is_noted_by_the_way_from_the_database_and_found_by_it() {
        let home = tempfile::tempdir().unwrap();
        let home = std::fs::canonicalize(home.path()).unwrap();
        std::fs::create_dir(home.join("dbs")).unwrap();
        let places = Places::of(&home.join("dbs/d.postil"));
        let noted =
            |way: String| places.noted(&Metadata::from([(PATH_FIELD.to_owned(), way.into())])).unwrap();
        for (below, way) in [("dbs/docs/a.txt", "docs/a.txt"), ("a.txt", "../a.txt"), ("x/y", "../x/y")] {
            let place = home.join(below);
            assert_eq!(places.way(&place), way);
            assert_eq!(noted(places.way(&place)), place);
        }
        let far = Path::new("/nothing-in-common/a.txt");
        assert_eq!(noted(places.way(far)), far);
    }
}
