//! Text to vectors: a BERT bi-encoder whose forward pass runs on packed f32 slices.
//!
//! [`BertEncoder`] is the encoder; [`BertModel`] is its network, for callers that have token ids;
//! [`Linear`] is its linear layer, for a decoder on top of it; [`HashEncoder`] is a stand-in
//! without weights.
//!
//! file | responsibility
//! ---|---
//! `linear.rs` | a linear layer over the kernels
//! `bert/` | the network: weights and forward pass
//! `pooling.rs` | token states to one vector
//! `recipe.rs` | a folder's settings of pooling, window, prompts and score scale
//! `side.rs` | text to token ids
//! `batch.rs` | many sequences on several threads
//! `team.rs` | one batch on several threads
//! `encoder.rs` | the [`Encoder`](postil_contract::Encoder) made of these parts
//! `parts.rs` | what training needs of a folder
//! `hash.rs` | the stand-in

mod batch;
mod bert;
mod encoder;
mod error;
pub mod hash;
mod linear;
mod parts;
mod pooling;
mod recipe;
mod side;
mod team;

pub use bert::{BertConfig, BertModel, Packed, Sequence, Words};
pub use encoder::BertEncoder;
pub use error::EncoderError;
pub use hash::HashEncoder;
pub use linear::Linear;
pub use parts::Parts;
pub use pooling::{Pooling, normalize};
pub use postil_contract::Similarity;
pub use recipe::{COSINE_SCORE_SCALE, DOT_SCORE_SCALE};
