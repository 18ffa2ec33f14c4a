use postil_contract::{Decoding, GenerateError, Generator, Passage, TokenId};

use super::lines::{LineDecoding, Lines};

/// Number of tokens that end an answer, both equally likely.
const ENDS: TokenId = 2;
/// Probability that is spread over all tokens, for every passage.
const NOISE: f64 = 0.1;

/// A generator that writes freely from its passages: after a word comes the word that follows it in
/// the passage, after a word with a full stop an end, and after any other word, or without a
/// passage, any token.
pub(crate) struct Bigrams {
    words: Vec<String>,
    /// Value that [`Generator::vocabulary_is_fixed`] returns; the vocabulary is fixed in either
    /// case.
    pub(crate) is_fixed: bool,
}

impl Bigrams {
    /// A generator that knows the words of `texts`.
    pub(crate) fn of(texts: &[&str]) -> Self {
        let mut words: Vec<String> =
            texts.iter().flat_map(|t| t.split_whitespace()).map(str::to_owned).collect();
        words.sort();
        words.dedup();
        Self { words, is_fixed: true }
    }

    fn word(&self, token: TokenId) -> Option<&str> {
        self.words.get(token.checked_sub(ENDS)? as usize).map(String::as_str)
    }
}

impl Generator for Bigrams {
    fn name(&self) -> &str {
        "bigrams"
    }

    fn vocabulary_is_fixed(&self) -> bool {
        self.is_fixed
    }

    fn start<'a>(
        &'a self,
        _: &str,
        passages: &[Passage<'_>],
    ) -> Result<Box<dyn Decoding + 'a>, GenerateError> {
        Ok(LineDecoding::start(self, passages))
    }
}

impl Lines for Bigrams {
    fn vocabulary(&self) -> usize {
        self.words.len() + ENDS as usize
    }

    fn line(&self, passage: &str, prefix: &[TokenId]) -> Vec<f32> {
        let said = prefix.last().and_then(|token| self.word(*token));
        let of_passage: Vec<&str> = passage.split_whitespace().collect();
        let at = said.map(|said| of_passage.iter().position(|word| *word == said));
        let next = match at {
            None => of_passage.first(),
            Some(at) => at.and_then(|at| of_passage.get(at + 1)),
        };
        let ends = said.is_some_and(|said| said.ends_with('.')) && at.flatten().is_some();
        let is_likely = |token: usize| match self.word(token as TokenId) {
            None => ends,
            Some(word) => !ends && next == Some(&word),
        };
        let likely = (0..self.vocabulary()).filter(|token| is_likely(*token)).count() as f64;
        let noise = if likely > 0.0 { NOISE } else { 1.0 } / self.vocabulary() as f64;
        let p = |token| noise + if is_likely(token) { (1.0 - NOISE) / likely } else { 0.0 };
        (0..self.vocabulary()).map(|token| p(token).ln() as f32).collect()
    }

    fn is_end(&self, token: TokenId) -> bool {
        token < ENDS
    }

    /// Text with a space before each word, as byte-pair tokens have it.
    fn text(&self, tokens: &[TokenId]) -> String {
        tokens.iter().filter_map(|token| self.word(*token)).map(|word| format!(" {word}")).collect()
    }
}
