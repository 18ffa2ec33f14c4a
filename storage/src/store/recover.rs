//! Creating a database and opening one, whatever state a crash left it in.

use super::asked::Asked;
use super::lock::{Lock, is_marked};
use super::private::ReadOnly;
use super::queue::Queue;
use super::seal::Indexer;
use super::shared::{Building, Shared};
use super::snapshot::Snapshot;
use super::staging::parent;
use super::{Profile, Store, StoreOptions, space, unwritable};
use crate::documents::{Documents, Manifest, Writes, rewrite};
use crate::durable::sync_names;
use crate::error::{AtPath, Result, StorageError};
use crate::fault::{self, Point};
use crate::index::SEGMENTS;
use crate::index::growing::Growing;
use crate::index::run::Run;
use crate::index::segment::Segment;
use crate::sync::atomic::AtomicU64;
use crate::sync::{Condvar, Mutex, RwLock};
use crate::vector::metric::Metric;
use std::path::Path;
use std::sync::Arc;

impl Store {
    /// Makes a new, empty database.
    ///
    /// # Errors
    /// [`StorageError::Exists`] if one is there already, [`StorageError::NotADatabase`] if
    /// something else is.
    pub fn create(path: impl AsRef<Path>, profile: Profile, options: StoreOptions) -> Result<Self> {
        let path = path.as_ref();
        profile.check()?;
        options.check()?;
        if path.is_dir() {
            let mut entries = std::fs::read_dir(path).at(path)?;
            if entries.next().is_some() && !is_marked(path)? {
                return Err(not_a_database(path, "the folder has files of someone else"));
            }
        } else if path.exists() {
            return Err(not_a_database(path, "it is a file"));
        }
        std::fs::create_dir_all(path).at(path)?;
        let lock = Lock::take(path)?;
        fault::reach(Point::CreateLocked)?;
        Self::create_locked(path, profile, options, lock)
    }

    /// Creates a database whose lock is taken.
    pub(super) fn create_locked(
        path: &Path,
        profile: Profile,
        options: StoreOptions,
        lock: Lock,
    ) -> Result<Self> {
        space::ensure(path, options.min_free_bytes)?;
        if let Some((_, place)) = rewrite::current(path)?
            && Documents::open(&place)?.manifest()?.is_some()
        {
            return Err(StorageError::Exists { path: path.to_owned() });
        }
        std::fs::create_dir_all(path.join(SEGMENTS)).at(path)?;
        let manifest = Manifest {
            generation: 0,
            next_row: 0,
            next_document: 0,
            next_segment: 1,
            documents: 0,
            passages: 0,
            segments: Vec::new(),
            dimension: profile.dimension as u32,
            metric: profile.metric.to_byte(),
            encoder: profile.encoder,
            fingerprint: profile.fingerprint,
            attributes: profile.attributes.into_iter().collect(),
        };
        let mut writes = Writes::default();
        writes.manifest(&manifest);
        writes.precision(profile.precision);
        let documents = rewrite::create(path, &writes)?;
        fault::reach(Point::CreateManifest)?;
        // The folder's own name must survive a crash too.
        sync_names(path)?;
        sync_names(parent(path))?;
        start(path, options, lock, documents, manifest, None)
    }

    /// Opens a database. Most of the time goes into reading the vectors that are in no segment yet.
    ///
    /// # Errors
    /// [`StorageError::NotFound`], [`StorageError::NotADatabase`], [`StorageError::Locked`],
    /// [`StorageError::NotWritable`] (see [`open_read_only`](Self::open_read_only)),
    /// [`StorageError::Version`] and [`StorageError::Corrupt`] say why the database is not usable.
    pub fn open(path: impl AsRef<Path>, options: StoreOptions) -> Result<Self> {
        let path = path.as_ref();
        options.check()?;
        if !path.try_exists().at(path)? {
            return Err(StorageError::NotFound { path: path.to_owned() });
        }
        if !path.is_dir() {
            return Err(not_a_database(path, "it is a file"));
        }
        if !is_marked(path)? {
            return Err(not_a_database(path, "the folder has no LOCK file of a database"));
        }
        unwritable::refuse(path)?;
        let lock = Lock::take(path)?;
        fault::reach(Point::OpenLocked)?;
        Self::open_locked(path, options, lock, None)
    }

    /// Opens a database whose lock is taken.
    pub(super) fn open_locked(
        path: &Path,
        options: StoreOptions,
        lock: Lock,
        read_only: Option<ReadOnly>,
    ) -> Result<Self> {
        let Some((_, place)) = rewrite::current(path)? else {
            return Err(not_a_database(path, "it was never completely created; create it again"));
        };
        space::ensure(path, options.min_free_bytes)?;
        let documents = Documents::open(&place)?;
        fault::reach(Point::OpenTrees)?;
        let Some(manifest) = documents.manifest()? else {
            return Err(not_a_database(path, "it was never completely created; create it again"));
        };
        // Not before this point: if these trees are damaged, older ones that a crash left are still
        // useful.
        rewrite::remove_others(path, &place)?;
        fault::reach(Point::OpenOthersRemoved)?;
        start(path, options, lock, documents, manifest, read_only)
    }

    /// True if a database is at the path, locked or not.
    #[must_use]
    pub fn is_database(path: impl AsRef<Path>) -> bool {
        let path = path.as_ref();
        matches!(is_marked(path), Ok(true)) && matches!(rewrite::current(path), Ok(Some(_)))
    }
}

fn not_a_database(path: &Path, what: &str) -> StorageError {
    StorageError::NotADatabase { path: path.to_owned(), what: what.to_owned() }
}

/// Builds the state in memory from the files.
fn start(
    path: &Path,
    options: StoreOptions,
    lock: Lock,
    documents: Documents,
    manifest: Manifest,
    read_only: Option<ReadOnly>,
) -> Result<Store> {
    let segments_folder = path.join(SEGMENTS);
    let dimension = manifest.dimension as usize;
    let metric = Metric::from_byte(manifest.metric)
        .ok_or_else(|| StorageError::corrupt(documents.path(), "the manifest names an unknown metric"))?;
    let (encoder, fingerprint) = (manifest.encoder.clone(), manifest.fingerprint.clone());
    let attributes = manifest.attributes.iter().cloned().collect();
    let precision = documents.precision()?;
    let profile = Profile { dimension, metric, precision, encoder, fingerprint, attributes };
    profile.check().map_err(|error| StorageError::corrupt(documents.path(), error.to_string()))?;

    std::fs::create_dir_all(&segments_folder).at(&segments_folder)?;
    let mut segments = Vec::with_capacity(manifest.segments.len());
    for entry in &manifest.segments {
        let segment = Segment::open(&segments_folder, entry.number, dimension, metric)?;
        if segment.ids().len() != entry.rows as usize {
            return Err(StorageError::corrupt(segment.path(), "the manifest says another number of rows"));
        }
        if documents.segment_checksum(entry.number)?.is_some_and(|checksum| checksum != segment.checksum()) {
            return Err(StorageError::corrupt(
                segment.path(),
                "this is not the segment that was written here",
            ));
        }
        segments.push(Arc::new(segment));
    }
    let mut snapshot = Snapshot {
        generation: manifest.generation,
        metric,
        segments,
        growing: Growing::new(dimension),
        removed: Arc::new(documents.removals()?),
        live: manifest.passages,
        documents: manifest.documents,
    };
    let (growing, left_behind) = growing(&documents, &segments_folder, dimension, &snapshot)?;
    snapshot.growing = growing;
    fault::reach(Point::OpenSegments)?;
    // Not before this point: if files of the manifest are damaged or missing, others are still
    // useful.
    remove_orphans(&snapshot, &segments_folder)?;
    let due = left_behind || snapshot.growing.rows() >= options.seal_rows;
    let asked = Mutex::new(Asked::new(options.remembered_queries));
    let shared = Arc::new(Shared {
        path: path.to_owned(),
        segments_folder,
        profile,
        options,
        documents: RwLock::new(Arc::new(documents)),
        writer: Mutex::new(manifest),
        waiting: Queue::default(),
        sequence: AtomicU64::new(0),
        poison: Mutex::new(None),
        sealing_failure: Mutex::new(None),
        rewrite_failure: Mutex::new(None),
        building: Building::default(),
        filters: Mutex::new(Vec::new()),
        asked,
        snapshot: RwLock::new(Arc::new(snapshot)),
        changed: (Mutex::new(()), Condvar::new()),
        _lock: lock,
        read_only,
    });
    let indexer = Indexer::start(Arc::clone(&shared))?;
    if due {
        indexer.wake();
    }
    Ok(Store { indexer, shared })
}

/// Returns the rows that no segment of the snapshot holds, and `true` if the trees have vectors
/// that a segment has too.
fn growing(
    documents: &Documents,
    folder: &Path,
    dimension: usize,
    snapshot: &Snapshot,
) -> Result<(Growing, bool)> {
    let mut runs = Vec::new();
    for (first_row, checksum) in documents.runs()? {
        let run = Run::open(folder, first_row, dimension)?;
        if run.checksum() != checksum {
            return Err(StorageError::corrupt(run.path(), "this is not the run that was written here"));
        }
        run.is_sound()?;
        runs.push(Arc::new(run));
    }
    let mut growing = Growing::new(dimension);
    let mut runs = runs.into_iter().peekable();
    let (mut ids, mut vectors, mut left_behind) = (Vec::new(), Vec::new(), false);
    for entry in documents.vectors() {
        let (row, vector) = entry?;
        if snapshot.is_sealed(row) {
            left_behind = true;
            continue;
        }
        if vector.len() != dimension {
            let what = format!("the vector of row {row} has {} components, not {dimension}", vector.len());
            return Err(StorageError::corrupt(documents.path(), what));
        }
        while let Some(run) = runs.next_if(|run| run.rows().start < row) {
            growing.append(std::mem::take(&mut ids), std::mem::take(&mut vectors));
            growing.append_run(run);
        }
        ids.push(row);
        vectors.extend(vector);
    }
    growing.append(ids, vectors);
    runs.for_each(|run| growing.append_run(run));
    Ok((growing, left_behind))
}

/// Removes segments and runs that no manifest adopted, which a crash between writing and adopting
/// leaves.
fn remove_orphans(snapshot: &Snapshot, folder: &Path) -> Result<()> {
    let segments = snapshot.segments.iter().map(|segment| segment.path());
    let runs = snapshot.growing.runs(snapshot.growing.rows()).map(|run| run.path());
    let adopted: Vec<&Path> = segments.chain(runs).collect();
    for entry in std::fs::read_dir(folder).at(folder)? {
        let path = entry.at(folder)?.path();
        let ours = path
            .extension()
            .is_some_and(|extension| ["seg", "run", "tmp"].iter().any(|ours| extension == *ours));
        if ours && !adopted.contains(&&*path) {
            std::fs::remove_file(&path).at(&path)?;
            fault::reach(Point::OpenOrphanRemoved)?;
        }
    }
    Ok(())
}
