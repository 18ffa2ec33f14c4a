//! Documents, vectors and their index on disk.
//!
//! A database is a folder. Documents go in with their passages and vectors, in batches that are
//! durable when [`Store::commit`] returns; [`Store::search`] finds the nearest passages, optionally
//! among documents whose metadata passes a [`Filter`]. `FORMAT.md` beside this crate describes
//! every byte and argues the commit protocol.
//!
//! ```
//! use postil_storage::{Batch, DocumentWrite, Metadata, Metric, Profile, SearchOptions, Store, StoreOptions};
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("points.postil");
//! let store = Store::create(&path, Profile::new(2, Metric::Cosine), StoreOptions::default())?;
//! let mut batch = Batch::new();
//! batch.upsert(DocumentWrite::row("east", vec![1.0, 0.0], Metadata::new()));
//! batch.upsert(DocumentWrite::row("north", vec![0.0, 1.0], Metadata::new()));
//! store.commit(batch)?;
//! let hits = store.search(&[0.9, 0.1], &SearchOptions::new(1))?;
//! assert_eq!(hits[0].key, "east");
//! # Ok::<(), postil_storage::StorageError>(())
//! ```
#![deny(unsafe_code)]

mod documents;
mod durable;
mod error;
#[cfg(not(feature = "faults"))]
mod fault;
#[cfg(feature = "faults")]
#[doc(hidden)]
pub mod fault;
mod few;
mod filter;
mod index;
pub mod json;
mod kind;
mod mapped;
mod parallel;
#[cfg(feature = "serde")]
mod serialize;
mod store;
mod sync;
mod value;
mod vector;

/// Targets of the coverage-guided fuzzers.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod targets {
    pub use crate::documents::targets::{base, records};
    pub use crate::index::run::targets::run;
    pub use crate::index::segment::targets::{segment, segment_header};
}

#[doc(hidden)]
pub use documents::panic_message;
pub use error::{Result, StorageError};
pub use filter::{Filter, Operator};
pub use index::effort::{DEFAULT_EF_SEARCH, DEFAULT_RECALL, Effort};
pub use kind::ErrorKind;
pub use store::{
    Batch, Committed, DEFAULT_EF_CONSTRUCTION, DEFAULT_M, DEFAULT_MAX_METADATA_BYTES, DEFAULT_MAX_PASSAGES,
    DEFAULT_MAX_TEXT_BYTES, DEFAULT_MAX_TITLE_BYTES, DEFAULT_MIN_FREE_BYTES, DEFAULT_OVERSAMPLING,
    DEFAULT_SEAL_ROWS, Damage, Document, DocumentWrite, Embed, EmbedError, Extent, Hit, LEAD_JOINT, Lost,
    MAX_KEY_BYTES, OnStep, Passage, PassageWrite, Profile, Rebuilt, Recall, SearchOptions, Stat, Step, Store,
    StoreOptions,
};
pub use value::{Decimal, MAX_METADATA_DEPTH, Metadata, Value};
pub use vector::metric::{MAX_DIMENSION, Metric};
pub use vector::names::NameError;
pub use vector::precision::Precision;
