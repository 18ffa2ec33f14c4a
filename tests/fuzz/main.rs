//! Whatever reads what someone else wrote stays calm: no panic, no long time, no large memory.
//!
//! | file | responsibility |
//! |---|---|
//! | language | filters |
//! | texts | HTML, Markdown, JSONL, chunks, offset maps |
//! | models | configurations, tokenizers, safetensors, GGUF |
//! | found/ | cases that once failed, by target |
//!
//! Segment headers and records are fuzzed where they are read, in the storage crate. `POSTIL_FUZZ_TIMES=50` is the long
//! form.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

mod language;
mod models;
mod texts;

use postil_hostile::Target;

/// A target with the cases of its own that once failed.
fn target<'a>(name: &'a str, valid: &[&str]) -> Target<'a> {
    let found = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found").join(name);
    Target::new(name, valid.iter().map(|text| text.as_bytes().to_vec())).found_in(found)
}
