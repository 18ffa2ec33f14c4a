//! sled 0.34 behind guards: the write-ahead log, and the trees of what changed since the base was
//! written.
//!
//! | file | responsibility |
//! |---|---|
//! | open | opening sled |
//! | flush | flushes that end even if a write fails |
//! | files | syncing and cleaning that sled leaves undone |
//! | committed | a lower bound on the generation, outside of sled |
//! | contain | sled's panics as errors |
//! | closing | closing sled and removing superseded folders |
//!
//! These are the faults of sled 0.34.7 that this crate knows of, each with its guard:
//!
//! - A flush may wait for ever after a failed write of the log. `flush.rs`: a watching thread wakes
//!   it.
//! - `flush` leaves unsynced the length of the log, the files of large pages, and the names of
//!   files. `files.rs`: syncs them.
//! - An open that is killed leaves half a snapshot, which later opens take for damage. `files.rs`:
//!   removes it first.
//! - A page larger than a quarter of a log segment gets a file of its own; if that is missing, sled
//!   drops the log after it. `open.rs`: segments of 4 MiB.
//! - A closed sled holds its lock until the last of its threads ends. `open.rs`: waits for it.
//! - A damaged byte of the log passes for the torn end that a crash leaves, and what follows is
//!   lost without an error. `committed.rs`: refuses trees older than the last commit.
//! - Some damaged files make it panic. `contain.rs`: panics become errors.
//! - An iterator returns the same error for ever. `contain.rs`: ends it after the first.
//! - It flushes when it is dropped, and panics if that fails. `closing.rs`: contains the panic.
//! - It writes to what it opens, and cannot be opened twice. `store/unwritable.rs` and
//!   `store/salvage.rs` read a copy; `store/publish.rs` makes one for readers.
//! - An open on a full disk leaves a log that no later open can read. `store/space.rs`: refuses
//!   before.
//! - A transaction keeps all pages that it changes in memory. `store/seal/`: deletes sealed vectors
//!   in several.
//! - The space of removed entries is never freed. `documents/rewrite.rs`: writes the trees anew.
//! - Every open reads and writes the table of all pages. `documents/base/`: has most entries.

mod closing;
mod committed;
mod contain;
mod files;
mod flush;
mod open;

pub use contain::panic_message;

pub(super) use closing::Closing;
pub(super) use committed::Committed;
pub(super) use contain::{contained, contained_steps};
pub(super) use files::Syncing;
pub(super) use open::open;

pub(crate) use committed::{COMMITTED, noted_generation};
