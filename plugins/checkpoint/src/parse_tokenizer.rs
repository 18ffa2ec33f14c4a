//! From JSON to a tokenizer, without the panics of the `tokenizers` crate.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokenizers::Tokenizer;

/// Largest `tokenizer.json` read; the largest published ones have some 30 MB.
pub(crate) const MAX_TOKENIZER_BYTES: u64 = 256 << 20;

/// The tokenizer that a `tokenizer.json` describes, or why it describes none.
///
/// Some of the crate's readers (decoders) expect that what passed one of their parsers passes the next, and panic where
/// it does not. Nothing outlives such a panic but the bytes.
pub(crate) fn parse_tokenizer(json: &[u8]) -> Result<Tokenizer, String> {
    match catch_unwind(AssertUnwindSafe(|| Tokenizer::from_bytes(json))) {
        Ok(Ok(tokenizer)) => Ok(tokenizer),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("its parts do not fit together".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_that_makes_the_crate_panic_is_an_error() {
        let json = include_bytes!("../../../tests/fuzz/found/tokenizer/a-decoder-with-half-a-character.json");
        assert!(parse_tokenizer(json).is_err());
    }
}
