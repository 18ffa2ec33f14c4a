//! A generator without weights of its own: it answers with a sentence of a passage, verbatim.
//!
//! The candidates y are the passages' sentences and one reserved "no answer". Under a passage z,
//! p(y|x,z) = softmax over z's own candidates of s * q(x).e(y), with s the encoder's score scale,
//! and p(y_i|x,z,y_<i) is the share of that mass on the sentences which continue the prefix. So
//! both models of Lewis et al. 2020 are defined, as for any generator. The answer space is finite,
//! so marginals are exact and sum to 1.
//!
//! file | responsibility
//! ---|---
//! `candidates.rs` | passages to distinct sentences, within the encoder's window
//! `trie.rs` | sentences as words, and the mass below every prefix
//! `decoding.rs` | the contract over that trie

mod candidates;
mod decoding;
mod trie;

use std::sync::Arc;

use postil_contract::{Decoding, Embeddings, Encoder, GenerateError, Generator, Passage};

use candidates::Candidates;
use decoding::QuoteDecoding;
use trie::Trie;

/// Default similarity, for cosine encoders, at which a sentence is as probable as "no answer".
///
/// Chosen on held-out questions (newwiki, all answerable, and the first half of squad2) with k = 5
/// and all-MiniLM-L6-v2: from 0.3 to 0.4 the share of unanswerable questions recognised rises from
/// 0.12 to 0.31 and right answers given fall by one point; from 0.4 to 0.5 they fall by six. As a
/// sign of being unanswerable its probability is weak throughout (ROC area 0.65).
pub const DEFAULT_NO_ANSWER_SIMILARITY: f32 = 0.40;

/// Answers with sentences of the passages, chosen by an encoder.
///
/// A passage without a sentence (such as an empty one) can only say "no answer": it is the null
/// passage.
pub struct QuoteGenerator {
    encoder: Arc<dyn Encoder>,
    no_answer_similarity: f32,
    with_titles: bool,
}

impl QuoteGenerator {
    /// A generator that quotes by the similarities of `encoder`.
    pub fn new(encoder: Arc<dyn Encoder>) -> Self {
        Self { encoder, no_answer_similarity: DEFAULT_NO_ANSWER_SIMILARITY, with_titles: false }
    }

    /// Sets the similarity at which a sentence is as probable as "no answer": a higher value
    /// abstains more. It is in the encoder's own unit, -1..=1 for cosine; default
    /// [`DEFAULT_NO_ANSWER_SIMILARITY`].
    #[must_use]
    pub fn with_no_answer_similarity(mut self, similarity: f32) -> Self {
        self.no_answer_similarity = similarity;
        self
    }

    /// Encodes each sentence together with its passage's title when `true`. Default false.
    #[must_use]
    pub fn with_titles(mut self, with_titles: bool) -> Self {
        self.with_titles = with_titles;
        self
    }
}

impl Generator for QuoteGenerator {
    fn name(&self) -> &str {
        "quote"
    }

    fn vocabulary_is_fixed(&self) -> bool {
        false
    }

    /// # Errors
    /// [`GenerateError::NoPassages`]; [`GenerateError::EmptyQuestion`]; [`GenerateError::Encode`]
    /// when the question is longer than the encoder's window (longer sentences are split);
    /// [`GenerateError::NotFinite`] when the encoder gives NaN; [`GenerateError::Value`] for a "no
    /// answer" similarity that is not finite.
    fn start<'a>(
        &'a self,
        question: &str,
        passages: &[Passage<'_>],
    ) -> Result<Box<dyn Decoding + 'a>, GenerateError> {
        if passages.is_empty() {
            return Err(GenerateError::NoPassages);
        }
        if question.trim().is_empty() {
            return Err(GenerateError::EmptyQuestion);
        }
        let scale = f64::from(self.encoder.profile().score_scale);
        let no_answer = scale * f64::from(self.no_answer_similarity);
        if !no_answer.is_finite() {
            let (what, expected) = ("scaled similarity of no answer", "finite");
            return Err(GenerateError::Value { what, got: no_answer, expected });
        }
        let asked = self.encoder.encode_questions(&[question])?;
        let candidates = Candidates::of(passages, self.encoder.as_ref(), self.with_titles)?;
        let encoded = match candidates.inputs() {
            [] => None,
            inputs => Some(self.encoder.encode_passages(inputs)?),
        };
        let similarities = similarities(&asked, encoded.as_ref(), candidates.inputs().len())?;
        let logits: Vec<f64> = similarities.iter().map(|s| scale * s).collect();
        if let Some((passage, token)) = candidates.first_not_finite(&logits) {
            return Err(GenerateError::NotFinite { passage, token });
        }
        let trie = Trie::new(&candidates, &logits, no_answer);
        Ok(Box::new(QuoteDecoding::new(trie)))
    }
}

/// The similarity q(x).e(y) for every encoded sentence.
fn similarities(
    question: &Embeddings,
    sentences: Option<&Embeddings>,
    expected: usize,
) -> Result<Vec<f64>, GenerateError> {
    let got = sentences.map_or(0, Embeddings::len);
    if got != expected {
        return Err(GenerateError::Shape { what: "vectors of sentences", got, expected });
    }
    let Some(asked) = question.row(0) else {
        return Err(GenerateError::Shape { what: "vectors of the question", got: 0, expected: 1 });
    };
    let Some(sentences) = sentences else { return Ok(Vec::new()) };
    if sentences.dimension() != asked.len() {
        let (got, expected) = (sentences.dimension(), asked.len());
        return Err(GenerateError::Shape { what: "components of a sentence's vector", got, expected });
    }
    let dot = |row: &[f32]| row.iter().zip(asked).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    Ok(sentences.rows().map(dot).collect())
}
