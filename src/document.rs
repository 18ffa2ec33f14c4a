use std::path::Path;

use postil_storage::{Metadata, Value};

use crate::Error;
use crate::chunk::{Format, Outline};
use crate::extract::{self, Extracted, FileKind, Kind, OffsetMap};

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
                own_title: title,
            }),
            Err(source) => Err(Error::Extract { key, source }),
        }
    }

    /// Reads a file; its path becomes the key, its ending decides the kind (plain text if unknown).
    ///
    /// # Errors
    /// [`Error::Read`] when the file cannot be read, [`Error::Extract`] when it is not UTF-8.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let kind = match FileKind::of(path) {
            Some(FileKind::Document(kind)) => kind,
            Some(FileKind::Records) | None => Kind::Plain,
        };
        Self::from_bytes(key_of(path), &bytes, kind)
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

/// The key a file gets: its path as given, with forward slashes and without `./`.
pub(crate) fn key_of(path: &Path) -> String {
    let path: std::path::PathBuf =
        path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect();
    path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}
