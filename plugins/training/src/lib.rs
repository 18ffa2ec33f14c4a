//! Training on a user's own documents: encoder and reader, on candle's autograd.
mod bert;
mod error;
mod heads;
pub mod loss;
pub mod ops;
mod optimizer;
mod parameters;
mod random;
mod reader;

pub use bert::{Batch, Bert};
pub use error::TrainError;
pub use heads::{MaskedWords, NextSentence};
pub use optimizer::{AdamSettings, AdamW, Gradients, rate_factor};
pub use parameters::Parameters;
pub use random::Random;
pub use reader::{Reader, ReaderTokens, Reading};
