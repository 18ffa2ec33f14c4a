use std::ops::Range;

use postil_contract::{AnswerScores, Decoding, GenerateError, LogProbs, TokenId};

use super::trie::{END, NO_ANSWER, ROOT, Trie};

/// Rows are prefixes in the trie; a row that left it is `None`, and no passage continues it.
pub(super) struct QuoteDecoding {
    trie: Trie,
    rows: Vec<Option<usize>>,
}

impl QuoteDecoding {
    pub(super) fn new(trie: Trie) -> Self {
        Self { trie, rows: vec![Some(ROOT)] }
    }

    fn check_token(&self, token: TokenId) -> Result<(), GenerateError> {
        let expected = self.trie.words.len();
        match (token as usize) < expected {
            true => Ok(()),
            false => Err(GenerateError::Shape { what: "token id", got: token as usize, expected }),
        }
    }

    /// log p(token|x,z,prefix), `[passages]`, as [`AnswerScores`] has it.
    fn score_token(&self, prefix: Option<usize>, child: Option<usize>) -> impl Iterator<Item = Option<f32>> {
        (0..self.trie.passages).map(move |z| {
            let mass = prefix.map_or(f64::NEG_INFINITY, |node| self.trie.nodes[node].log_mass[z]);
            let below = child.map_or(f64::NEG_INFINITY, |node| self.trie.nodes[node].log_mass[z]);
            (mass > f64::NEG_INFINITY).then(|| (below - mass).min(0.0) as f32)
        })
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
        let mut values = vec![f32::NEG_INFINITY; self.rows.len() * passages * vocabulary];
        for (row, lines) in self.rows.iter().zip(values.chunks_exact_mut(passages * vocabulary)) {
            for (token, child) in row.iter().flat_map(|node| &self.trie.nodes[*node].children) {
                for (z, score) in self.score_token(*row, Some(*child)).enumerate() {
                    lines[z * vocabulary + *token as usize] = score.unwrap_or(f32::NEG_INFINITY);
                }
            }
        }
        LogProbs::new(passages, vocabulary, values)
    }

    fn advance(&mut self, parents: &[usize], tokens: &[TokenId]) -> Result<(), GenerateError> {
        if parents.len() != tokens.len() || parents.is_empty() {
            return Err(GenerateError::Shape {
                what: "tokens to advance by",
                got: tokens.len(),
                expected: parents.len(),
            });
        }
        let mut rows = Vec::with_capacity(tokens.len());
        for (parent, token) in parents.iter().zip(tokens) {
            self.check_token(*token)?;
            let Some(row) = self.rows.get(*parent) else {
                return Err(GenerateError::Shape {
                    what: "parent row",
                    got: *parent,
                    expected: self.rows.len(),
                });
            };
            rows.push(row.and_then(|node| self.trie.nodes[node].child(*token)));
        }
        self.rows = rows;
        Ok(())
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
                values.extend(self.score_token(at, child));
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
