use std::io::Read;
use std::path::Path;

use postil_contract::Places;
use postil_storage::{DEFAULT_MAX_TEXT_BYTES, Metadata, Value};

use crate::Error;
use crate::chunk::{Format, Outline};
use crate::extract::{self, ExtractOptions, Extracted, FileKind, Kind, OffsetMap};
use crate::origin::{Origin, key_of, place_of};

/// A text to ingest under a key; ingesting the same key again replaces the document.
#[derive(Clone, Debug)]
pub struct Document {
    /// Unique in the database: a path, a URL, any name.
    pub key: String,
    /// Shown with the document and given to the encoder before each of its passages; where it is
    /// empty, a Markdown document is shown with the title that it gives itself.
    pub title: String,
    /// The text that is searched and quoted.
    pub text: String,
    /// Fields that filters can name.
    pub metadata: Metadata,
    /// The format of `text`, which decides how it is split into passages.
    pub format: Format,
    /// The map from bytes of `text` to bytes of the original.
    pub(crate) map: OffsetMap,
    /// The structure of the text; `None` where the text itself shows it.
    pub(crate) outline: Option<Outline>,
    /// The title that the document gives itself, shown where `title` is empty and never embedded;
    /// `None` without one.
    pub(crate) own_title: Option<String>,
    /// Pages, slides, cells or paragraphs of the text.
    pub(crate) places: Places,
    /// Parts that could not be read, such as `page 3: a picture without text`.
    pub(crate) unread: Vec<String>,
    /// The file that the document was read from; `None` for a document that a caller made.
    pub(crate) origin: Option<Origin>,
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
            places: Places::default(),
            unread: Vec::new(),
            origin: None,
        }
    }

    /// Markdown: headings travel with their sections, fences stay whole where they fit.
    pub fn markdown(key: impl Into<String>, text: impl Into<String>) -> Self {
        let document = Self::new(key, text);
        let own_title = postil_text::markdown_title(&document.text);
        Self { format: Format::Markdown, own_title, ..document }
    }

    /// Bytes of a given kind; HTML loses its tags, and citations still point into these bytes.
    ///
    /// # Errors
    /// [`Error::Extract`] when there is no text that can be read.
    pub fn from_bytes(key: impl Into<String>, bytes: &[u8], kind: Kind) -> Result<Self, Error> {
        Self::from_bytes_with(key, bytes, kind, &ExtractOptions::default())
    }

    /// As [`from_bytes`](Self::from_bytes), with a password and limits.
    ///
    /// # Errors
    /// [`Error::Extract`] when there is no text that can be read, or a limit is broken.
    pub fn from_bytes_with(
        key: impl Into<String>,
        bytes: &[u8],
        kind: Kind,
        options: &ExtractOptions,
    ) -> Result<Self, Error> {
        let key = key.into();
        match extract::extract_with(bytes, kind, options) {
            Ok(Extracted { text, format, outline, title, map, places, unread, .. }) => Ok(Self {
                key,
                // Markdown's own title is in the text that is embedded.
                title: if format == Format::Html { title.clone().unwrap_or_default() } else { String::new() },
                text,
                metadata: Metadata::new(),
                format,
                map,
                outline,
                own_title: title,
                places,
                unread,
                origin: None,
            }),
            Err(source) => Err(Error::Extract { key, source }),
        }
    }

    /// Reads a file as [`Database::ingest_from`](crate::Database::ingest_from) does: its ending
    /// decides the kind (plain text if unknown), and its path becomes the key. Under another
    /// spelling of its path it is the same document: [`Database::ingest`](crate::Database::ingest)
    /// then keeps the key that the database has for it, unless the key was changed by hand.
    ///
    /// # Errors
    /// [`Error::Read`] when the file cannot be read, [`Error::Extract`] when it is not UTF-8,
    /// [`Error::FileTooLarge`] when it has more than [`DEFAULT_MAX_TEXT_BYTES`], [`Error::Records`]
    /// when it is a JSONL file.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::from_path_within(path, DEFAULT_MAX_TEXT_BYTES as u64)
    }

    /// Reads a file of at most `max_bytes`, for a database that takes larger documents than by
    /// default ([`StoreOptions::max_text_bytes`](crate::StoreOptions::max_text_bytes)).
    ///
    /// # Errors
    /// As [`from_path`](Self::from_path).
    pub fn from_path_within(path: impl AsRef<Path>, max_bytes: u64) -> Result<Self, Error> {
        let path = path.as_ref();
        let kind = match FileKind::of(path) {
            Some(FileKind::Document(kind)) => kind,
            Some(FileKind::Records) => return Err(Error::Records { path: path.into() }),
            None => Kind::Plain,
        };
        let unread = |source| Error::Read { path: path.into(), source };
        let file = std::fs::File::open(path).map_err(unread)?;
        let key = key_of(path);
        let options = ExtractOptions::default();
        let (document, bytes) = Self::from_reader(key.clone(), path, file, kind, max_bytes, &options);
        let is_link = path.is_symlink();
        let origin = Origin { place: place_of(path), given: key, is_whole: true, is_link, bytes };
        document.map(|document| Self { origin: Some(origin), ..document })
    }

    /// Reads at most `max_bytes` and returns the number read; errors name `path`.
    pub(crate) fn from_reader(
        key: String,
        path: &Path,
        reader: impl Read,
        kind: Kind,
        max_bytes: u64,
        options: &ExtractOptions,
    ) -> (Result<Self, Error>, u64) {
        let mut bytes = Vec::new();
        let read = reader.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes);
        let got_bytes = bytes.len() as u64;
        let document = match read {
            Err(source) => Err(Error::Read { path: path.into(), source }),
            Ok(_) if got_bytes > max_bytes => {
                Err(Error::FileTooLarge { path: path.into(), got_bytes, max_bytes })
            }
            Ok(_) => Self::from_bytes_with(key, &bytes, kind, options),
        };
        (document, got_bytes)
    }

    /// The same document under a title.
    #[must_use]
    pub fn with_title(self, title: impl Into<String>) -> Self {
        Self { title: title.into(), ..self }
    }

    /// The same document with one more metadata field.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let encoder = std::sync::Arc::new(postil::HashEncoder::default());
    /// # let options = postil::Database::options().encoder(encoder);
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// use postil::{Document, SearchOptions};
    /// for (year, weeks) in [(2014, 12), (2024, 20)] {
    ///     let text = format!("Every parent gets {weeks} weeks of paid leave.");
    ///     db.ingest(Document::new(format!("leave/{year}"), text).with_metadata("year", year))?;
    /// }
    /// let recent = SearchOptions::new(5).filter("year >= 2020".parse()?);
    /// assert_eq!(db.search("parental leave", &recent)?[0].key, "leave/2024");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_metadata(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(field.into(), value.into());
        self
    }
}
