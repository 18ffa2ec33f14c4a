//! Models on this machine: where they are kept, which are there, and whether their files are whole; with
//! the feature `fetch`, also bringing one there.
//!
//! [`open_model`](crate::open_model) and [`open_generator`](crate::open_generator) open them by name.

#[cfg(feature = "fetch")]
pub use postil_checkpoint::fetch::{FetchError, Progress, add};
pub use postil_checkpoint::{
    CheckpointError, Damage, HOME_VARIABLE, Installed, KnownModel, Mismatch, PinnedFile, Wheel, known_model,
    known_models, list, locate, model_home, verify,
};
