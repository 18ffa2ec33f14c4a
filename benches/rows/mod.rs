//! Rows as the benchmarks of databases store them.

use postil_storage::{DocumentWrite, Metadata};

/// A row with a text of the length of a sentence.
pub(crate) fn document(key: String, vector: &[f32]) -> DocumentWrite {
    let text = format!("{key}: {}", "the text that a reader would be shown for this row ".repeat(2));
    let mut document = DocumentWrite::row(key, vector.to_vec(), Metadata::new());
    document.passages[0].range = 0..text.len() as u64;
    document.text = text;
    document
}
