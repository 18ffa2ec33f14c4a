//! Reading what can still be read of a damaged database, without changing a byte of it.
//!
//! sled writes to what it opens, so the trees are read from a copy; segments are only mapped. A
//! text is whole or lost; a vector is sound, doubtful or lost: doubtful if the vectors of its
//! segment do not match their checksum but it agrees with its codes, which do, or if only a segment
//! that the manifest does not name has it.

use super::Profile;
use super::batch::{DocumentWrite, PassageWrite};
use super::lock::{LOCK_FILE, Lock};
use super::lost::Lost;
use crate::documents::{DocumentRecord, Documents, Manifest, base, noted_generation, rewrite};
use crate::error::{AtPath, Result, StorageError};
use crate::index::SEGMENTS;
use crate::index::run::{self, Run};
use crate::index::segment::{self, Segment, Trust};
use crate::vector::metric::Metric;
use crate::vector::precision::Precision;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// An open database, sound or not.
pub(super) struct Salvage {
    documents: Documents,
    segments: Vec<(Segment, Trust)>,
    runs: Vec<Run>,
    /// Segments that the manifest does not name.
    left: Vec<Segment>,
    profile: Option<Profile>,
    _lock: Option<Lock>,
}

/// A document with its whole text.
pub(super) struct Salvaged {
    /// The document; lost vectors are empty.
    pub(super) document: DocumentWrite,
    /// Indices of the passages whose vector is missing or doubtful.
    pub(super) uncertain: Vec<usize>,
}

impl Salvage {
    /// Reads what is at `path`; copies its trees to `scratch`, a new folder. `given` is the profile
    /// to use if there is no manifest. Adds what cannot be read to the list of lost parts.
    pub(super) fn open(
        path: &Path,
        scratch: &Path,
        given: Option<Profile>,
        lost: &mut Vec<Lost>,
    ) -> Result<Self> {
        if !path.is_dir() {
            return Err(StorageError::NotFound { path: path.to_owned() });
        }
        let lock = if path.join(LOCK_FILE).is_file() { Some(Lock::watch(path)?) } else { None };
        let documents = readable_trees(path, scratch, lost)?;
        let manifest = documents.manifest().unwrap_or_else(|error| {
            lost.push(Lost::new("manifest", said(error)));
            None
        });
        if let (Some(manifest), Some(noted)) = (&manifest, noted_generation(path))
            && noted > manifest.generation
        {
            let what = format!("generation {noted} was committed, this is {}", manifest.generation);
            lost.push(Lost::new("manifest", what));
        }
        let precision = documents.precision().unwrap_or_else(|error| {
            lost.push(Lost::new("precision", said(error)));
            Precision::default()
        });
        let named = manifest.as_ref().map(|manifest| profile_of(manifest, precision));
        let named = named.and_then(|profile| {
            let usable = profile.filter(|profile| profile.check().is_ok());
            if usable.is_none() {
                lost.push(Lost::new("manifest", "names no usable dimension or metric".to_owned()));
            }
            usable
        });
        let folder = path.join(SEGMENTS);
        let numbers: Vec<u32> = match &manifest {
            Some(manifest) => manifest.segments.iter().map(|entry| entry.number).collect(),
            None => segment::numbers(&folder),
        };
        let shape = |number| segment::shape(&segment::file(&folder, number));
        let profile = named.or(given).or_else(|| {
            let (dimension, metric, precision) = numbers.iter().find_map(|&number| shape(number))?;
            Some(Profile { precision, ..Profile::new(dimension, metric) })
        });
        let mut salvage = Self {
            documents,
            segments: Vec::new(),
            runs: Vec::new(),
            left: Vec::new(),
            profile,
            _lock: lock,
        };
        salvage.open_segments(&folder, &numbers, lost);
        salvage.open_runs(&folder, manifest.is_some(), lost);
        salvage.open_left(&folder, &numbers);
        Ok(salvage)
    }

    fn open_segments(&mut self, folder: &Path, numbers: &[u32], lost: &mut Vec<Lost>) {
        let Some(Profile { dimension, metric, .. }) = self.profile else { return };
        for &number in numbers {
            match Segment::open(folder, number, dimension, metric) {
                Ok(segment) if self.documents.segment_checksum(number).is_ok_and(is_other(&segment)) => {
                    let what = "this is not the segment that was written here".to_owned();
                    lost.push(Lost::file(segment.path(), what));
                }
                Ok(segment) => {
                    let trust = segment.trust();
                    if let Some(what) = segment.damaged_sections().into_iter().next() {
                        lost.push(Lost::file(segment.path(), what));
                    }
                    self.segments.push((segment, trust));
                }
                Err(error) => lost.push(Lost::file(&segment::file(folder, number), said(error))),
            }
        }
    }

    fn open_runs(&mut self, folder: &Path, have_manifest: bool, lost: &mut Vec<Lost>) {
        let Some(Profile { dimension, .. }) = self.profile else { return };
        let all = || run::first_rows(folder).into_iter().map(|row| (row, None)).collect();
        let named: Vec<(u64, Option<u32>)> = match self.documents.runs() {
            Ok(named) if have_manifest => {
                named.into_iter().map(|(row, checksum)| (row, Some(checksum))).collect()
            }
            Ok(_) => all(),
            Err(error) => {
                lost.push(Lost::new("manifest", said(error)));
                all()
            }
        };
        for (first_row, recorded) in named {
            match Run::open(folder, first_row, dimension) {
                Ok(run) if recorded.is_some_and(|checksum| checksum != run.checksum()) => {
                    lost.push(Lost::file(run.path(), "this is not the run that was written here".to_owned()));
                }
                Ok(run) => {
                    lost.extend(run.is_sound().err().map(|error| Lost::file(run.path(), said(error))));
                    self.runs.push(run);
                }
                Err(error) => lost.push(Lost::file(&run::file(folder, first_row), said(error))),
            }
        }
    }

    /// Opens the segments that no manifest names. Trees that went back to a state before an
    /// adoption name files that were removed since; these segments have their rows.
    fn open_left(&mut self, folder: &Path, named: &[u32]) {
        let Some(Profile { dimension, metric, .. }) = self.profile else { return };
        for number in segment::numbers(folder) {
            if !named.contains(&number)
                && let Ok(segment) = Segment::open(folder, number, dimension, metric)
                && segment.ids_are_sound().is_ok()
            {
                self.left.push(segment);
            }
        }
    }

    /// Returns the profile: from the manifest, or else from the caller, or else from a segment.
    pub(super) fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// Calls back with each document whose text is whole, in the order they were written; adds the
    /// others to the list of lost parts.
    pub(super) fn each(
        &self,
        lost: &mut Vec<Lost>,
        take: &mut dyn FnMut(Salvaged, &mut Vec<Lost>) -> Result<()>,
    ) -> Result<()> {
        let mut newest: BTreeMap<String, u64> = BTreeMap::new();
        let mut unread: BTreeMap<u64, String> = BTreeMap::new();
        let scan = caught(|| {
            for entry in self.documents.every_document() {
                match entry {
                    Ok((id, Ok(record))) => _ = newest.insert(record.key, id),
                    Ok((id, Err(error))) => _ = unread.insert(id, said(error)),
                    // Entries after a block of the base can still be read.
                    Err(error) => lost.push(Lost::new("documents", said(error))),
                }
            }
            Ok(())
        });
        if let Err(what) = scan {
            lost.push(Lost::new("the rest of the documents", what));
        }
        // A document's own record has its key: the tree of keys only helps to name lost documents.
        let keys = caught(|| Ok(self.documents.every_key().flatten().flatten().collect()));
        let keys: Vec<(String, u64)> = keys.unwrap_or_default();
        for (key, id) in keys {
            match unread.remove(&id) {
                Some(what) => lost.push(Lost::new(&key, what)),
                None if !newest.contains_key(&key) => {
                    lost.push(Lost::new(&key, format!("document {id} is not there")));
                }
                None => {}
            }
        }
        lost.extend(unread.into_iter().map(|(id, what)| Lost::new(&format!("document {id}"), what)));
        let mut ids: Vec<(u64, String)> = newest.into_iter().map(|(key, id)| (id, key)).collect();
        ids.sort_unstable();
        for (id, key) in ids {
            match caught(|| self.document(id)) {
                Ok(salvaged) => take(salvaged, lost)?,
                Err(what) => lost.push(Lost::new(&key, what)),
            }
        }
        Ok(())
    }

    fn document(&self, id: u64) -> Result<Salvaged, String> {
        let record = self.documents.document(id).map_err(said)?.ok_or("it went away")?;
        let text = self.documents.text(id, &(0..record.text_bytes)).map_err(said)?;
        let text = text.ok_or("a block of its text is missing")?;
        let DocumentRecord { key, title, content_hash, metadata, source_map, first_row, row_count, .. } =
            record;
        let (mut passages, mut uncertain) = (Vec::new(), Vec::new());
        for row in first_row..first_row.saturating_add(row_count) {
            let passage = self.documents.passage(row).map_err(said)?;
            let passage = passage.filter(|passage| passage.document == id);
            let passage = passage.ok_or_else(|| format!("the passage of row {row} is missing"))?;
            let (vector, sound) = self.vector(row);
            if !sound {
                uncertain.push(passages.len());
            }
            passages.push(PassageWrite::of(passage, vector));
        }
        let document = DocumentWrite { key, title, text, content_hash, metadata, source_map, passages };
        Ok(Salvaged { document, uncertain })
    }

    /// Returns the vector of a row, empty if it is lost, and `true` if it is certainly the one
    /// written.
    fn vector(&self, row: u64) -> (Vec<f32>, bool) {
        let usable = |vector: Vec<f32>| self.profile.as_ref()?.prepare(&vector).is_ok().then_some(vector);
        let mut doubtful = None;
        for (segment, trust) in &self.segments {
            let found = match trust {
                Trust::Nothing => None,
                Trust::All | Trust::RowByRow => segment.position(row),
            };
            let Some(position) = found else { continue };
            let vector = segment.at(position).map(Cow::into_owned).and_then(usable);
            match (vector, trust) {
                (Some(vector), Trust::All) => return (vector, true),
                (Some(vector), _) if segment.confirms(position) => doubtful = Some(vector),
                _ => {}
            }
        }
        let run = self.runs.iter().find(|run| run.row_is_sound(row));
        if let Some(vector) = run.and_then(|run| run.vector(row)).and_then(|vector| usable(vector.to_vec())) {
            return (vector, true);
        }
        if let Some(vector) = self.documents.vector(row).ok().flatten().and_then(usable) {
            return (vector, true);
        }
        let left = || {
            self.left.iter().find_map(|segment| {
                let position = segment.position(row)?;
                segment.row_is_sound(position).ok()?;
                usable(segment.at(position)?.into_owned())
            })
        };
        (doubtful.or_else(left).unwrap_or_default(), false)
    }
}

/// True if the recorded checksum is that of another segment.
fn is_other(segment: &Segment) -> impl FnOnce(Option<u32>) -> bool {
    |recorded| recorded.is_some_and(|checksum| checksum != segment.checksum())
}

/// Runs `read`, turning a panic into an error: damaged logs can make sled panic.
fn caught<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err("the document store cannot read it".to_owned()))
}

/// Returns the message of an error, without the path of the copy.
fn said(error: StorageError) -> String {
    match error {
        StorageError::Corrupt { what, .. } => what,
        StorageError::Version { what, got, supported, .. } => {
            format!("{what} has format version {got}, this build reads {supported}")
        }
        StorageError::Io { source, .. } => source.to_string(),
        StorageError::Documents { source, .. } => source.to_string(),
        error => error.to_string(),
    }
}

fn profile_of(manifest: &Manifest, precision: Precision) -> Option<Profile> {
    Some(Profile {
        dimension: manifest.dimension as usize,
        metric: Metric::from_byte(manifest.metric)?,
        precision,
        encoder: manifest.encoder.clone(),
        fingerprint: manifest.fingerprint.clone(),
        attributes: manifest.attributes.iter().cloned().collect(),
    })
}

/// Opens the newest readable trees and the base below them, or else the newest base, without the
/// changes since.
fn readable_trees(path: &Path, scratch: &Path, lost: &mut Vec<Lost>) -> Result<Documents> {
    std::fs::create_dir(scratch).at(scratch)?;
    let (all, mut failure) = (rewrite::all(path)?, None);
    for trees in &all {
        let copy = scratch.join(trees.file_name().unwrap_or_default());
        rewrite::copy_for_reading(trees, &copy)?;
        let error = match caught(|| Ok(Documents::open_damaged(&copy))) {
            Ok(Err(error)) => said(error),
            Ok(Ok((documents, damage))) => {
                let base = base::file(trees);
                lost.extend(damage.into_iter().map(|error| Lost::file(&base, said(error))));
                return Ok(documents);
            }
            Err(error) => error,
        };
        lost.push(Lost::file(trees, error.clone()));
        failure.get_or_insert(StorageError::corrupt(trees, error));
    }
    for trees in &all {
        let base = scratch.join("base");
        rewrite::copy_base_for_reading(trees, &base)?;
        if let Ok((documents, damage)) = Documents::open_damaged(&base)
            && documents.base().is_some()
        {
            let base = base::file(trees);
            lost.extend(damage.into_iter().map(|error| Lost::file(&base, said(error))));
            return Ok(documents);
        }
        std::fs::remove_dir_all(&base).at(&base)?;
    }
    Err(failure.unwrap_or_else(|| {
        let what = "it has no documents".to_owned();
        StorageError::NotADatabase { path: path.to_owned(), what }
    }))
}

/// Returns the folder for copies of the trees while they are read, beside the database being made.
pub(super) fn scratch(beside: &Path) -> PathBuf {
    beside.join("salvaged")
}
