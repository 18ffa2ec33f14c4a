//! [`Database`], the type that callers hold, and all its methods.
//!
//! file | responsibility
//! ---|---
//! `open.rs` | opening and closing, and the models it works with
//! `write.rs` | methods that change its content
//! `read.rs` | methods that only read
//! `ask.rs` | questions, and how well they are answered
//! `admin.rs` | sizes, checks, copies, readers in other processes

mod admin;
#[cfg(feature = "generator")]
mod ask;
mod open;
mod read;
mod write;

use std::path::{Path, PathBuf};
#[cfg(feature = "encoder")]
use std::sync::Arc;

use postil_storage::{Metadata, Profile, Store};

/// A database: documents or bare vectors in one folder, written by one process at a time, read by
/// any ([`Database::open_read_only`]).
///
/// All methods but `refresh` and `close` take `&self` and may be called from many threads; reads do not wait for writes.
pub struct Database {
    path: PathBuf,
    store: Store,
    #[cfg(feature = "encoder")]
    max_document_bytes: usize,
    #[cfg(feature = "encoder")]
    pub(crate) max_question_bytes: usize,
    #[cfg(feature = "encoder")]
    chunking: crate::chunk::ChunkOptions,
    /// Keys of documents by their file, read when the first single document with a file is
    /// ingested; `None` before, and after a change that makes them stale.
    #[cfg(feature = "encoder")]
    pub(crate) known: parking_lot::Mutex<Option<crate::origin::Known>>,
    #[cfg(feature = "encoder")]
    encoder: parking_lot::Mutex<Option<Arc<dyn postil_contract::Encoder>>>,
    #[cfg(feature = "generator")]
    generator: parking_lot::Mutex<Option<Arc<dyn postil_contract::Generator>>>,
    #[cfg(feature = "generator")]
    generator_name: String,
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

impl Database {
    /// The database's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database's profile: dimension, metric and encoder, as chosen when it was made.
    pub fn profile(&self) -> &Profile {
        self.store.profile()
    }

    /// The underlying store, for operations that have no method here.
    pub fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("path", &self.path)
            .field("profile", self.profile())
            .finish_non_exhaustive()
    }
}
