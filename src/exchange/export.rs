//! Out: every document as it was written, in the order of keys.

use std::io::Write;
use std::path::Path;

use postil_storage::DocumentWrite;

use super::description::Description;
use super::{Format, folder, lines};
use crate::setters::setters;
use crate::{Database, Error, Progress, Watch};

/// How an export is done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExportOptions {
    /// Writes the vectors too; the default.
    pub vectors: bool,
    /// What is written; `None`, the default, goes by the target's name, as [`Format::of`].
    pub format: Option<Format>,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self { vectors: true, format: None }
    }
}

impl ExportOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        vectors: bool, "Sets [`vectors`](#structfield.vectors).";
        format: Format => Some(format), "Sets [`format`](#structfield.format).";
    }
}

/// What an export did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Exported {
    /// Documents written.
    pub documents: u64,
    /// Their passages.
    pub passages: u64,
    /// True when [`Cancel`](crate::Cancel) ended it early: of a folder, what there is then cannot be imported; of a
    /// Parquet file, nothing is left.
    pub interrupted: bool,
}

/// Where documents go.
enum Target {
    Folder(folder::Writer),
    #[cfg(feature = "parquet")]
    Parquet(Box<super::parquet::Writer>),
}

impl Target {
    fn create(path: &Path, format: Format, dimension: Option<usize>) -> Result<Self, Error> {
        match format {
            Format::Folder => folder::Writer::create(path, dimension).map(Self::Folder),
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                super::parquet::Writer::create(path, dimension.is_some()).map(Box::new).map(Self::Parquet)
            }
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => Err(super::without_parquet(path)),
        }
    }

    fn push(&mut self, document: DocumentWrite) -> Result<(), Error> {
        match self {
            Self::Folder(folder) => folder.push(&document),
            #[cfg(feature = "parquet")]
            Self::Parquet(file) => file.push(document),
        }
    }

    fn finish(self, description: &Description) -> Result<(), Error> {
        match self {
            Self::Folder(folder) => folder.finish(description),
            #[cfg(feature = "parquet")]
            Self::Parquet(file) => file.finish(description),
        }
    }
}

impl Database {
    /// Writes all documents, with their vectors, to `target`, where nothing may be yet, in a format that other programs
    /// read: see [`exchange`](crate::exchange). The same content gives the same bytes. Each document is whole and of one
    /// version; those that others write or remove meanwhile may be in it or not.
    ///
    /// # Errors
    /// [`Error::Read`] when a file cannot be written, [`Error::Exchange`] when the format cannot be,
    /// [`Error::Storage`] when a document cannot be read.
    pub fn export(
        &self,
        target: impl AsRef<Path>,
        options: &ExportOptions,
        watch: &Watch<'_>,
    ) -> Result<Exported, Error> {
        let path = target.as_ref();
        let dimension = options.vectors.then_some(self.profile().dimension);
        let mut target = Target::create(path, options.format.unwrap_or_else(|| Format::of(path)), dimension)?;
        let exported = self.each_written(watch, |document| target.push(document))?;
        if !exported.interrupted {
            target.finish(&self.description(options, Some([exported.documents, exported.passages])))?;
        }
        Ok(exported)
    }

    /// Writes all documents, with their vectors, to `out`: a line for each, whole in itself, which
    /// [`import_lines`](Self::import_lines) reads back; see [`exchange`](crate::exchange). Otherwise as
    /// [`export`](Self::export), and [`ExportOptions::format`] says nothing. Nothing at the end of the lines says that
    /// it is the end: where they are kept, a folder or a Parquet file is safer.
    ///
    /// # Errors
    /// [`Error::Read`] when `out` cannot be written, [`Error::Storage`] when a document cannot be read.
    pub fn export_lines(
        &self,
        out: impl Write,
        options: &ExportOptions,
        watch: &Watch<'_>,
    ) -> Result<Exported, Error> {
        let description = self.description(options, None);
        let mut lines = lines::Writer::new(Path::new("the export"), out, &description)?;
        let exported = self.each_written(watch, |document| lines.push(&document))?;
        lines.finish()?;
        Ok(exported)
    }

    fn description(&self, options: &ExportOptions, counts: Option<[u64; 2]>) -> Description {
        Description { profile: self.profile().clone(), counts, vectors: options.vectors }
    }

    /// Gives every document to `push`, in the order of keys.
    fn each_written(
        &self,
        watch: &Watch<'_>,
        mut push: impl FnMut(DocumentWrite) -> Result<(), Error>,
    ) -> Result<Exported, Error> {
        let (mut exported, mut told) = (Exported::default(), Progress::default());
        for document in self.documents() {
            if watch.is_cancelled() {
                return Ok(Exported { interrupted: true, ..exported });
            }
            // Removed since its key was read.
            let Some(document) = self.store().written(&document?.key)? else { continue };
            exported.documents += 1;
            exported.passages += document.passages.len() as u64;
            told.documents_read += 1;
            told.read_bytes += document.text.len() as u64;
            push(document)?;
            watch.tell(&told);
        }
        Ok(exported)
    }
}
