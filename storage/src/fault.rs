//! Points where a test stops the store, as a crash or a failing disk would: each step that
//! `FORMAT.md` numbers.
//!
//! Without the feature `faults`, which only tests turn on, [`reach`] is an empty function.

use crate::error::Result;

/// Declares the points and the list of all of them, so that no test can miss one.
macro_rules! points {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A moment between two steps.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[cfg_attr(not(feature = "faults"), expect(unreachable_pub, reason = "only tests see the points"))]
        pub enum Point {
            $($(#[$doc])* $name,)*
        }

        #[cfg(feature = "faults")]
        impl Point {
            /// All points, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

points! {
    /// Creating: the lock is taken.
    CreateLocked,
    /// Creating: the trees are there, without a manifest.
    CreateTrees,
    /// Creating: the manifest is durable.
    CreateManifest,
    /// Opening: the lock is taken.
    OpenLocked,
    /// Opening: trees other than the current ones are removed.
    OpenOthersRemoved,
    /// Opening: the trees are open.
    OpenTrees,
    /// Opening: one file that no manifest names is removed.
    OpenOrphanRemoved,
    /// Opening: the segments are mapped.
    OpenSegments,
    /// A batch is checked and serialized.
    CommitPrepared,
    /// The vectors of a large batch are in a file, which is not synced yet.
    RunWritten,
    /// The file of the run is synced.
    RunSynced,
    /// The file of the run has its name.
    RunRenamed,
    /// The folder of the run is synced.
    RunFolderSynced,
    /// The transaction of a batch or an adoption is applied, but not flushed.
    TransactionWritten,
    /// The transaction is flushed.
    TransactionFlushed,
    /// The snapshot with the batch is published.
    CommitPublished,
    /// A segment's file has its header and some of its arrays.
    SegmentPart,
    /// The segment's file is complete, but not synced.
    SegmentWritten,
    /// The segment's file is synced.
    SegmentSynced,
    /// The segment's file has its name.
    SegmentRenamed,
    /// The folder of the segment is synced.
    SegmentFolderSynced,
    /// The segment is open.
    SegmentOpened,
    /// The segment is adopted, in the trees and in memory.
    AdoptionPublished,
    /// One file of a replaced segment or run is removed.
    OldFileRemoved,
    /// Some vectors that a segment has are deleted from the trees.
    VectorsPart,
    /// The folder for the new trees is there.
    RewriteBegun,
    /// The base is written, but not synced.
    RewriteBase,
    /// The trees are copied too, but not flushed.
    RewriteCopied,
    /// The new trees are durable, and closed.
    RewriteClosed,
    /// The new trees have their name.
    RewriteRenamed,
    /// The database's folder is synced.
    RewriteFolderSynced,
    /// The new trees are open and in use.
    RewriteUsed,
    /// The old trees are removed.
    RewriteOldRemoved,
}

/// Stops here if a test wants it.
#[cfg(not(feature = "faults"))]
#[inline(always)]
#[expect(clippy::unnecessary_wraps, reason = "fails only with the feature")]
pub(crate) fn reach(_: Point) -> Result<()> {
    Ok(())
}

#[cfg(feature = "faults")]
pub use hooked::on_reach;
#[cfg(feature = "faults")]
pub(crate) use hooked::reach;

#[cfg(feature = "faults")]
mod hooked {
    use super::{Point, Result};
    use crate::error::StorageError;
    use parking_lot::RwLock;
    use std::sync::Arc;

    /// A function called at each point; `false` makes the step fail.
    type Hook = Arc<dyn Fn(Point) -> bool + Send + Sync>;

    static HOOK: RwLock<Option<Hook>> = RwLock::new(None);

    /// Sets the function called at every point of every store of this process, on the thread that
    /// reaches it; `None` unsets it.
    pub fn on_reach(hook: Option<Hook>) {
        *HOOK.write() = hook;
    }

    pub(crate) fn reach(point: Point) -> Result<()> {
        let hook = HOOK.read().clone();
        if hook.is_none_or(|hook| hook(point)) {
            return Ok(());
        }
        let source = std::io::Error::other("a test let it fail here");
        Err(StorageError::Io { path: format!("{point:?}").into(), source })
    }
}
