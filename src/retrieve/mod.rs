//! A question in, passages out.
//!
//! Bare vectors are searched directly. For text, the nearest passages are ranked once more by their
//! words: a small encoder separates topics, and within one topic the words tell which passage was
//! asked about.
//!
//! file | responsibility
//! ---|---
//! `search.rs` | the vector of a question
//! `words.rs` | score of a passage by the words of a question
//! `copies.rs` | equal passages merged
//! `rank.rs` | ranking by vector and words

mod copies;
mod rank;
mod search;
mod words;

pub use copies::Place;
pub use postil_text::has_word;
pub use rank::{DEFAULT_CANDIDATES, DEFAULT_WORDS_WEIGHT, RetrieveOptions, Retrieved};
pub(crate) use rank::{locate, retrieve};
pub(crate) use search::question_vector;
