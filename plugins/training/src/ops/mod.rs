//! Operations with a backward pass for candle's autograd, over the kernels of this machine.
//!
//! candle 0.11 has no backward pass for its fused layer norm, softmax and attention, and the ones
//! that it composes of elementary operations run on one thread, through many temporary tensors.
//! Sequences are packed end to end, without padding, as in the encoder.
//!
//! file | responsibility
//! ---|---
//! `slices.rs` | tensors as slices, and rows divided among threads
//! `linear.rs` | linear layer
//! `attention.rs` | self-attention within each sequence
//! `norm.rs` | layer norm
//! `gelu.rs` | GELU in its exact (erf) form
//! `cross_entropy.rs` | mean cross-entropy of rows of logits

mod attention;
mod cross_entropy;
mod gelu;
mod linear;
mod norm;
mod slices;

pub use attention::attention;
pub use cross_entropy::cross_entropy;
pub use gelu::gelu;
pub use linear::{linear, linear_fixed};
pub use norm::norm;
pub(crate) use slices::read;

#[cfg(test)]
mod tests;
