use std::ops::Range;

use postil_contract::{Embeddings, EncodeError, Encoder, EncoderProfile, Passage, Similarity};

/// An encoder whose vectors count hashed lower-case words, at unit length: texts with the same
/// words are similar. A token is a run of letters and digits, or any other visible character.
pub(crate) struct BagOfWords {
    profile: EncoderProfile,
}

const DIMENSION: usize = 256;

impl BagOfWords {
    pub(crate) fn new() -> Self {
        Self::with_window(64)
    }

    pub(crate) fn with_window(max_tokens: usize) -> Self {
        Self {
            profile: EncoderProfile {
                name: "bag-of-words".to_owned(),
                fingerprint: "bag-of-words".to_owned(),
                dimension: DIMENSION,
                max_tokens,
                similarity: Similarity::Cosine,
                score_scale: 20.0,
            },
        }
    }

    fn encode(&self, texts: impl Iterator<Item = String>) -> Result<Embeddings, EncodeError> {
        let mut values = Vec::new();
        for (index, text) in texts.enumerate() {
            let tokens = self.tokens(&text)?;
            if tokens.len() + 2 > self.profile.max_tokens {
                let max_tokens = self.profile.max_tokens;
                return Err(EncodeError::TooLong { index, got_tokens: tokens.len() + 2, max_tokens });
            }
            let mut vector = [0f32; DIMENSION];
            for token in tokens {
                let word = text[token].to_lowercase();
                let hash = word
                    .bytes()
                    .fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
                vector[(hash >> 20) as usize % DIMENSION] += 1.0;
            }
            let norm = vector.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-12);
            values.extend(vector.map(|v| v / norm));
        }
        Ok(Embeddings::new(DIMENSION, values).expect("rows of one dimension"))
    }
}

impl Encoder for BagOfWords {
    fn profile(&self) -> &EncoderProfile {
        &self.profile
    }

    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError> {
        let mut tokens: Vec<Range<usize>> = Vec::new();
        let mut in_word = false;
        for (at, c) in text.char_indices() {
            let end = at + c.len_utf8();
            match tokens.last_mut() {
                Some(last) if in_word && c.is_alphanumeric() => last.end = end,
                _ if c.is_whitespace() => {}
                _ => tokens.push(at..end),
            }
            in_word = c.is_alphanumeric();
        }
        Ok(tokens)
    }

    fn room(&self, title: &str) -> Result<usize, EncodeError> {
        Ok(self.profile.max_tokens.saturating_sub(2 + self.tokens(title)?.len()))
    }

    fn encode_questions(&self, questions: &[&str]) -> Result<Embeddings, EncodeError> {
        self.encode(questions.iter().map(|q| (*q).to_owned()))
    }

    fn encode_passages(&self, passages: &[Passage<'_>]) -> Result<Embeddings, EncodeError> {
        self.encode(passages.iter().map(|p| format!("{} {}", p.title, p.text)))
    }
}
