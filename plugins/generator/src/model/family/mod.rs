//! Families of decoder-only models: how each differs from Llama.
//!
//! A family is one entry of [`FAMILIES`], in a file of its own. It brings a published configuration
//! into the form that [`CausalConfig`](super::causal::CausalConfig) reads, and says how GGUF files
//! store the family. What a family changes is data of that configuration; the network is one.
//!
//! file | responsibility
//! ---|---
//! `entry.rs` | one family's entry, and what entries are written with
//! `llama.rs` | Llama, SmolLM
//! `qwen.rs` | Qwen2, Qwen3
//! `mistral.rs` | Mistral
//! `gemma2.rs` | Gemma 2
//! `gemma3.rs` | Gemma 3, text only
//! `phi3.rs` | Phi-3
//! `fused.rs` | projections that a checkpoint stores as one matrix

mod entry;
mod fused;
mod gemma2;
mod gemma3;
mod llama;
mod mistral;
mod phi3;
mod qwen;

pub(crate) use entry::Family;
pub(super) use entry::Fields;
pub(super) use fused::Fused;

/// All families.
pub(crate) const FAMILIES: [&Family; 7] = [
    &llama::LLAMA,
    &qwen::QWEN2,
    &qwen::QWEN3,
    &mistral::MISTRAL,
    &gemma2::GEMMA2,
    &gemma3::GEMMA3,
    &phi3::PHI3,
];

/// The family with this `model_type`; `None` when it is none of a decoder-only model.
pub(crate) fn family(name: &str) -> Option<&'static Family> {
    FAMILIES.into_iter().find(|family| family.name == name)
}
