//! The two traits that a plugin implements, and the types that cross them.
//!
//! An [`Encoder`] turns texts into vectors and is given to
//! [`Options::encoder`](crate::Options::encoder); a [`Generator`] says how probable each next token
//! of an answer is under each passage and is given to
//! [`Options::generator`](crate::Options::generator). Marginalization, search and citations are
//! written once over them.

pub use postil_contract::{
    AnswerForm, AnswerScores, Calibration, ConfidenceFit, Decoding, Embeddings, EncodeError, Encoder,
    EncoderProfile, GenerateError, Generator, KeptFile, LogProbs, Passage, ReadAhead, ReadWatch, Similarity,
    TokenId,
};
