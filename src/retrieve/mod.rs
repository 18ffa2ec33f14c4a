//! A question in, passages out.
//!
//! Bare vectors are searched as they are. For text, what lies near in meaning is ranked once more by its words: a small
//! encoder tells topics apart, and among passages of one topic the words say which of them was asked about.
//!
//! file | responsibility
//! ---|---
//! `search.rs` | the nearest vectors
//! `words.rs` | how well a passage has the words of a question
//! `copies.rs` | passages that say the same
//! `rank.rs` | both together

#[cfg(feature = "encoder")]
mod copies;
#[cfg(feature = "encoder")]
mod rank;
mod search;
#[cfg(feature = "encoder")]
mod words;

#[cfg(feature = "encoder")]
pub use copies::Place;
#[cfg(feature = "encoder")]
pub use postil_text::has_word;
#[cfg(feature = "encoder")]
pub use rank::{DEFAULT_CANDIDATES, DEFAULT_WORDS_WEIGHT, RetrieveOptions, Retrieved};
