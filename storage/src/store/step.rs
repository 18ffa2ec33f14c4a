//! Progress of long work in a store, and its cancellation.

use crate::error::{Result, StorageError};
use std::ops::ControlFlow;

/// Progress of long work, in the unit that the method names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Amount done; never shrinks within one piece of work.
    pub done: u64,
    /// Amount to do, which may be an estimate; never less than `done`.
    pub total: u64,
}

/// Called with the progress of long work; `Break` cancels it.
pub type OnStep<'a> = &'a mut dyn FnMut(Step) -> ControlFlow<()>;

/// Lets work run to its end.
pub(super) fn unwatched(_: Step) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Entries counted between two calls: each call may cost as much as reading many entries.
const BETWEEN: u64 = 64;

/// A count of entries that passes its progress on.
pub(super) struct Counter<'a> {
    step: Step,
    passed: u64,
    on_step: OnStep<'a>,
}

impl<'a> Counter<'a> {
    pub(super) fn new(total: u64, on_step: OnStep<'a>) -> Self {
        Self { step: Step { done: 0, total }, passed: 0, on_step }
    }

    /// Counts `more` as done, and passes the progress on.
    ///
    /// # Errors
    /// [`StorageError::Cancelled`] if the caller cancels the work.
    pub(super) fn add(&mut self, more: u64) -> Result<()> {
        self.step.done += more;
        self.step.total = self.step.total.max(self.step.done);
        self.passed = 0;
        match (self.on_step)(self.step) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(StorageError::Cancelled),
        }
    }

    /// Counts one more as done.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(super) fn count(&mut self) -> Result<()> {
        self.step.done += 1;
        self.pass()
    }

    /// Passes an entry; asks from time to time whether the work is cancelled.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(super) fn pass(&mut self) -> Result<()> {
        self.passed += 1;
        if self.passed < BETWEEN { Ok(()) } else { self.add(0) }
    }
}
