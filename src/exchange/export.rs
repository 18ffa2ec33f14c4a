//! Export: every document as it was written, in the order of keys.

use std::io::Write;
use std::path::Path;

use postil_storage::DocumentWrite;

use super::description::Description;
use super::{Format, folder, lines};
use crate::setters::setters;
use crate::{Error, Progress, ReadOnlyDatabase, Watch};

/// Options of an export.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExportOptions {
    /// Writes the vectors too; the default.
    pub vectors: bool,
    /// The format to write; `None`, the default, chooses it by the target's name, as
    /// [`Format::of`].
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

/// The result of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Exported {
    /// Number of documents written.
    pub documents: u64,
    /// Number of their passages.
    pub passages: u64,
    /// True when [`Cancel`](crate::Cancel) ended it early: an unfinished folder cannot be imported,
    /// and of a file nothing is left.
    pub interrupted: bool,
}

/// The writer that documents go to.
enum Target {
    Folder(folder::Writer),
    Lines(lines::FileWriter),
    #[cfg(feature = "parquet")]
    Parquet(Box<super::parquet::Writer>),
}

impl Target {
    fn create(path: &Path, format: Format, description: &Description) -> Result<Self, Error> {
        let dimension = description.vectors.then_some(description.profile.dimension);
        match format {
            Format::Folder => folder::Writer::create(path, dimension).map(Self::Folder),
            Format::Lines => lines::FileWriter::create(path, description).map(Self::Lines),
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                super::parquet::Writer::create(path, dimension.is_some()).map(Box::new).map(Self::Parquet)
            }
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => Err(Error::NoParquet { path: path.to_owned() }),
        }
    }

    fn push(&mut self, document: DocumentWrite) -> Result<(), Error> {
        match self {
            Self::Folder(folder) => folder.push(&document),
            Self::Lines(lines) => lines.push(&document),
            #[cfg(feature = "parquet")]
            Self::Parquet(file) => file.push(document),
        }
    }

    fn finish(self, description: &Description) -> Result<(), Error> {
        match self {
            Self::Folder(folder) => folder.finish(description),
            Self::Lines(lines) => lines.finish(),
            #[cfg(feature = "parquet")]
            Self::Parquet(file) => file.finish(description),
        }
    }
}

/// Writes an export; see [`ReadOnlyDatabase::export`].
pub(crate) fn export(
    db: &ReadOnlyDatabase,
    target: impl AsRef<Path>,
    options: &ExportOptions,
    watch: &Watch<'_>,
) -> Result<Exported, Error> {
    let path = target.as_ref();
    let format = options.format.unwrap_or_else(|| Format::of(path));
    let mut target = Target::create(path, format, &describe(db, options, None))?;
    let exported = each_written(db, watch, |document| target.push(document))?;
    if !exported.interrupted {
        target.finish(&describe(db, options, Some([exported.documents, exported.passages])))?;
    }
    Ok(exported)
}

/// Writes lines; see [`ReadOnlyDatabase::export_lines`].
pub(crate) fn export_lines(
    db: &ReadOnlyDatabase,
    out: impl Write,
    options: &ExportOptions,
    watch: &Watch<'_>,
) -> Result<Exported, Error> {
    let description = describe(db, options, None);
    let mut lines = lines::Writer::new(Path::new("the export"), out, &description)?;
    let exported = each_written(db, watch, |document| lines.push(&document))?;
    lines.finish()?;
    Ok(exported)
}

fn describe(db: &ReadOnlyDatabase, options: &ExportOptions, counts: Option<[u64; 2]>) -> Description {
    Description { profile: db.profile().clone(), counts, vectors: options.vectors }
}

/// Gives every document to `push`, in the order of keys.
fn each_written(
    db: &ReadOnlyDatabase,
    watch: &Watch<'_>,
    mut push: impl FnMut(DocumentWrite) -> Result<(), Error>,
) -> Result<Exported, Error> {
    let (mut exported, mut progress) = (Exported::default(), Progress::default());
    for document in db.documents() {
        if watch.is_cancelled() {
            return Ok(Exported { interrupted: true, ..exported });
        }
        // Removed since its key was read.
        let Some(document) = db.state().written(&document?.key)? else { continue };
        exported.documents += 1;
        exported.passages += document.passages.len() as u64;
        progress.documents_read += 1;
        progress.read_bytes += document.text.len() as u64;
        push(document)?;
        watch.report(&progress);
    }
    Ok(exported)
}
