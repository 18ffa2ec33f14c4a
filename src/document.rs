use std::io::Read;
use std::path::{Path, PathBuf};

use postil_storage::{DEFAULT_MAX_TEXT_BYTES, Metadata, Value};

use crate::Error;
use crate::chunk::{Format, Outline};
use crate::extract::{self, Extracted, FileKind, Kind, OffsetMap};
use crate::ingest::FILE_FIELD;

/// A text to ingest, under a key that names it for good: ingesting the key again replaces it.
#[derive(Clone, Debug)]
pub struct Document {
    /// Unique in the database: a path, a URL, any name.
    pub key: String,
    /// Shown with the document and given to the encoder before each of its passages; where it is empty, a Markdown
    /// document is shown with the title that it gives itself.
    pub title: String,
    /// What is searched and quoted.
    pub text: String,
    /// Fields that filters can name.
    pub metadata: Metadata,
    /// How the text is split into passages.
    pub format: Format,
    /// Where each byte of `text` stands in the original.
    pub(crate) map: OffsetMap,
    /// Its structure, where the text does not show it.
    pub(crate) outline: Option<Outline>,
    /// The file it was read from.
    pub(crate) origin: Option<Origin>,
    /// What it calls itself; its title where none is given, and never embedded.
    pub(crate) own_title: Option<String>,
}

impl Document {
    /// Plain text.
    pub fn new(key: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            key: key.into(),
            title: String::new(),
            map: OffsetMap::identity(text.len()),
            text,
            metadata: Metadata::new(),
            format: Format::Plain,
            outline: None,
            origin: None,
            own_title: None,
        }
    }

    /// Markdown: headings travel with their sections, fences stay whole where they fit.
    pub fn markdown(key: impl Into<String>, text: impl Into<String>) -> Self {
        let document = Self::new(key, text);
        let own_title = crate::chunk::markdown_title(&document.text);
        Self { format: Format::Markdown, own_title, ..document }
    }

    /// Bytes of a given kind; HTML loses its tags, and citations still point into these bytes.
    ///
    /// # Errors
    /// [`Error::Extract`] when the bytes are not UTF-8.
    pub fn from_bytes(key: impl Into<String>, bytes: &[u8], kind: Kind) -> Result<Self, Error> {
        let key = key.into();
        match extract::extract(bytes, kind) {
            Ok(Extracted { text, format, outline, title, map }) => Ok(Self {
                key,
                // Markdown's own title is in the text that is embedded.
                title: if format == Format::Html { title.clone().unwrap_or_default() } else { String::new() },
                text,
                metadata: Metadata::new(),
                format,
                map,
                outline,
                origin: None,
                own_title: title,
            }),
            Err(source) => Err(Error::Extract { key, source }),
        }
    }

    /// Reads a file as [`Database::ingest_from`](crate::Database::ingest_from) does: its path becomes the key, its ending
    /// decides the kind (plain text if unknown). Of a file that the database knows under another spelling of its path, it
    /// is the same document.
    ///
    /// # Errors
    /// [`Error::Read`] when the file cannot be read, [`Error::FileTooLarge`] when it has more than
    /// [`DEFAULT_MAX_TEXT_BYTES`] bytes, [`Error::Records`] when it has a document on each line,
    /// [`Error::Extract`] when it is not UTF-8.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let unread = |source| Error::Read { path: path.into(), source };
        let kind = match FileKind::of(path) {
            Some(FileKind::Document(kind)) => kind,
            Some(FileKind::Records) => return Err(Error::Records { path: path.into() }),
            None => Kind::Plain,
        };
        let max_bytes = DEFAULT_MAX_TEXT_BYTES as u64;
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(unread)?;
        file.take(max_bytes + 1).read_to_end(&mut bytes).map_err(unread)?;
        if bytes.len() as u64 > max_bytes {
            let got_bytes = std::fs::metadata(path).map_or(bytes.len() as u64, |metadata| metadata.len());
            return Err(Error::FileTooLarge { path: path.into(), got_bytes, max_bytes });
        }
        Ok(Self::from_bytes(key_of(path), &bytes, kind)?.of_file(path))
    }

    /// The same document as the whole of a file.
    pub(crate) fn of_file(self, path: &Path) -> Self {
        let origin = Origin::of(path, true);
        let name = key_of(path);
        Self { origin, ..self.with_metadata(FILE_FIELD, name) }
    }

    /// The same document as one of several in a file.
    pub(crate) fn of_records(self, path: &Path) -> Self {
        let origin = Origin::of(path, false);
        let name = key_of(path);
        Self { origin, ..self.with_metadata(FILE_FIELD, name) }
    }

    /// The same document under a title.
    #[must_use]
    pub fn with_title(self, title: impl Into<String>) -> Self {
        Self { title: title.into(), ..self }
    }

    /// The same document with one more metadata field.
    #[must_use]
    pub fn with_metadata(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(field.into(), value.into());
        self
    }
}

/// The file that a document was read from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// Without links.
    pub(crate) path: PathBuf,
    /// Whether the document is all of it, and not a line.
    pub(crate) is_whole: bool,
}

impl Origin {
    /// `None` when the file has gone.
    fn of(path: &Path, is_whole: bool) -> Option<Self> {
        std::fs::canonicalize(path).ok().map(|path| Self { path, is_whole })
    }
}

/// The key a file gets: its path as given, with forward slashes and without `./`.
pub(crate) fn key_of(path: &Path) -> String {
    let path: std::path::PathBuf =
        path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect();
    text_of(&path)
}

/// A path as text, with forward slashes. Names that are not Unicode have the bytes that are none in hexadecimal after a
/// replacement character, so that different names stay different.
pub(crate) fn text_of(path: &Path) -> String {
    let text = match path.to_str() {
        Some(text) => text.to_owned(),
        None => {
            let mut text = String::new();
            for part in path.as_os_str().as_encoded_bytes().utf8_chunks() {
                text.push_str(part.valid());
                for byte in part.invalid() {
                    text.push_str(&format!("\u{fffd}{byte:02x}"));
                }
            }
            text
        }
    };
    if std::path::MAIN_SEPARATOR == '/' { text } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}
