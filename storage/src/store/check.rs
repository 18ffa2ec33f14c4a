//! Counts, and the search for damage.

use super::Store;
use crate::error::{AtPath, Result};
use crate::index::growing_graph::GrowingGraph;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Something wrong that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file or folder.
    pub path: PathBuf,
    /// What disagrees.
    pub what: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

/// How much there is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stat {
    /// Documents.
    pub documents: u64,
    /// Passages, which is rows that can be found.
    pub passages: u64,
    /// Removed rows that still take up place in segments or memory.
    pub removed: u64,
    /// Segment files.
    pub segments: usize,
    /// Rows in memory only (they are also in the documents' log).
    pub growing_rows: usize,
    /// Those of them that are in the growing graph.
    pub indexed_rows: usize,
    /// Rows that the segment in the making will have; 0 when none is.
    pub building_rows: usize,
    /// Those of them that are linked.
    pub built_rows: usize,
    /// Bytes of all files.
    pub disk_bytes: u64,
    /// Bytes of the segments: ids, codes, links, vectors.
    pub index_bytes: u64,
    /// Those of them that searches walk over, codes and links: what memory should have room for. Exact vectors are
    /// only read for the last candidates.
    pub searched_bytes: u64,
    /// Committed batches.
    pub generation: u64,
}

impl Store {
    /// How much there is.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn stat(&self) -> Result<Stat> {
        let snapshot = self.shared.current();
        Ok(Stat {
            documents: snapshot.documents,
            passages: snapshot.live,
            removed: snapshot.removed.len(),
            segments: snapshot.segments.len(),
            growing_rows: snapshot.growing.rows(),
            indexed_rows: snapshot.growing.graph.get().map_or(0, GrowingGraph::indexed),
            building_rows: self.shared.building.rows.load(Ordering::Relaxed),
            built_rows: self.shared.building.done.load(Ordering::Relaxed),
            disk_bytes: bytes_under(&self.shared.path)?,
            index_bytes: snapshot.segments.iter().map(|segment| segment.bytes().0).sum(),
            searched_bytes: snapshot.segments.iter().map(|segment| segment.bytes().1).sum(),
            generation: snapshot.generation,
        })
    }

    /// Reads everything and reports what disagrees; holds up writers meanwhile. Empty means sound.
    ///
    /// # Errors
    /// When something cannot be read at all; damage that can be worked around is in the list.
    pub fn check(&self) -> Result<Vec<Damage>> {
        let _writer = self.shared.writer.lock();
        let snapshot = self.shared.current();
        let documents = &self.shared.documents();
        let mut damage = Vec::new();
        for segment in &snapshot.segments {
            let path = segment.path();
            damage.extend(segment.damage().into_iter().map(|what| Damage { path: path.to_owned(), what }));
        }
        let mut report = |what: String| damage.push(Damage { path: documents.path().to_owned(), what });
        let (mut count, mut rows) = (0, 0);
        for id in documents.keys() {
            let id = id?;
            count += 1;
            let Some(document) = documents.document(id)? else {
                report(format!("a key names document {id}, which is not there"));
                continue;
            };
            match documents.text(id, &(0..document.text_bytes)) {
                Ok(Some(_)) => {}
                Ok(None) => report(format!("document {:?} misses a block of its text", document.key)),
                Err(error) => report(format!("document {:?}: {error}", document.key)),
            }
            for row in document.first_row..document.first_row.saturating_add(document.row_count) {
                rows += 1;
                match documents.passage(row)? {
                    Some(passage) if passage.document == id && passage.end <= document.text_bytes => {}
                    Some(_) => report(format!("row {row} does not fit document {:?}", document.key)),
                    None => {
                        // One missing row is enough: a damaged count may name very many.
                        report(format!("document {:?} misses row {row}", document.key));
                        break;
                    }
                }
                if snapshot.vector(row).is_none() || snapshot.removed.contains(row) {
                    report(format!("row {row} has a passage and no vector"));
                }
            }
        }
        let passages = documents.rows().count() as u64;
        for (name, found, expected) in [
            ("documents", count, snapshot.documents),
            ("passages of documents", rows, snapshot.live),
            ("passages", passages, snapshot.live),
        ] {
            if found != expected {
                report(format!("{found} {name} are there, the manifest says {expected}"));
            }
        }
        Ok(damage)
    }
}

fn bytes_under(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).at(folder)? {
        let entry = entry.at(folder)?;
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes += bytes_under(&entry.path())?,
            Ok(metadata) => bytes += metadata.len(),
            // Removed by the document store since it was listed.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(source).at(&entry.path()),
        }
    }
    Ok(bytes)
}
