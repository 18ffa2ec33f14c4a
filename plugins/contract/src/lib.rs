//! The two traits a Postil plugin implements, and the types that cross them.
//!
//! An [`Encoder`] turns text into vectors; a [`Generator`] turns a question and its retrieved
//! passages into next-token distributions, one per passage. Neither depends on the other, on
//! storage, or on a particular model library: this crate has no heavy dependency, so every other
//! crate may use it.
//!
//! file | responsibility
//! ---|---
//! `calibration.rs` | probabilities to shares of right answers
//! `embeddings.rs` | rows of vectors
//! `encoder.rs` | text to vectors, and the profile of the model
//! `failure.rs` | reasons that there is no answer
//! `generator.rs` | the state of a decoding over k passages
//! `locator.rs` | places in documents with pages, parts, slides or cells
//! `passage.rs` | the text that a plugin reads
//! `places.rs` | the place of every stretch of a text
//! `reading.rs` | reading of passages before the question

mod calibration;
mod embeddings;
mod encoder;
mod failure;
mod generator;
mod locator;
mod passage;
mod places;
mod reading;

pub use calibration::{Calibration, ConfidenceFit, SIGNS, Signs};
pub use embeddings::Embeddings;
pub use encoder::{EncodeError, Encoder, EncoderProfile, Similarity};
pub use failure::GenerateError;
pub use generator::{AnswerForm, AnswerScores, Decoding, Generator, LogProbs, TokenId};
pub use locator::{Locator, PageBox};
pub use passage::Passage;
pub use places::{Places, PlacesError, Spot};
pub use reading::{KeptFile, ReadAhead, ReadWatch};
