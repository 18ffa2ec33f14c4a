//! Rows as the database benchmarks store them.
#![allow(dead_code, reason = "each benchmark uses its part")]

use postil_storage::{DocumentWrite, Metadata};

/// A row with a text as long as a sentence.
pub(crate) fn document(key: String, vector: &[f32]) -> DocumentWrite {
    let text = format!("{key}: {}", "the text that a reader would be shown for this row ".repeat(2));
    with_text(key, vector.to_vec(), text)
}

/// A row with this text.
pub(crate) fn with_text(key: String, vector: Vec<f32>, text: String) -> DocumentWrite {
    let mut document = DocumentWrite::row(key, vector, Metadata::new());
    document.passages[0].range = 0..text.len() as u64;
    document.text = text;
    document
}

/// Pseudorandom components between -1 and 1. The low bits of `seed` must be 0: they take the
/// component's position.
pub(crate) fn noise(seed: u64, dimension: usize) -> Vec<f32> {
    let component = |i: u64| (seed | i).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (0..dimension as u64).map(|i| (component(i) >> 40) as f32 / (1 << 23) as f32 - 1.0).collect()
}
