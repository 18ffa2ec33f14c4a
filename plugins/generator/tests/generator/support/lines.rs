use std::ops::Range;

use postil_contract::{AnswerScores, Decoding, GenerateError, LogProbs, Passage, TokenId};

/// Next-token distributions that depend only on a passage's text and the prefix.
pub(crate) trait Lines {
    /// Number of tokens in a line.
    fn vocabulary(&self) -> usize;

    /// Log-probabilities of the token after `prefix`: normalized, or wholly -inf after a prefix
    /// that the passage cannot say.
    fn line(&self, passage: &str, prefix: &[TokenId]) -> Vec<f32>;

    fn is_end(&self, token: TokenId) -> bool;

    fn text(&self, tokens: &[TokenId]) -> String;
}

/// The decoding of a generator that is defined by its lines.
pub(crate) struct LineDecoding<'a, L> {
    lines: &'a L,
    passages: Vec<String>,
    /// Tokens of each row so far, `[rows, passages]`.
    rows: Vec<Vec<TokenId>>,
}

impl<'a, L: Lines> LineDecoding<'a, L> {
    /// Starts before the first token, with one row.
    pub(crate) fn start(lines: &'a L, passages: &[Passage<'_>]) -> Box<dyn Decoding + 'a> {
        let rows = vec![Vec::new(); passages.len()];
        let passages = passages.iter().map(|p| p.text.to_owned()).collect();
        Box::new(Self { lines, passages, rows })
    }
}

impl<L: Lines> Decoding for LineDecoding<'_, L> {
    fn passages(&self) -> usize {
        self.passages.len()
    }

    fn vocabulary(&self) -> usize {
        self.lines.vocabulary()
    }

    fn log_probs(&mut self) -> Result<LogProbs, GenerateError> {
        let lines = self.rows.iter().zip(self.passages.iter().cycle());
        let lines = lines.flat_map(|(row, z)| self.lines.line(z, row)).collect();
        LogProbs::new(self.passages.len(), self.lines.vocabulary(), lines)
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
            let entry = |i: usize, z: &String| {
                let line = self.lines.line(z, &answer[..i]);
                line.iter().any(|v| *v > f32::NEG_INFINITY).then(|| line[answer[i] as usize])
            };
            let values = (0..answer.len()).flat_map(|i| self.passages.iter().map(move |z| entry(i, z)));
            AnswerScores::new(self.passages.len(), values.collect())
        };
        answers.iter().map(score).collect()
    }

    fn is_end(&self, token: TokenId) -> bool {
        self.lines.is_end(token)
    }

    fn no_answer(&self) -> Option<TokenId> {
        None
    }

    fn candidates(&self) -> Option<Vec<Vec<TokenId>>> {
        None
    }

    fn text(&self, tokens: &[TokenId]) -> String {
        self.lines.text(tokens)
    }

    fn origin(&self, _: usize, _: &[TokenId]) -> Option<Range<usize>> {
        None
    }
}
