//! Progress of long work, and its cancellation.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use postil_storage::Step;

use crate::Error;

/// A caller's hooks into long work: receives its progress and may cancel it. Both are off by
/// default.
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
    /// Makes a watch without progress and cancellation.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `progress`, which receives the progress of the work. It is called often, maybe from
    /// several threads, and must return quickly: the work waits for it. It must not write to, check
    /// or publish the database that is worked on: `backup` and `check` hold its lock while they call.
    pub fn progress(self, progress: &'a (dyn Fn(&Progress) + Sync)) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// Sets `cancel`, which ends the work at its next safe point.
    pub fn cancel(self, cancel: &'a Cancel) -> Self {
        Self { cancel: Some(cancel), ..self }
    }

    pub(crate) fn report(&self, progress: &Progress) {
        if let Some(report) = self.progress {
            report(progress);
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(Cancel::is_cancelled)
    }

    /// Passes on the steps of the store's work, each as `shown` gives it, until it is cancelled.
    pub(crate) fn steps(
        &self,
        mut shown: impl FnMut(Step) -> Progress,
    ) -> impl FnMut(Step) -> ControlFlow<()> {
        move |step| {
            self.report(&shown(step));
            if self.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }

    /// Begins work that has no safe point until it is done; an error when it is cancelled already.
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

/// A request to stop, shared between the caller and the work.
///
/// A cancelled ingest or import keeps what is committed and returns its report; other methods say
/// what they do.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the work to stop at the next safe point.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// True after [`cancel`](Self::cancel).
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Progress of long work. Counts only grow within one piece of work, but for the tokens of passages read
/// ahead; those that do not apply stay
/// 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Approximate number of bytes to read or copy; `None` when it is not known, as on a stream.
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
    /// Tokens of passages that a generator has read for the question, or for the passage, at hand.
    pub tokens_read: u64,
    /// Number of those to read; `None` when nothing is read.
    pub total_tokens: Option<u64>,
    /// Passages read ahead, those that were read before included.
    pub passages_read: u64,
    /// Number of passages to read ahead; `None` when it is not known.
    pub total_passages: Option<u64>,
    /// Questions asked.
    pub questions_asked: u64,
    /// Number of questions to ask; `None` when it is not known.
    pub total_questions: Option<u64>,
    /// Rows checked, or linked in a new segment.
    pub rows: u64,
    /// Approximate number of rows to check or link; `None` when it is not known.
    pub total_rows: Option<u64>,
}

impl Progress {
    pub(crate) fn of_bytes(step: Step) -> Self {
        Self { read_bytes: step.done, total_bytes: Some(step.total), ..Self::default() }
    }

    pub(crate) fn of_rows(step: Step) -> Self {
        Self { rows: step.done, total_rows: Some(step.total), ..Self::default() }
    }

    pub(crate) fn of_questions(step: Step) -> Self {
        Self { questions_asked: step.done, total_questions: Some(step.total), ..Self::default() }
    }
}
