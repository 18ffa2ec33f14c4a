use std::ops::Range;
use std::sync::Arc;

use crate::{Calibration, GenerateError, Passage, ReadAhead, ReadWatch};

/// A token of a generator's vocabulary. Vocabularies may differ from one decoding to the next.
pub type TokenId = u32;

/// A model that writes answers: p(y_i | x, z, y_<i) over a vocabulary, for each passage z.
///
/// It does not handle priors, mixtures or search: marginalization and decoding are written once
/// over this trait, in `postil-generator`.
pub trait Generator: Send + Sync {
    /// Name of the generator: `quote`, `reader`, or the name of a model.
    fn name(&self) -> &str;

    /// True when a token id means the same in every decoding, so that an answer found in one can be
    /// scored in another. False when the tokens come from the passages of the decoding.
    fn vocabulary_is_fixed(&self) -> bool {
        true
    }

    /// True when an answer is looked for token by token unless another search is asked for: for a
    /// generator whose searches with beams cost more than they find. By default false.
    fn prefers_greedy(&self) -> bool {
        false
    }

    /// The calibration fitted on questions with known answers. The default calibrates nothing.
    fn calibration(&self) -> Calibration {
        Calibration::default()
    }

    /// Reads the question once under each passage; the decoding starts before the first token, with
    /// one row.
    ///
    /// # Errors
    /// [`GenerateError::NoPassages`] when `passages` is empty, [`GenerateError::TooLong`] when a
    /// prompt does not fit the model.
    fn start<'a>(
        &'a self,
        question: &str,
        passages: &[Passage<'_>],
    ) -> Result<Box<dyn Decoding + 'a>, GenerateError>;

    /// As [`Generator::start`], with progress and cancellation while passages are read. By default,
    /// both are left out.
    ///
    /// # Errors
    /// As [`Generator::start`]; [`GenerateError::Cancelled`].
    fn start_watched<'a>(
        &'a self,
        question: &str,
        passages: &[Passage<'_>],
        watch: ReadWatch<'_>,
    ) -> Result<Box<dyn Decoding + 'a>, GenerateError> {
        let _ = watch;
        self.start(question, passages)
    }

    /// Reading of passages ahead; `None`, the default, for a generator that has nothing to keep.
    fn ahead(&self) -> Option<&dyn ReadAhead> {
        None
    }
}

/// The state of a decoding: a number of rows (hypotheses), each under every one of the k passages.
pub trait Decoding {
    /// k, the number of passages.
    fn passages(&self) -> usize;

    /// Size of this decoding's vocabulary; all token ids are below it.
    fn vocabulary(&self) -> usize;

    /// Next-token distributions of the current rows under each passage.
    ///
    /// # Errors
    /// [`GenerateError::NotFinite`] when the model yields NaN; [`GenerateError::Model`] when it
    /// fails.
    fn log_probs(&mut self) -> Result<LogProbs, GenerateError>;

    /// Replaces the rows: new row r continues old row `parents[r]` with `tokens[r]`. A parent may
    /// be named several times or not at all, which is what a beam needs.
    ///
    /// # Errors
    /// [`GenerateError::Shape`] when the lengths differ, a parent or token is out of range, or no
    /// row would be left.
    fn advance(&mut self, parents: &[usize], tokens: &[TokenId]) -> Result<(), GenerateError> {
        let k = self.passages();
        let parents: Vec<usize> = parents.iter().flat_map(|parent| std::iter::repeat_n(*parent, k)).collect();
        let tokens: Vec<TokenId> = tokens.iter().flat_map(|token| std::iter::repeat_n(*token, k)).collect();
        self.advance_each(&parents, &tokens)
    }

    /// As [`Decoding::advance`], but with separate parents and tokens for each passage, which a
    /// search under each passage alone needs: `parents` and `tokens` are `[rows, passages]`, and
    /// under passage z new row r continues old row `parents[r * k + z]` with `tokens[r * k + z]`.
    ///
    /// # Errors
    /// As [`Decoding::advance`]; [`GenerateError::Shape`] when a length is not a multiple of k.
    fn advance_each(&mut self, parents: &[usize], tokens: &[TokenId]) -> Result<(), GenerateError>;

    /// Computes distributions under the passages of `wanted` only, ascending and not empty, until
    /// [`Decoding::restart`]: the lines of the others are wholly -inf. Returns false, and changes
    /// nothing, where that would save nothing, as by default.
    fn restrict(&mut self, wanted: &[usize]) -> bool {
        let _ = wanted;
        false
    }

    /// Returns to the position before the first token, with one row.
    fn restart(&mut self);

    /// Teacher-forced log-probabilities of whole answers, each from its first token on. The current
    /// rows are neither used nor changed; a model reads each answer in one pass.
    ///
    /// # Errors
    /// [`GenerateError::Shape`] when an answer is empty or a token out of range;
    /// [`GenerateError::NotFinite`] and [`GenerateError::Model`] as in [`Decoding::log_probs`].
    fn score(&mut self, answers: &[Vec<TokenId>]) -> Result<Vec<AnswerScores>, GenerateError>;

    /// As [`Decoding::score`], under the passages of `wanted`, ascending; the values under others may
    /// be `None`. By default, they are there too.
    ///
    /// # Errors
    /// As [`Decoding::score`].
    fn score_under(
        &mut self,
        answers: &[Vec<TokenId>],
        wanted: &[usize],
    ) -> Result<Vec<AnswerScores>, GenerateError> {
        let _ = wanted;
        self.score(answers)
    }

    /// True when `token` ends the answer. Several ids may; they count as one event.
    fn is_end(&self, token: TokenId) -> bool;

    /// True when `tokens` are a whole answer: by default, when the last of them ends it. A
    /// generator that also stops at certain texts overrides this.
    fn is_finished(&self, tokens: &[TokenId]) -> bool {
        tokens.last().is_some_and(|token| self.is_end(*token))
    }

    /// The model's own constraints on its answers; a caller's constraints take precedence. By
    /// default none.
    fn form(&self) -> AnswerForm {
        AnswerForm::default()
    }

    /// Positions of the passages that were shortened to fit the model's window, ascending; an
    /// answer from them must report it. By default none.
    fn shortened(&self) -> &[usize] {
        &[]
    }

    /// The token that stands for "no answer"; `None` if the generator has none.
    fn no_answer(&self) -> Option<TokenId>;

    /// All possible answers, for a generator whose answer space is finite and small; each is a
    /// token sequence with its end token. `None` for a generator that writes freely.
    fn candidates(&self) -> Option<Vec<Vec<TokenId>>>;

    /// The text of a token sequence, without end tokens.
    fn text(&self, tokens: &[TokenId]) -> String;

    /// The texts of all prefixes of a token sequence, shortest first: each begins with the one
    /// before, the last is [`Decoding::text`]. A generator whose text of a prefix depends on later
    /// tokens returns the final spelling here.
    fn texts(&self, tokens: &[TokenId]) -> Vec<String> {
        (1..=tokens.len()).map(|length| self.text(&tokens[..length])).collect()
    }

    /// The byte range of passage `passage`'s text that `tokens` was copied from; `None` when it was
    /// not copied from that passage.
    fn origin(&self, passage: usize, tokens: &[TokenId]) -> Option<Range<usize>>;
}

/// A model's constraints on its answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerForm {
    /// First token of every answer; `None` when it is free.
    pub forced_first: Option<TokenId>,
    /// Last token of an answer that is cut at its limit; `None` when it is free.
    pub forced_last: Option<TokenId>,
    /// Length of the token runs that may occur only once; 0 allows all repetitions.
    pub no_repeat: usize,
    /// Maximum tokens, end token included, that fit the model's window after the longest prompt;
    /// `None` when there is no limit.
    pub max_tokens: Option<usize>,
}

/// Number of values checked at a time.
const LINE: usize = 1024;

/// Log-probabilities, `[rows, passages, vocabulary]`, row-major, natural log, f32.
///
/// A passage's line is normalized, or wholly -inf: then the passage cannot continue this row's
/// prefix and abstains from the next token.
///
/// The values are many, so clones share them.
#[derive(Clone, Debug, PartialEq)]
pub struct LogProbs {
    passages: usize,
    vocabulary: usize,
    values: Arc<Vec<f32>>,
}

impl LogProbs {
    /// Takes `values`, `[rows, passages, vocabulary]`.
    ///
    /// # Errors
    /// [`GenerateError::Shape`] when the length is not a multiple of `passages * vocabulary`, or
    /// either is 0; [`GenerateError::NotFinite`] at a NaN or +inf.
    pub fn new(passages: usize, vocabulary: usize, values: Vec<f32>) -> Result<Self, GenerateError> {
        let row = passages * vocabulary;
        if row == 0 || !values.len().is_multiple_of(row) {
            return Err(GenerateError::Shape { what: "log-probabilities", got: values.len(), expected: row });
        }
        let is_bad = |v: &f32| v.is_nan() || *v == f32::INFINITY;
        // The inner loop has no early exit, so that the compiler can vectorize it.
        let bad = values.chunks(LINE).position(|line| line.iter().fold(false, |bad, v| bad | is_bad(v)));
        if let Some(line) = bad {
            let at = line * LINE + values[line * LINE..].iter().position(is_bad).unwrap_or(0);
            return Err(GenerateError::NotFinite { passage: at % row / vocabulary, token: at % vocabulary });
        }
        Ok(Self { passages, vocabulary, values: Arc::new(values) })
    }

    /// k, the number of passages.
    pub fn passages(&self) -> usize {
        self.passages
    }

    /// Number of tokens in each distribution.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// Number of hypotheses.
    pub fn rows(&self) -> usize {
        self.values.len() / (self.passages * self.vocabulary)
    }

    /// Line of one hypothesis under one passage: `[vocabulary]`. Panics when either is out of
    /// range.
    pub fn line(&self, row: usize, passage: usize) -> &[f32] {
        &self.row(row)[passage * self.vocabulary..(passage + 1) * self.vocabulary]
    }

    /// Lines of one hypothesis: `[passages, vocabulary]`. Panics when `row` is not below
    /// [`LogProbs::rows`].
    pub fn row(&self, row: usize) -> &[f32] {
        let size = self.passages * self.vocabulary;
        &self.values[row * size..(row + 1) * size]
    }
}

/// Log-probabilities of the tokens of one answer, `[tokens, passages]`, row-major, natural log,
/// f32.
///
/// `None` where a passage cannot continue the tokens before this one and so abstains, as with a
/// line of [`LogProbs`] that is wholly -inf; `Some(-inf)` where it could continue, but not with
/// this token.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerScores {
    passages: usize,
    values: Vec<Option<f32>>,
}

impl AnswerScores {
    /// Takes `values`, `[tokens, passages]`.
    ///
    /// # Errors
    /// [`GenerateError::Shape`] when the length is not a multiple of `passages`, or `passages` is
    /// 0; [`GenerateError::NotFinite`] at a NaN or +inf, with the token's position as the token.
    pub fn new(passages: usize, values: Vec<Option<f32>>) -> Result<Self, GenerateError> {
        if passages == 0 || !values.len().is_multiple_of(passages) {
            return Err(GenerateError::Shape {
                what: "answer scores",
                got: values.len(),
                expected: passages,
            });
        }
        if let Some(at) = values.iter().position(|v| v.is_some_and(|v| v.is_nan() || v == f32::INFINITY)) {
            return Err(GenerateError::NotFinite { passage: at % passages, token: at / passages });
        }
        Ok(Self { passages, values })
    }

    /// k, the number of passages.
    pub fn passages(&self) -> usize {
        self.passages
    }

    /// One line of `[passages]` per token, in order.
    pub fn tokens(&self) -> impl ExactSizeIterator<Item = &[Option<f32>]> + DoubleEndedIterator {
        self.values.chunks_exact(self.passages)
    }
}
