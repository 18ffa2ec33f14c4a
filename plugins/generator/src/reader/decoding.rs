use std::ops::Range;
use std::sync::Arc;

use postil_checkpoint::Tokenizer;
use postil_contract::{AnswerForm, AnswerScores, Decoding, GenerateError, LogProbs, TokenId};

use super::input::Input;
use super::memory::{Memory, ROOT};
use super::network::Network;
use super::path::most_probable;
use super::render::{Run, longest_in_passage, runs, text};
use super::walk::{At, Walk};

/// A passage of this decoding, as given and as read.
pub(super) struct Reading {
    pub(super) input: Input,
    pub(super) memory: Arc<Memory>,
}

pub(super) struct ReaderDecoding<'a> {
    network: &'a Network,
    tokenizer: &'a Tokenizer,
    readings: Vec<Reading>,
    shortened: Vec<usize>,
    /// Nodes of each row's prefix, `[rows, passages]`.
    rows: Vec<At>,
}

impl<'a> ReaderDecoding<'a> {
    /// Starts before the first token, with one row. `readings` is not empty.
    pub(super) fn new(network: &'a Network, tokenizer: &'a Tokenizer, readings: Vec<Reading>) -> Self {
        let shortened = readings.iter().enumerate().filter(|(_, reading)| reading.input.shortened);
        Self {
            network,
            tokenizer,
            shortened: shortened.map(|(z, _)| z).collect(),
            rows: (0..readings.len()).map(|z| (z, ROOT)).collect(),
            readings,
        }
    }

    fn walk(&self) -> Walk<'_> {
        let memories = self.readings.iter().map(|reading| reading.memory.as_ref()).collect();
        Walk { network: self.network, memories }
    }

    fn check_tokens(&self, tokens: &[TokenId]) -> Result<(), GenerateError> {
        let expected = self.vocabulary();
        match tokens.iter().find(|token| **token as usize >= expected) {
            Some(token) => Err(GenerateError::Shape { what: "token id", got: *token as usize, expected }),
            None => Ok(()),
        }
    }

    /// The words of an answer: the tokens before its end.
    fn words<'t>(&self, tokens: &'t [TokenId]) -> &'t [TokenId] {
        let config = &self.network.config;
        let ends = |token: &TokenId| [config.end, config.no_answer].contains(token);
        let words = &tokens[..tokens.iter().position(ends).unwrap_or(tokens.len())];
        if self.check_tokens(words).is_ok() { words } else { &[] }
    }

    /// The nodes of the prefixes of `words` under each passage, `[passages][words + 1]`, and log p
    /// of `words` under it.
    fn paths(&self, words: &[TokenId]) -> Vec<(Vec<usize>, f64)> {
        let paths = self.walk().follow(&[words.to_vec()]).remove(0);
        let with_total = |(path, reading): (Vec<usize>, &Reading)| {
            let total = reading.memory.prefixes().at(path[words.len()]).total;
            (path, total)
        };
        paths.into_iter().zip(&self.readings).map(with_total).collect()
    }

    fn copied(&self, z: usize, words: &[TokenId], path: &[usize]) -> Vec<Run> {
        let Reading { input, memory } = &self.readings[z];
        runs(input, &most_probable(self.network, memory, words, path))
    }
}

impl Decoding for ReaderDecoding<'_> {
    fn passages(&self) -> usize {
        self.readings.len()
    }

    fn vocabulary(&self) -> usize {
        self.network.vocabulary.len()
    }

    fn log_probs(&mut self) -> Result<LogProbs, GenerateError> {
        let values = self.walk().log_probs(&self.rows);
        LogProbs::new(self.passages(), self.vocabulary(), values)
    }

    fn advance_each(&mut self, parents: &[usize], tokens: &[TokenId]) -> Result<(), GenerateError> {
        let passages = self.passages();
        if parents.len() != tokens.len() || parents.is_empty() || !parents.len().is_multiple_of(passages) {
            let (got, expected) = (tokens.len(), parents.len());
            return Err(GenerateError::Shape { what: "tokens to advance by", got, expected });
        }
        let expected = self.rows.len() / passages;
        if let Some(parent) = parents.iter().find(|parent| **parent >= expected) {
            return Err(GenerateError::Shape { what: "parent row", got: *parent, expected });
        }
        self.check_tokens(tokens)?;
        let under = (0..passages).cycle();
        let step =
            |((parent, token), z): ((&usize, &TokenId), usize)| (self.rows[parent * passages + z], *token);
        let steps: Vec<(At, TokenId)> = parents.iter().zip(tokens).zip(under).map(step).collect();
        self.rows = self.walk().advance(&steps);
        Ok(())
    }

    fn restart(&mut self) {
        self.rows = (0..self.passages()).map(|z| (z, ROOT)).collect();
    }

    fn score(&mut self, answers: &[Vec<TokenId>]) -> Result<Vec<AnswerScores>, GenerateError> {
        if answers.iter().any(Vec::is_empty) {
            return Err(GenerateError::Shape { what: "tokens of an answer", got: 0, expected: 1 });
        }
        answers.iter().try_for_each(|answer| self.check_tokens(answer))?;
        let paths = self.walk().follow(answers);
        let score = |(answer, paths): (&Vec<TokenId>, Vec<Vec<usize>>)| {
            let mut values = Vec::with_capacity(answer.len() * paths.len());
            for depth in 1..=answer.len() {
                for (reading, path) in self.readings.iter().zip(&paths) {
                    values.push(Some(reading.memory.prefixes().at(path[depth]).log_prob));
                }
            }
            AnswerScores::new(self.passages(), values)
        };
        answers.iter().zip(paths).map(score).collect()
    }

    fn is_end(&self, token: TokenId) -> bool {
        token == self.network.config.end
    }

    /// "No answer" alone is a whole answer.
    fn is_finished(&self, tokens: &[TokenId]) -> bool {
        tokens.last().is_some_and(|last| self.is_end(*last) || Some(*last) == self.no_answer())
    }

    fn form(&self) -> AnswerForm {
        // One more for the end token.
        AnswerForm { max_tokens: Some(self.network.config.max_answer_tokens + 1), ..AnswerForm::default() }
    }

    fn shortened(&self) -> &[usize] {
        &self.shortened
    }

    fn no_answer(&self) -> Option<TokenId> {
        Some(self.network.config.no_answer)
    }

    fn candidates(&self) -> Option<Vec<Vec<TokenId>>> {
        None
    }

    /// The text of an answer: copied words are spelled as in the passage that gives the answer the
    /// highest probability.
    fn text(&self, tokens: &[TokenId]) -> String {
        self.texts(tokens).pop().unwrap_or_default()
    }

    /// The texts of all prefixes, spelled as in the passage chosen for the whole answer.
    fn texts(&self, tokens: &[TokenId]) -> Vec<String> {
        let words = self.words(tokens);
        let paths = self.paths(words);
        let surest = paths.iter().enumerate().max_by(|a, b| a.1.1.total_cmp(&b.1.1).then(b.0.cmp(&a.0)));
        let Some((z, (path, _))) = surest else { return vec![String::new(); tokens.len()] };
        let Reading { input, memory } = &self.readings[z];
        let origins = most_probable(self.network, memory, words, path);
        let said = |length: usize| {
            let length = length.min(words.len());
            text(self.tokenizer, input, &words[..length], &runs(input, &origins[..length]))
        };
        (1..=tokens.len()).map(said).collect()
    }

    /// The longest stretch of the passage's text that the words were copied from, if it covers at
    /// least half of them: found by the posterior of the copy mechanism, not by searching the text.
    fn origin(&self, passage: usize, tokens: &[TokenId]) -> Option<Range<usize>> {
        let words = self.words(tokens);
        self.readings.get(passage).filter(|_| !words.is_empty())?;
        let (path, _) = &self.paths(words)[passage];
        let shown = longest_in_passage(&self.copied(passage, words, path), words.len())?;
        self.readings[passage].input.passage.source(&shown)
    }
}
