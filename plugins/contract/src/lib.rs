//! The two traits a Postil plugin implements, and the types that cross them.
//!
//! An [`Encoder`] turns text into vectors; a [`Generator`] turns a question and its retrieved passages
//! into next-token distributions, one per passage. Neither knows of the other, of storage, or of a
//! particular model library: this crate has no heavy dependency, and every other crate may have it.
//!
//! file | responsibility
//! ---|---
//! `embeddings.rs` | rows of vectors
//! `encoder.rs` | text to vectors, and what must be known about the model that does it
//! `generator.rs` | the state of a decoding over k passages
//! `passage.rs` | the text a plugin is shown

mod embeddings;
mod encoder;
mod generator;
mod passage;

pub use embeddings::Embeddings;
pub use encoder::{EncodeError, Encoder, EncoderProfile, Similarity};
pub use generator::{
    AnswerForm, AnswerScores, Calibration, ConfidenceFit, Decoding, GenerateError, Generator, LogProbs,
    TokenId,
};
pub use passage::Passage;
