use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use postil_contract::{
    AnswerForm, AnswerScores, Decoding, GenerateError, KeptFile, LogProbs, ReadWatch, TokenId,
};
use postil_kernel::Kernel;
use rayon::prelude::*;

use super::LanguageModel;
use super::backbone::{KeepError, Rows, Told};
use super::prompt::Prompt;
use super::tree::Tree;

/// Maximum number of answer tokens scored in one pass: each attends to all others, masked or not.
const MAX_TOKENS: usize = 512;
/// Number of lines of logits kept at once while scoring.
const LINES: usize = 128;

/// Reading that nobody watches.
pub(crate) const UNWATCHED: ReadWatch<'static> = &|_, _| ControlFlow::Continue(());

impl LanguageModel {
    /// Reads one prompt per passage and starts before the first token. The decoding has no
    /// tokenizer: its [`Decoding::text`] lists ids.
    ///
    /// # Errors
    /// [`GenerateError::NoPassages`]; [`GenerateError::TooLong`]; [`GenerateError::Shape`] for an
    /// empty prompt or an id beyond the vocabulary; [`GenerateError::Model`].
    pub fn start(&self, prompts: &[Vec<TokenId>]) -> Result<Box<dyn Decoding + '_>, GenerateError> {
        let prompts: Vec<Prompt> = prompts.iter().cloned().map(Prompt::from).collect();
        Ok(Box::new(self.decoding(&prompts, UNWATCHED)?))
    }

    /// The logits after every prefix of `answer`, the empty one first, under each passage:
    /// `[passages, answer.len() + 1, vocabulary]`.
    ///
    /// # Errors
    /// As [`LanguageModel::start`].
    pub fn logits(&self, prompts: &[Vec<TokenId>], answer: &[TokenId]) -> Result<Vec<f32>, GenerateError> {
        let prompts: Vec<Prompt> = prompts.iter().cloned().map(Prompt::from).collect();
        self.decoding(&prompts, UNWATCHED)?.logits(answer)
    }

    pub(crate) fn decoding(
        &self,
        prompts: &[Prompt],
        watch: ReadWatch<'_>,
    ) -> Result<ModelDecoding<'_>, GenerateError> {
        self.check_prompts(prompts)?;
        let read = self.watched(watch, |told| self.backbone.read(prompts, told))?;
        Ok(ModelDecoding::new(self, read.map_err(|error| self.failed(&error))?))
    }

    /// True when beginnings of prompts can be kept in files.
    pub(crate) fn keeps(&self) -> bool {
        self.backbone.kept().is_some()
    }

    /// See [`postil_contract::ReadAhead::use_folder`].
    pub(crate) fn use_folder(&self, folder: &Path) -> Result<(), GenerateError> {
        let kept = self.backbone.kept();
        kept.map_or(Ok(()), |kept| in_pool(|| kept.use_folder(folder))).map_err(|error| self.failed(&error))
    }

    /// See [`postil_contract::ReadAhead::files`].
    pub(crate) fn files(&self, prompts: &[Prompt]) -> Result<Vec<KeptFile>, GenerateError> {
        self.check_prompts(prompts)?;
        let files = self.backbone.kept().map_or(Ok(Vec::new()), |kept| kept.files(prompts));
        files.map_err(|error| self.failed(&error))
    }

    /// See [`postil_contract::ReadAhead::read_ahead`].
    pub(crate) fn read_ahead(
        &self,
        prompts: &[Prompt],
        watch: ReadWatch<'_>,
    ) -> Result<usize, GenerateError> {
        self.check_prompts(prompts)?;
        let Some(kept) = self.backbone.kept() else { return Ok(0) };
        self.watched(watch, |told| kept.read_ahead(prompts, told))?.map_err(|error| match error {
            KeepError::Model(error) => self.failed(&error),
            KeepError::File(error) => error,
        })
    }

    /// Reads with progress; [`GenerateError::Cancelled`] when `watch` ended the reading.
    fn watched<T: Send>(
        &self,
        watch: ReadWatch<'_>,
        read: impl FnOnce(Told<'_>) -> T + Send,
    ) -> Result<T, GenerateError> {
        let cancelled = AtomicBool::new(false);
        let told = |done, total| match watch(done, total) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                cancelled.store(true, Ordering::Relaxed);
                candle_core::bail!("cancelled")
            }
        };
        let read = in_pool(|| read(&told));
        if cancelled.into_inner() { Err(GenerateError::Cancelled) } else { Ok(read) }
    }

    fn check_prompts(&self, prompts: &[Prompt]) -> Result<(), GenerateError> {
        if prompts.is_empty() {
            return Err(GenerateError::NoPassages);
        }
        for (passage, Prompt { tokens: prompt, .. }) in prompts.iter().enumerate() {
            if prompt.is_empty() {
                return Err(GenerateError::Shape { what: "tokens of a prompt", got: 0, expected: 1 });
            }
            if let Some(max_tokens) = self.longest.filter(|longest| prompt.len() > *longest) {
                return Err(GenerateError::TooLong { passage, got_tokens: prompt.len(), max_tokens });
            }
            self.check_tokens(prompt)?;
        }
        Ok(())
    }

    fn check_tokens(&self, tokens: &[TokenId]) -> Result<(), GenerateError> {
        let expected = self.vocabulary();
        match tokens.iter().find(|token| **token as usize >= expected) {
            Some(token) => Err(GenerateError::Shape { what: "token id", got: *token as usize, expected }),
            None => Ok(()),
        }
    }

    fn failed(&self, error: &candle_core::Error) -> GenerateError {
        GenerateError::Model { model: self.name.clone(), reason: error.to_string() }
    }
}

/// Runs `work` in the thread pool: from outside, each of many small products would block this thread.
fn in_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}

/// A decoding by a language model. Rows of the model are `hypothesis * k + passage`.
pub(crate) struct ModelDecoding<'a> {
    model: &'a LanguageModel,
    rows: Box<dyn Rows<'a> + 'a>,
    /// The last token of each row, which the rows take only when `current` is computed.
    last: Vec<TokenId>,
    /// The passages whose rows are computed; `None` for all.
    wanted: Option<Vec<usize>>,
    current: Option<LogProbs>,
}

impl<'a> ModelDecoding<'a> {
    fn new(model: &'a LanguageModel, rows: Box<dyn Rows<'a> + 'a>) -> Self {
        let last = rows.start().to_vec();
        Self { model, rows, last, wanted: None, current: None }
    }

    /// See [`LanguageModel::logits`].
    pub(super) fn logits(&self, answer: &[TokenId]) -> Result<Vec<f32>, GenerateError> {
        self.model.check_tokens(answer)?;
        let tree = Tree::chain(answer.len() + 1);
        let line = |start: &TokenId| [&[*start], answer].concat();
        let lines = self.rows.start().iter().map(line).collect::<Vec<_>>().concat();
        let states = self.forward(self.rows.fresh().as_mut(), &lines, &tree)?;
        self.logits_of(&states)
    }

    /// Computes the states after each token of `lines`, `[n, tree.len()]`, which continue `rows`.
    fn forward(
        &self,
        rows: &mut dyn Rows<'a>,
        lines: &[TokenId],
        tree: &Tree,
    ) -> Result<Vec<f32>, GenerateError> {
        self.check_length(rows.len() + tree.height())?;
        in_pool(|| rows.forward(lines, tree)).map_err(|error| self.model.failed(&error))
    }

    fn logits_of(&self, states: &[f32]) -> Result<Vec<f32>, GenerateError> {
        in_pool(|| self.model.backbone.logits(states)).map_err(|error| self.model.failed(&error))
    }

    fn check_length(&self, tokens: usize) -> Result<(), GenerateError> {
        let Some(max_tokens) = self.model.longest else { return Ok(()) };
        let too_long = |(_, position): &(usize, &usize)| **position + tokens > max_tokens;
        match self.rows.positions().iter().enumerate().find(too_long) {
            Some((passage, position)) => {
                Err(GenerateError::TooLong { passage, got_tokens: position + tokens, max_tokens })
            }
            None => Ok(()),
        }
    }

    fn step(&mut self) -> Result<&LogProbs, GenerateError> {
        if self.current.is_none() {
            let tree = Tree::chain(1);
            self.check_length(self.rows.len() + tree.height())?;
            let passages = self.passages();
            let Self { rows, last, wanted, .. } = self;
            let is_wanted =
                |row: &usize| wanted.as_ref().is_none_or(|wanted| wanted.contains(&(row % passages)));
            let computed: Vec<usize> = (0..last.len()).filter(is_wanted).collect();
            let tokens: Vec<TokenId> = computed.iter().map(|row| last[*row]).collect();
            let states = in_pool(|| rows.forward(&tokens, &tree));
            let states = states.map_err(|error| self.model.failed(&error))?;
            let mut values = self.logits_of(&states)?;
            let (vocabulary, kernel) = (self.vocabulary(), Kernel::detect());
            values.par_chunks_mut(vocabulary).for_each(|line| {
                let total = log_total(kernel, line);
                line.iter_mut().for_each(|v| *v = (f64::from(*v) - total) as f32);
            });
            if computed.len() < self.last.len() {
                let mut all = vec![f32::NEG_INFINITY; self.last.len() * vocabulary];
                for (row, line) in computed.iter().zip(values.chunks_exact(vocabulary)) {
                    all[row * vocabulary..][..vocabulary].copy_from_slice(line);
                }
                values = all;
            }
            self.current = Some(LogProbs::new(passages, vocabulary, values)?);
        }
        Ok(self.current.as_ref().expect("set above"))
    }

    /// Scores `answers` under the passages of `wanted`, where the rows can be restricted to them, and
    /// else under all.
    fn scores(&self, answers: &[Vec<TokenId>], wanted: &[usize]) -> Result<Vec<AnswerScores>, GenerateError> {
        if answers.iter().any(Vec::is_empty) {
            return Err(GenerateError::Shape { what: "tokens of an answer", got: 0, expected: 1 });
        }
        answers.iter().try_for_each(|answer| self.model.check_tokens(answer))?;
        let mut scores = Vec::with_capacity(answers.len());
        let mut rest = answers;
        while !rest.is_empty() {
            let mut tokens = 0;
            let fits = |answer: &&Vec<TokenId>| {
                tokens += answer.len();
                tokens <= MAX_TOKENS
            };
            let (now, later) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            scores.extend(self.score_together(now, wanted)?);
            rest = later;
        }
        Ok(scores)
    }

    /// Scores `answers` in one pass over the tree of their tokens, with one row per passage.
    fn score_together(
        &self,
        answers: &[Vec<TokenId>],
        wanted: &[usize],
    ) -> Result<Vec<AnswerScores>, GenerateError> {
        let (passages, vocabulary, kernel) = (self.passages(), self.vocabulary(), Kernel::detect());
        let (tree, tokens, paths) = Tree::of(answers);
        let mut rows = self.rows.fresh();
        let computed: Vec<usize> = match rows.restrict(wanted) {
            true => wanted.to_vec(),
            false => (0..passages).collect(),
        };
        let start = |z: &usize| [&[self.rows.start()[*z]], tokens.as_slice()].concat();
        let lines: Vec<TokenId> = computed.iter().flat_map(start).collect();
        let states = self.forward(rows.as_mut(), &lines, &tree)?;
        // For each token of the tree: the answers whose next token its distribution scores, and
        // that token's index.
        let mut asked: Vec<Vec<(usize, usize)>> = vec![Vec::new(); tree.len()];
        for (a, path) in paths.iter().enumerate() {
            path.iter().enumerate().for_each(|(i, at)| asked[*at].push((a, i)));
        }
        let mut values: Vec<Vec<Option<f32>>> =
            answers.iter().map(|answer| vec![None; answer.len() * passages]).collect();
        let lines = computed.len() * tree.len();
        let width = states.len() / lines;
        for from in (0..lines).step_by(LINES) {
            let logits = self.logits_of(&states[from * width..(from + LINES).min(lines) * width])?;
            let totals: Vec<f64> =
                logits.par_chunks(vocabulary).map(|line| log_total(kernel, line)).collect();
            for ((line, total), at) in logits.chunks_exact(vocabulary).zip(totals).zip(from..) {
                for (a, i) in &asked[at % tree.len()] {
                    let logit = f64::from(line[answers[*a][*i] as usize]);
                    values[*a][i * passages + computed[at / tree.len()]] = Some((logit - total) as f32);
                }
            }
        }
        values.into_iter().map(|values| AnswerScores::new(passages, values)).collect()
    }
}

/// Log of the sum of exponentials of a line of logits; NaN when the line is not a distribution.
fn log_total(kernel: Kernel, line: &[f32]) -> f64 {
    Some(kernel.log_sum_exp(line)).filter(|total| total.is_finite()).unwrap_or(f64::NAN)
}

impl Decoding for ModelDecoding<'_> {
    fn passages(&self) -> usize {
        self.rows.start().len()
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
        self.rows.reorder(&rows).map_err(|error| self.model.failed(&error))?;
        self.last = tokens.to_vec();
        self.current = None;
        Ok(())
    }

    fn restrict(&mut self, wanted: &[usize]) -> bool {
        let is_restricted = self.rows.restrict(wanted);
        if is_restricted {
            self.wanted = Some(wanted.to_vec());
        }
        is_restricted
    }

    fn restart(&mut self) {
        self.rows = self.rows.fresh();
        self.last = self.rows.start().to_vec();
        self.wanted = None;
        self.current = None;
    }

    fn score(&mut self, answers: &[Vec<TokenId>]) -> Result<Vec<AnswerScores>, GenerateError> {
        self.scores(answers, &(0..self.passages()).collect::<Vec<_>>())
    }

    fn score_under(
        &mut self,
        answers: &[Vec<TokenId>],
        wanted: &[usize],
    ) -> Result<Vec<AnswerScores>, GenerateError> {
        self.scores(answers, wanted)
    }

    fn is_end(&self, token: TokenId) -> bool {
        self.model.generation.ends.contains(&token)
    }

    fn form(&self) -> AnswerForm {
        let furthest = self.rows.positions().iter().copied().max().unwrap_or(0);
        AnswerForm {
            forced_first: self.model.generation.forced_first,
            forced_last: self.model.generation.forced_last,
            no_repeat: self.model.generation.no_repeat,
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
