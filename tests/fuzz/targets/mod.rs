//! The fuzz targets, run by mutations in this test and guided by coverage in `tests/coverage`.
//!
//! | file | responsibility |
//! |---|---|
//! | language | filters |
//! | texts | HTML, Markdown, JSONL, chunks, offset maps |
//! | models | configurations, tokenizers, safetensors, GGUF |

pub(crate) mod language;
pub(crate) mod models;
pub(crate) mod texts;

use postil_hostile::Target;

/// A target whose valid inputs are texts.
fn target<'a>(name: &'a str, valid: &[&str], calm: impl Fn(&[u8]) + 'a) -> Target<'a> {
    Target::new(name, valid.iter().map(|text| text.as_bytes().to_vec()), calm)
}
