//! The database: the one type that callers hold, and all its methods.
//!
//! file | responsibility
//! ---|---
//! `open.rs` | opening and closing, and the models that it works with
//! `write.rs` | what changes its content
//! `read.rs` | what only looks
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

/// A database: documents or bare vectors in one folder, written by one process at a time, read by any
/// ([`Database::open_read_only`]).
///
/// All methods take `&self` and may be called from many threads; reads do not wait for writes.
pub struct Database {
    path: PathBuf,
    store: Store,
    #[cfg(feature = "encoder")]
    max_document_bytes: usize,
    #[cfg(feature = "encoder")]
    pub(crate) max_question_bytes: usize,
    #[cfg(feature = "encoder")]
    chunking: crate::chunk::ChunkOptions,
    /// Documents by their file, once one that was read from a file is ingested by itself.
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
    /// Unique in the database.
    pub key: String,
    /// `[dimension]`; need not be normalized.
    pub vector: Vec<f32>,
    /// Fields that filters can name.
    pub metadata: Metadata,
}

impl Database {
    /// The folder it lives in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it was made with: dimension, metric, encoder.
    pub fn profile(&self) -> &Profile {
        self.store.profile()
    }

    /// The store beneath, for what has no method here.
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
