//! Backups of a database, and their restoration.

use std::ops::ControlFlow;

use postil_storage::{OnStep, Step};

use crate::{Progress, Watch};

/// The result of a backup or a restore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Copied {
    /// Bytes copied.
    pub bytes: u64,
    /// True when it was cancelled; the partial copy is deleted then.
    pub interrupted: bool,
}

impl Copied {
    pub(crate) fn of<E>(
        watch: &Watch<'_>,
        copy: impl FnOnce(OnStep<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<Self, E> {
        let mut copied = Self::default();
        let flow = copy(&mut |step: Step| {
            copied.bytes = step.done;
            let total_bytes = Some(step.total);
            watch.tell(&Progress { total_bytes, read_bytes: step.done, ..Progress::default() });
            if watch.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(Self { interrupted: flow.is_break(), ..copied })
    }
}
