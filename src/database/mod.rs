//! [`Database`] and [`ReadOnlyDatabase`], the types that callers hold, and all their methods.
//!
//! Whatever only reads is a method of [`ReadOnlyDatabase`], which a [`Database`] dereferences to.
//!
//! file | responsibility
//! ---|---
//! `open.rs` | opening and closing
//! `models.rs` | the encoder and the generator
//! `read.rs` | documents, searches, exports
//! `fields.rs` | the fields that filters can name
//! `ask.rs` | questions, and how well they are answered
//! `look.rs` | sizes, checks, copies, the newest published state
//! `write.rs` | methods that change the content
//! `admin.rs` | compaction, publishing, restoring

mod admin;
#[cfg(feature = "generator")]
mod ask;
#[cfg(feature = "encoder")]
mod fields;
mod look;
#[cfg(feature = "encoder")]
mod models;
mod open;
mod read;
mod write;

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use postil_storage::{Metadata, Profile, Store};

/// A database: documents or bare vectors in one folder, written by one process at a time.
///
/// The methods that only read are those of [`ReadOnlyDatabase`], which it dereferences to: a
/// function that only reads takes `&ReadOnlyDatabase`, and gets either. All methods but
/// [`close`](Self::close) take `&self` and may be called from many threads, behind an `Arc`; reads
/// do not wait for writes.
///
/// ```
/// # let home = tempfile::tempdir()?;
/// # let path = home.path().join("d.postil");
/// use postil::{Database, Metric, ReadOnlyDatabase};
/// fn documents(db: &ReadOnlyDatabase) -> Result<u64, postil::Error> {
///     Ok(db.stat()?.documents)
/// }
/// let db = Database::options().vectors(2, Metric::Cosine).open(&path)?;
/// assert_eq!(documents(&db)?, 0);
/// db.close()?;
/// assert_eq!(documents(&Database::open_read_only(&path)?)?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Database {
    readable: ReadOnlyDatabase,
    /// The store of `readable`, which is never another one here.
    store: Arc<Store>,
    #[cfg(feature = "encoder")]
    max_document_bytes: usize,
    /// Keys of documents by their file, read when the first single document with a file is
    /// ingested; `None` before, and after a change that makes them stale.
    #[cfg(feature = "encoder")]
    pub(crate) known: Mutex<Option<crate::origin::Known>>,
}

/// A database that is only read: it has no method that writes. Opened by
/// [`Database::open_read_only`] or [`Database::open_published`].
///
/// All methods take `&self` and may be called from many threads, behind an `Arc`.
///
/// ```compile_fail,E0599
/// let db = postil::Database::open_read_only("handbook.postil")?;
/// db.remove(["leave.txt"])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ReadOnlyDatabase {
    path: PathBuf,
    profile: Profile,
    /// The state that is shown, replaced by a later one in `refresh`; reads that began earlier keep
    /// theirs.
    store: RwLock<Arc<Store>>,
    /// Held during a refresh, so that no older state replaces a newer one.
    refreshing: Mutex<()>,
    #[cfg(feature = "encoder")]
    pub(crate) max_question_bytes: usize,
    #[cfg(feature = "encoder")]
    chunking: crate::chunk::ChunkOptions,
    #[cfg(feature = "encoder")]
    encoder: Mutex<Option<Arc<dyn postil_contract::Encoder>>>,
    #[cfg(feature = "generator")]
    generator: Mutex<Option<Arc<dyn postil_contract::Generator>>>,
    #[cfg(feature = "generator")]
    generator_name: String,
    /// The language model that `auto` asks second.
    #[cfg(feature = "generator")]
    second: Mutex<Option<Arc<dyn postil_contract::Generator>>>,
}

/// A bare vector with its key and fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Key, unique in the database.
    pub key: String,
    /// `[dimension]`; need not be normalized.
    pub vector: Vec<f32>,
    /// Fields that filters can name.
    pub metadata: Metadata,
}

impl ReadOnlyDatabase {
    /// The database's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database's profile: dimension, metric and encoder, as chosen when it was made.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The state that is shown now. Work of several steps takes it once.
    pub(crate) fn state(&self) -> Arc<Store> {
        Arc::clone(&self.store.read())
    }
}

impl Database {
    /// The underlying store, for operations that have no method here.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

impl Deref for Database {
    type Target = ReadOnlyDatabase;

    fn deref(&self) -> &ReadOnlyDatabase {
        &self.readable
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        show(self, f.debug_struct("Database"))
    }
}

impl std::fmt::Debug for ReadOnlyDatabase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        show(self, f.debug_struct("ReadOnlyDatabase"))
    }
}

fn show(db: &ReadOnlyDatabase, mut name: std::fmt::DebugStruct<'_, '_>) -> std::fmt::Result {
    name.field("path", &db.path).field("profile", &db.profile).finish_non_exhaustive()
}
