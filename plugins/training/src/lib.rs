//! Training on a user's own documents: encoder and reader, on candle's autograd.
//!
//! [`adapt`] trains an encoder further, without labels. Its parts, and those of joint training, are
//! public for programs of their own: networks whose tensors are [`Parameters`], losses, [`run`].
//!
//! file | responsibility
//! ---|---
//! `ops/` | operations with a backward pass, over the kernels of this machine
//! `parameters.rs` | the tensors of a model
//! `bert.rs`, `heads.rs` | BERT, and the heads of its pretraining
//! `reader.rs` | the reader's network
//! `loss.rs` | contrast, and the marginal of RAG
//! `optimizer.rs` | AdamW, clipping, the rate's schedule
//! `run.rs`, `state.rs` | a run, and its state on disk
//! `random.rs` | seeded random numbers
//! `material.rs` | examples without labels
//! `held_out.rs`, `compare.rs` | questions of held-out documents, and two models beside each other
//! `export.rs` | a model's folder
//! `adapt.rs` | all of it for an encoder

mod adapt;
mod bert;
mod compare;
mod error;
mod export;
mod heads;
mod held_out;
pub mod loss;
mod material;
pub mod ops;
mod optimizer;
mod parameters;
mod random;
mod reader;
mod run;
mod state;

pub use adapt::{AdaptOptions, Adapted, RecallRow, adapt};
pub use bert::{Batch, Bert};
pub use compare::Compared;
pub use error::TrainError;
pub use export::export;
pub use heads::{MaskedWords, NextSentence};
pub use held_out::{HeldOut, divide, recall, reciprocal};
pub use material::{Masked, Masking, Objective, Section, Source};
pub use optimizer::{AdamSettings, AdamW, Gradients, rate_factor};
pub use parameters::Parameters;
pub use random::Random;
pub use reader::{Reader, ReaderTokens, Reading};
pub use run::{BatchLoss, RunSettings, Stepped, run};
