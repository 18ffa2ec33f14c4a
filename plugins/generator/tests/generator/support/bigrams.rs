use std::ops::Range;

use postil_contract::{AnswerScores, Decoding, GenerateError, Generator, LogProbs, Passage, TokenId};

/// Two tokens that end an answer, one as good as the other.
const ENDS: TokenId = 2;
/// What is spread over all tokens, whatever the passage says.
const NOISE: f64 = 0.1;

/// A generator that writes freely what its passages say: after a word comes the word that follows it in the
/// passage, after one with a full stop an end, and after any other, or without a passage, anything.
pub(crate) struct Bigrams {
    words: Vec<String>,
    /// What [`Generator::vocabulary_is_fixed`] says; it is, either way.
    pub(crate) is_fixed: bool,
}

impl Bigrams {
    /// Knows the words of `texts`.
    pub(crate) fn of(texts: &[&str]) -> Self {
        let mut words: Vec<String> =
            texts.iter().flat_map(|t| t.split_whitespace()).map(str::to_owned).collect();
        words.sort();
        words.dedup();
        Self { words, is_fixed: true }
    }

    fn vocabulary(&self) -> usize {
        self.words.len() + ENDS as usize
    }

    fn word(&self, token: TokenId) -> Option<&str> {
        self.words.get(token.checked_sub(ENDS)? as usize).map(String::as_str)
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
        let rows = vec![Vec::new(); passages.len()];
        let passages = passages.iter().map(|p| p.text.to_owned()).collect();
        Ok(Box::new(BigramDecoding { bigrams: self, passages, rows }))
    }
}

struct BigramDecoding<'a> {
    bigrams: &'a Bigrams,
    passages: Vec<String>,
    /// `[rows, passages]`
    rows: Vec<Vec<TokenId>>,
}

impl Decoding for BigramDecoding<'_> {
    fn passages(&self) -> usize {
        self.passages.len()
    }

    fn vocabulary(&self) -> usize {
        self.bigrams.vocabulary()
    }

    fn log_probs(&mut self) -> Result<LogProbs, GenerateError> {
        let lines = self.rows.iter().zip(self.passages.iter().cycle());
        let lines = lines.flat_map(|(row, z)| self.bigrams.line(z, row)).collect();
        LogProbs::new(self.passages.len(), self.bigrams.vocabulary(), lines)
    }

    fn advance_each(&mut self, parents: &[usize], tokens: &[TokenId]) -> Result<(), GenerateError> {
        let k = self.passages.len();
        let longer = |(i, (parent, token)): (usize, (&usize, &TokenId))| {
            [self.rows[parent * k + i % k].as_slice(), &[*token]].concat()
        };
        self.rows = parents.iter().zip(tokens).enumerate().map(longer).collect();
        Ok(())
    }

    fn restart(&mut self) {
        self.rows = vec![Vec::new(); self.passages.len()];
    }

    fn score(&mut self, answers: &[Vec<TokenId>]) -> Result<Vec<AnswerScores>, GenerateError> {
        let score = |answer: &Vec<TokenId>| {
            let entry = |i: usize, z: &String| Some(self.bigrams.line(z, &answer[..i])[answer[i] as usize]);
            let values = (0..answer.len()).flat_map(|i| self.passages.iter().map(move |z| entry(i, z)));
            AnswerScores::new(self.passages.len(), values.collect())
        };
        answers.iter().map(score).collect()
    }

    fn is_end(&self, token: TokenId) -> bool {
        token < ENDS
    }

    fn no_answer(&self) -> Option<TokenId> {
        None
    }

    fn candidates(&self) -> Option<Vec<Vec<TokenId>>> {
        None
    }

    /// With a space before each word, as byte-pair tokens have it.
    fn text(&self, tokens: &[TokenId]) -> String {
        tokens.iter().filter_map(|token| self.bigrams.word(*token)).map(|word| format!(" {word}")).collect()
    }

    fn origin(&self, _: usize, _: &[TokenId]) -> Option<Range<usize>> {
        None
    }
}
