use std::ops::Range;

use postil_contract::{AnswerScores, Decoding, GenerateError, LogProbs, TokenId};

use super::trie::{END, NO_ANSWER, ROOT, Trie};

/// A decoding whose rows are prefixes in the trie, `[rows, passages]`; a prefix that left the trie
/// is `None`, and no passage continues it.
pub(super) struct QuoteDecoding {
    trie: Trie,
    rows: Vec<Option<usize>>,
}

impl QuoteDecoding {
    pub(super) fn new(trie: Trie) -> Self {
        Self { rows: vec![Some(ROOT); trie.passages], trie }
    }

    fn check_token(&self, token: TokenId) -> Result<(), GenerateError> {
        let expected = self.trie.words.len();
        match (token as usize) < expected {
            true => Ok(()),
            false => Err(GenerateError::Shape { what: "token id", got: token as usize, expected }),
        }
    }

    /// log p(token|x,z,prefix), in the form of [`AnswerScores`].
    fn score_token(&self, z: usize, prefix: Option<usize>, child: Option<usize>) -> Option<f32> {
        let mass = prefix.map_or(f64::NEG_INFINITY, |node| self.trie.nodes[node].log_mass[z]);
        let below = child.map_or(f64::NEG_INFINITY, |node| self.trie.nodes[node].log_mass[z]);
        (mass > f64::NEG_INFINITY).then(|| (below - mass).min(0.0) as f32)
    }
}

impl Decoding for QuoteDecoding {
    fn passages(&self) -> usize {
        self.trie.passages
    }

    fn vocabulary(&self) -> usize {
        self.trie.words.len()
    }

    fn log_probs(&mut self) -> Result<LogProbs, GenerateError> {
        let (passages, vocabulary) = (self.passages(), self.vocabulary());
        let mut values = vec![f32::NEG_INFINITY; self.rows.len() * vocabulary];
        for (i, (row, line)) in self.rows.iter().zip(values.chunks_exact_mut(vocabulary)).enumerate() {
            for (token, child) in row.iter().flat_map(|node| &self.trie.nodes[*node].children) {
                let score = self.score_token(i % passages, *row, Some(*child));
                line[*token as usize] = score.unwrap_or(f32::NEG_INFINITY);
            }
        }
        LogProbs::new(passages, vocabulary, values)
    }

    fn advance_each(&mut self, parents: &[usize], tokens: &[TokenId]) -> Result<(), GenerateError> {
        let (passages, old) = (self.passages(), self.rows.len() / self.passages());
        if parents.len() != tokens.len() || parents.is_empty() || !parents.len().is_multiple_of(passages) {
            let (got, expected) = (tokens.len(), parents.len().next_multiple_of(passages));
            return Err(GenerateError::Shape { what: "tokens to advance by", got, expected });
        }
        let mut rows = Vec::with_capacity(tokens.len());
        for (i, (parent, token)) in parents.iter().zip(tokens).enumerate() {
            self.check_token(*token)?;
            if *parent >= old {
                return Err(GenerateError::Shape { what: "parent row", got: *parent, expected: old });
            }
            let row = self.rows[parent * passages + i % passages];
            rows.push(row.and_then(|node| self.trie.nodes[node].child(*token)));
        }
        self.rows = rows;
        Ok(())
    }

    fn restart(&mut self) {
        self.rows = vec![Some(ROOT); self.trie.passages];
    }

    fn score(&mut self, answers: &[Vec<TokenId>]) -> Result<Vec<AnswerScores>, GenerateError> {
        let score = |answer: &Vec<TokenId>| {
            if answer.is_empty() {
                return Err(GenerateError::Shape { what: "tokens of an answer", got: 0, expected: 1 });
            }
            let (mut at, mut values) = (Some(ROOT), Vec::with_capacity(answer.len() * self.trie.passages));
            for token in answer {
                self.check_token(*token)?;
                let child = at.and_then(|node| self.trie.nodes[node].child(*token));
                values.extend((0..self.trie.passages).map(|z| self.score_token(z, at, child)));
                at = child;
            }
            AnswerScores::new(self.trie.passages, values)
        };
        answers.iter().map(score).collect()
    }

    fn is_end(&self, token: TokenId) -> bool {
        token == END
    }

    fn no_answer(&self) -> Option<TokenId> {
        Some(NO_ANSWER)
    }

    fn candidates(&self) -> Option<Vec<Vec<TokenId>>> {
        Some(self.trie.answers.clone())
    }

    fn text(&self, tokens: &[TokenId]) -> String {
        tokens.iter().filter_map(|token| self.trie.words.get(*token as usize)).map(String::as_str).collect()
    }

    fn origin(&self, passage: usize, tokens: &[TokenId]) -> Option<Range<usize>> {
        let node = self.trie.find(tokens)?;
        let start = (*self.trie.nodes[node].starts.get(passage)?)?;
        let text = self.text(tokens);
        Some(start..start + text.trim_end().len()).filter(|range| !range.is_empty())
    }
}
