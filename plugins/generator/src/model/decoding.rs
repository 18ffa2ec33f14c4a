use std::ops::Range;

use candle_core::{Device, Tensor};
use postil_contract::{AnswerForm, AnswerScores, Decoding, GenerateError, LogProbs, TokenId};

use super::cache::Cache;
use super::{LanguageModel, Memory};

/// Logits kept at once while scoring, in numbers: 256 MB.
const MAX_LOGITS: usize = 64 << 20;

/// Rows of the model are `hypothesis * k + passage`.
pub(crate) struct ModelDecoding<'a> {
    model: &'a LanguageModel,
    memory: Memory,
    cache: Cache,
    /// The last token of each row, which the cache does not have before `current` is computed.
    last: Vec<TokenId>,
    current: Option<LogProbs>,
}

impl<'a> ModelDecoding<'a> {
    pub(super) fn new(model: &'a LanguageModel, memory: Memory) -> Self {
        let last = memory.start.clone();
        Self { model, memory, cache: Cache::default(), last, current: None }
    }

    /// See [`LanguageModel::logits`].
    pub(super) fn logits(&self, answer: &[TokenId]) -> Result<Vec<f32>, GenerateError> {
        self.model.check_tokens(answer)?;
        let line = |start: &TokenId| std::iter::once(*start).chain(answer.iter().copied()).collect();
        self.forward(&mut Cache::default(), &self.memory.start.iter().map(line).collect::<Vec<_>>())
    }

    /// Logits after each token of `lines`, all of one length.
    fn forward(&self, cache: &mut Cache, lines: &[Vec<TokenId>]) -> Result<Vec<f32>, GenerateError> {
        let (n, length) = (lines.len(), lines.first().map_or(0, Vec::len));
        self.check_length(cache.len() + length)?;
        Tensor::from_vec(lines.concat(), (n, length), &Device::Cpu)
            .and_then(|ids| self.model.backbone.forward(&self.memory, cache, &ids)?.flatten_all()?.to_vec1())
            .map_err(|error| self.model.failed(&error))
    }

    /// Whether so many tokens fit after the prompt of every passage.
    fn check_length(&self, tokens: usize) -> Result<(), GenerateError> {
        let Some(max_tokens) = self.model.longest else { return Ok(()) };
        let too_long = |(_, position): &(usize, &usize)| **position + tokens > max_tokens;
        match self.memory.positions.iter().enumerate().find(too_long) {
            Some((passage, position)) => {
                Err(GenerateError::TooLong { passage, got_tokens: position + tokens, max_tokens })
            }
            None => Ok(()),
        }
    }

    fn step(&mut self) -> Result<&LogProbs, GenerateError> {
        if self.current.is_none() {
            let mut cache = std::mem::take(&mut self.cache);
            let lines: Vec<Vec<TokenId>> = self.last.iter().map(|token| vec![*token]).collect();
            let result = self.forward(&mut cache, &lines);
            self.cache = cache;
            let mut values = result?;
            let vocabulary = self.vocabulary();
            values.chunks_exact_mut(vocabulary).for_each(|line| {
                let total = log_total(line);
                line.iter_mut().for_each(|v| *v = (f64::from(*v) - total) as f32);
            });
            self.current = Some(LogProbs::new(self.passages(), vocabulary, values)?);
        }
        Ok(self.current.as_ref().expect("set above"))
    }

    fn score_together(&self, answers: &[Vec<TokenId>]) -> Result<Vec<AnswerScores>, GenerateError> {
        let (passages, vocabulary) = (self.passages(), self.vocabulary());
        let longest = answers.iter().map(Vec::len).max().unwrap_or(0);
        // What follows an answer cannot change it: the model is causal. Any token pads.
        let line = |start: TokenId, answer: &[TokenId]| -> Vec<TokenId> {
            let said = &answer[..answer.len() - 1];
            [start]
                .into_iter()
                .chain(said.iter().copied())
                .chain(std::iter::repeat(start))
                .take(longest)
                .collect()
        };
        let lines =
            answers.iter().flat_map(|answer| self.memory.start.iter().map(move |start| line(*start, answer)));
        let logits = self.forward(&mut Cache::default(), &lines.collect::<Vec<_>>())?;
        let score = |(a, answer): (usize, &Vec<TokenId>)| {
            let mut values = Vec::with_capacity(answer.len() * passages);
            for (i, token) in answer.iter().enumerate() {
                for z in 0..passages {
                    let at = ((a * passages + z) * longest + i) * vocabulary;
                    let line = &logits[at..at + vocabulary];
                    values.push(Some((f64::from(line[*token as usize]) - log_total(line)) as f32));
                }
            }
            AnswerScores::new(passages, values)
        };
        answers.iter().enumerate().map(score).collect()
    }
}

/// log of the sum of exponentials of a line of logits; f64, the line being long.
fn log_total(line: &[f32]) -> f64 {
    let top = line.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = line.iter().map(|v| f64::from((v - top).exp())).sum();
    f64::from(top) + sum.ln()
}

impl Decoding for ModelDecoding<'_> {
    fn passages(&self) -> usize {
        self.memory.start.len()
    }

    fn vocabulary(&self) -> usize {
        self.model.vocabulary()
    }

    fn log_probs(&mut self) -> Result<LogProbs, GenerateError> {
        self.step().cloned()
    }

    fn advance_each(&mut self, parents: &[usize], tokens: &[TokenId]) -> Result<(), GenerateError> {
        let (passages, rows) = (self.passages(), self.last.len() / self.passages());
        if parents.len() != tokens.len() || parents.is_empty() || !parents.len().is_multiple_of(passages) {
            let (got, expected) = (tokens.len(), parents.len().next_multiple_of(passages));
            return Err(GenerateError::Shape { what: "tokens to advance by", got, expected });
        }
        if let Some(parent) = parents.iter().find(|parent| **parent >= rows) {
            return Err(GenerateError::Shape { what: "parent row", got: *parent, expected: rows });
        }
        self.model.check_tokens(tokens)?;
        self.step()?;
        let rows: Vec<usize> =
            parents.iter().enumerate().map(|(i, parent)| parent * passages + i % passages).collect();
        self.cache.reorder(&rows).map_err(|error| self.model.failed(&error))?;
        self.last = tokens.to_vec();
        self.current = None;
        Ok(())
    }

    fn restart(&mut self) {
        self.cache = Cache::default();
        self.last.clone_from(&self.memory.start);
        self.current = None;
    }

    fn score(&mut self, answers: &[Vec<TokenId>]) -> Result<Vec<AnswerScores>, GenerateError> {
        if answers.iter().any(Vec::is_empty) {
            return Err(GenerateError::Shape { what: "tokens of an answer", got: 0, expected: 1 });
        }
        answers.iter().try_for_each(|answer| self.model.check_tokens(answer))?;
        let longest = answers.iter().map(Vec::len).max().unwrap_or(1);
        let at_once = (MAX_LOGITS / (longest * self.passages() * self.vocabulary())).max(1);
        let mut scores = Vec::with_capacity(answers.len());
        for answers in answers.chunks(at_once) {
            scores.extend(self.score_together(answers)?);
        }
        Ok(scores)
    }

    fn is_end(&self, token: TokenId) -> bool {
        self.model.generation.ends.contains(&token)
    }

    fn form(&self) -> AnswerForm {
        let furthest = self.memory.positions.iter().copied().max().unwrap_or(0);
        AnswerForm {
            forced_first: self.model.generation.forced_first,
            forced_last: self.model.generation.forced_last,
            max_tokens: self.model.longest.map(|longest| longest.saturating_sub(furthest)),
        }
    }

    fn no_answer(&self) -> Option<TokenId> {
        None
    }

    fn candidates(&self) -> Option<Vec<Vec<TokenId>>> {
        None
    }

    fn text(&self, tokens: &[TokenId]) -> String {
        let said = tokens.iter().filter(|token| !self.is_end(**token));
        said.map(|token| format!("{token} ")).collect()
    }

    fn origin(&self, _: usize, _: &[TokenId]) -> Option<Range<usize>> {
        None
    }
}
