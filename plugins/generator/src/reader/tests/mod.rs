//! Tests against PyTorch on stored rows (`reference.rs`), and on a tiny model of fixed random
//! weights.

mod invariants;
mod reference;
mod refusals;
mod tiny;
