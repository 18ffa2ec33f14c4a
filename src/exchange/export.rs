//! Out: every document as it was written, in the order of keys.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::description::Description;
use super::{DOCUMENTS, VECTORS, failed, line, npy};
use crate::ingest::Cancel;
use crate::{Database, Error, Progress};

/// How an export is done.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// Writes the vectors too; the default.
    pub vectors: bool,
    /// Lets another thread end the export early; what there is of it then cannot be imported.
    pub cancel: Cancel,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self { vectors: true, cancel: Cancel::default() }
    }
}

/// What an export did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Documents written.
    pub documents: u64,
    /// Their passages.
    pub passages: u64,
    /// Whether [`Cancel`] ended it early.
    pub interrupted: bool,
}

impl Database {
    /// Writes all documents, with their vectors, to `folder`, where nothing may be yet, as files that other programs
    /// read: see [`exchange`](crate::exchange). The same content gives the same bytes. Each document is whole and of one
    /// version; those that others write or remove meanwhile may be in it or not.
    ///
    /// # Errors
    /// [`Error::Read`] when a file cannot be written, [`Error::Storage`] when a document cannot be read.
    pub fn export(
        &self,
        folder: impl AsRef<Path>,
        options: &ExportOptions,
        progress: &dyn Fn(&Progress),
    ) -> Result<Exported, Error> {
        let folder = folder.as_ref();
        std::fs::create_dir(folder).map_err(failed(folder))?;
        let path = folder.join(DOCUMENTS);
        let mut lines = BufWriter::new(File::create_new(&path).map_err(failed(&path))?);
        let dimension = self.profile().dimension;
        let mut vectors = match options.vectors {
            true => Some(npy::Writer::create(&folder.join(VECTORS), dimension)?),
            false => None,
        };
        let (mut exported, mut told) = (Exported::default(), Progress::default());
        for document in self.documents() {
            if options.cancel.is_cancelled() {
                return Ok(Exported { interrupted: true, ..exported });
            }
            // Removed since its key was read.
            let Some(document) = self.store().written(&document?.key)? else { continue };
            let first = vectors.is_some().then_some(exported.passages);
            let line = line::to_json(&document, first);
            writeln!(lines, "{line}").map_err(failed(&path))?;
            if let Some(vectors) = &mut vectors {
                document.passages.iter().try_for_each(|passage| vectors.push(&passage.vector))?;
            }
            exported.documents += 1;
            exported.passages += document.passages.len() as u64;
            told.documents_read += 1;
            told.read_bytes += document.text.len() as u64;
            progress(&told);
        }
        let lines = lines.into_inner().map_err(|error| failed(&path)(error.into_error()))?;
        lines.sync_all().map_err(failed(&path))?;
        if let Some(vectors) = vectors {
            vectors.finish()?;
        }
        let Exported { documents, passages, .. } = exported;
        let profile = self.profile().clone();
        Description { profile, documents, passages, vectors: options.vectors }.write(folder)?;
        Ok(exported)
    }
}
