//! Models on this machine: their folder, the installed ones, and checks of their files; with the
//! feature `fetch`, also downloads.
//!
//! [`open_model`](crate::open_model) and [`open_generator`](crate::open_generator) open them by
//! name.

#[cfg(feature = "fetch")]
pub use postil_checkpoint::fetch::{Attempt, FetchError, Progress, Reason, add};
pub use postil_checkpoint::{
    CheckpointError, Damage, Description, HOME_VARIABLE, Installed, KnownModel, Mismatch, ModelKind,
    PinnedFile, Record, RecordedFile, Wheel, known_model, known_models, list, locate, model_home, verify,
};
