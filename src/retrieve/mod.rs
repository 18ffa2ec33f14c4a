//! A question in, passages out.
//!
//! Bare vectors are searched as they are. For text, what lies near in meaning is ranked once more by its words: a small
//! encoder tells topics apart, and among passages of one topic the words say which of them was asked about.
//!
//! file | responsibility
//! ---|---
//! `search.rs` | the vector of a question
//! `words.rs` | how well a passage has the words of a question
//! `copies.rs` | passages that say the same
//! `rank.rs` | both together

mod copies;
mod rank;
mod search;
mod words;

pub use copies::Place;
pub use postil_text::has_word;
pub(crate) use rank::retrieve;
pub use rank::{DEFAULT_CANDIDATES, DEFAULT_WORDS_WEIGHT, RetrieveOptions, Retrieved};
pub(crate) use search::question_vector;
