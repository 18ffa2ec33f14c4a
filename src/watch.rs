//! Long work that is watched, and ended early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;

/// A caller's part in long work: it hears how far the work has come, and may end it early. By default neither.
///
/// ```
/// use postil::{Cancel, Watch};
/// let cancel = Cancel::default();
/// let progress = |progress: &postil::Progress| println!("{} documents", progress.documents_read);
/// let watch = Watch::new().progress(&progress).cancel(&cancel);
/// # let _ = watch;
/// ```
#[derive(Clone, Copy, Default)]
#[must_use]
pub struct Watch<'a> {
    progress: Option<&'a (dyn Fn(&Progress) + Sync)>,
    cancel: Option<&'a Cancel>,
}

impl<'a> Watch<'a> {
    /// Watches nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells `progress` how far the work has come. It is called often, maybe from several threads, and
    /// should return at once: the work waits for it.
    pub fn progress(self, progress: &'a (dyn Fn(&Progress) + Sync)) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// Ends the work at its next safe point once `cancel` asks for it.
    pub fn cancel(self, cancel: &'a Cancel) -> Self {
        Self { cancel: Some(cancel), ..self }
    }

    pub(crate) fn tell(&self, progress: &Progress) {
        if let Some(tell) = self.progress {
            tell(progress);
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(Cancel::is_cancelled)
    }

    /// The door of work that has no safe point until it is done.
    pub(crate) fn begin(&self) -> Result<(), Error> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_told = self.progress.is_some();
        f.debug_struct("Watch").field("progress", &is_told).field("cancel", &self.cancel).finish()
    }
}

/// A request to stop, shared between the one who asks and the work that obeys.
///
/// Work that is cancelled keeps what is committed and returns what it did.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the work to stop at the next safe point.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Tells whether somebody asked.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The distance that work has come. Counts only grow within one piece of work; those that it does not have stay 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes that will be read or copied, about; `None` when that is not known, as on a stream.
    pub total_bytes: Option<u64>,
    /// Bytes read or copied.
    pub read_bytes: u64,
    /// Documents read, unchanged ones included.
    pub documents_read: u64,
    /// Documents found unchanged, by content hash.
    pub documents_unchanged: u64,
    /// Documents that are durably in the database.
    pub documents_committed: u64,
    /// Bytes of text embedded.
    pub embedded_bytes: u64,
    /// Passages embedded.
    pub passages_embedded: u64,
    /// Passages that are durably in the database.
    pub passages_committed: u64,
    /// Questions asked.
    pub questions_asked: u64,
}
