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
        let mut bytes = 0;
        let mut progress = watch.steps(|step: Step| {
            bytes = step.done;
            Progress::of_bytes(step)
        });
        let flow = copy(&mut progress)?;
        drop(progress);
        Ok(Self { bytes, interrupted: flow.is_break() })
    }
}
