//! A stand-in for a model: vectors without weights, for tests and examples.

use std::ops::Range;

use postil_contract::{Embeddings, EncodeError, Encoder, EncoderProfile, Passage, Similarity};
use unicode_segmentation::UnicodeSegmentation;

use crate::pooling::normalize;
use crate::recipe::COSINE_SCORE_SCALE;

/// Default length of the longest input, in words.
pub const DEFAULT_MAX_TOKENS: usize = 256;
/// Default number of components.
pub const DEFAULT_DIMENSION: usize = 256;

/// Signed feature hashing of lower-cased words (Weinberger et al. 2009), normalized.
///
/// Texts that share words have similar vectors, and nothing else counts. It stands in where no
/// model is available, and gives the same vectors on every machine. A text without words has the
/// first unit vector.
///
/// ```
/// use postil_contract::{Encoder, Passage};
/// use postil_encoder::HashEncoder;
///
/// let encoder = HashEncoder::new();
/// let vectors = encoder.encode_passages(&[Passage::untitled("Parental leave"), Passage::untitled("parental LEAVE")])?;
/// assert_eq!(vectors.row(0), vectors.row(1));
/// # Ok::<(), postil_contract::EncodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HashEncoder {
    profile: EncoderProfile,
}

impl Default for HashEncoder {
    fn default() -> Self {
        Self::with_dimension(DEFAULT_DIMENSION)
    }
}

impl HashEncoder {
    /// Name of the default encoder.
    pub const NAME: &str = "hash-256";

    /// An encoder of [`DEFAULT_DIMENSION`] components, with a window of [`DEFAULT_MAX_TOKENS`]
    /// words.
    pub fn new() -> Self {
        Self::default()
    }

    /// An encoder of `dimension` components, at least 1.
    pub fn with_dimension(dimension: usize) -> Self {
        let dimension = dimension.max(1);
        Self {
            profile: EncoderProfile {
                name: format!("hash-{dimension}"),
                fingerprint: format!("hash-{dimension}-v1"),
                dimension,
                max_tokens: DEFAULT_MAX_TOKENS,
                similarity: Similarity::Cosine,
                score_scale: COSINE_SCORE_SCALE,
            },
        }
    }

    fn encode<'a>(&self, texts: impl Iterator<Item = [&'a str; 2]>) -> Result<Embeddings, EncodeError> {
        let EncoderProfile { dimension, max_tokens, .. } = self.profile;
        let mut vectors = Vec::new();
        for (index, parts) in texts.enumerate() {
            let from = vectors.len();
            vectors.resize(from + dimension, 0.0);
            let vector = &mut vectors[from..];
            let mut got_tokens = 0;
            for word in parts.into_iter().flat_map(UnicodeSegmentation::unicode_words) {
                let hash = fnv1a(word.to_lowercase().as_bytes());
                let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
                vector[(hash % dimension as u64) as usize] += sign;
                got_tokens += 1;
            }
            if got_tokens > max_tokens {
                return Err(EncodeError::TooLong { index, got_tokens, max_tokens });
            }
            if vector.iter().all(|value| *value == 0.0) {
                vector[0] = 1.0;
            }
            normalize(vector);
        }
        let model = || self.profile.name.clone();
        Embeddings::new(dimension, vectors)
            .ok_or_else(|| EncodeError::Model { model: model(), reason: "no dimension".to_owned() })
    }
}

impl Encoder for HashEncoder {
    fn profile(&self) -> &EncoderProfile {
        &self.profile
    }

    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError> {
        Ok(text.unicode_word_indices().map(|(at, word)| at..at + word.len()).collect())
    }

    fn room(&self, title: &str) -> Result<usize, EncodeError> {
        Ok(self.profile.max_tokens.saturating_sub(title.unicode_words().count()))
    }

    fn encode_questions(&self, questions: &[&str]) -> Result<Embeddings, EncodeError> {
        self.encode(questions.iter().map(|question| ["", *question]))
    }

    fn encode_passages(&self, passages: &[Passage<'_>]) -> Result<Embeddings, EncodeError> {
        self.encode(passages.iter().map(|passage| [passage.title, passage.text]))
    }
}

/// Computes FNV-1a, 64 bits, with a last mixing step, since only the low bits choose the component.
fn fnv1a(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn texts_that_share_words_are_closer_than_texts_that_do_not() {
        let encoder = HashEncoder::new();
        let vectors = encoder.encode_questions(&["red apples", "Apples, red!", "green pears", ""]).unwrap();
        let rows: Vec<&[f32]> = vectors.rows().collect();
        assert!((dot(rows[0], rows[1]) - 1.0).abs() < 1e-6);
        assert!(dot(rows[0], rows[2]) < 0.6);
        assert!(rows.iter().all(|row| (dot(row, row) - 1.0).abs() < 1e-6));
    }

    #[test]
    fn nothing_is_cut_and_the_title_takes_room() {
        let mut encoder = HashEncoder::with_dimension(64);
        encoder.profile.max_tokens = 4;
        assert_eq!(encoder.room("two words").unwrap(), 2);
        let passages = [Passage::untitled("a b c d"), Passage { title: "e", text: "a b c d" }];
        let error = encoder.encode_passages(&passages).unwrap_err();
        assert!(matches!(error, EncodeError::TooLong { index: 1, got_tokens: 5, max_tokens: 4 }));
    }

    #[test]
    fn token_ranges_are_the_words_in_order() {
        let text = "Ünïted, 中文 ok";
        let words: Vec<&str> =
            HashEncoder::new().tokens(text).unwrap().into_iter().map(|range| &text[range]).collect();
        assert_eq!(words, ["Ünïted", "中", "文", "ok"]);
    }
}
