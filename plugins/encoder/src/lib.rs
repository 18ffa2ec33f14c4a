//! Text to vectors: a BERT bi-encoder.

mod bert;
mod error;
mod kernel;

pub use bert::{BertConfig, BertModel, Packed};
pub use error::EncoderError;
