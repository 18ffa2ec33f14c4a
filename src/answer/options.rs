use postil_contract::Generator;
use postil_generator::{AnswerOptions, Constraints, DEFAULT_MAX_TOKENS, Decode, Mode};
use postil_storage::{Filter, SearchOptions};

use crate::setters::setters;
use crate::{DEFAULT_CANDIDATES, DEFAULT_WORDS_WEIGHT, Error, RetrieveOptions};

/// Default number of passages that an answer is marginalized over.
pub const DEFAULT_K: usize = 5;

/// Options of asking.
///
/// ```
/// use postil::{AskOptions, Mode};
/// let options = AskOptions::new().k(8).mode(Mode::Token).min_probability(0.5);
/// assert_eq!(options.k, 8);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AskOptions {
    /// Number k of passages that the answer is marginalized over, at least 1.
    pub k: usize,
    /// Share of the prior, in [0, 1], that may be left unread: the last passages are not read when
    /// their priors sum to no more, which changes p(y|x), or in RAG-Token that of each token, by at
    /// most this much. 0 reads all.
    pub unread_prior: f64,
    /// Share of the posterior, in [0, 1], of passages that stop being decoded while an answer is
    /// written token by token under RAG-Sequence. The answer's probability and posteriors stay exact;
    /// 0 decodes all.
    pub undecoded_posterior: f64,
    /// RAG-Sequence or RAG-Token (Lewis et al. 2020, section 2.1).
    pub mode: Mode,
    /// Filter of documents whose passages may be used; `None` for all.
    pub filter: Option<Filter>,
    /// Nearest passages that are ranked by their words as well; see [`RetrieveOptions`].
    pub candidates: usize,
    /// Nats that words add to a passage's prior at most, at least 0; see [`RetrieveOptions`].
    pub words_weight: f32,
    /// The s of p(z|x) = softmax_z(s * relevance), see [`Retrieved`](crate::Retrieved); by default
    /// the encoder's own, over the temperature that was fitted for the generator.
    pub score_scale: Option<f32>,
    /// Decoding method of a generator that writes freely. `None`, the default, is greedy for a
    /// decoder-only language model, and [`Decode::default`] for any other.
    pub decode: Option<Decode>,
    /// Most tokens of a freely written answer, at least 1.
    pub max_tokens: usize,
    /// Nats by which the passages must make an answer likelier than reading nothing does, for it to
    /// be given; for generators that cannot say "no answer". -inf gives every answer.
    pub min_evidence: f64,
    /// [`Answer::abstention_score`](crate::Conclusion::abstention_score) above which an answer is
    /// withheld, in [0, 1], for generators that can say "no answer"; 1 gives every answer. `None`,
    /// the default, uses the value fitted for the generator; without one, an answer is withheld
    /// when "no answer" is more probable.
    pub no_answer_threshold: Option<f64>,
    /// Least probability that an answer is right, in [0, 1], for it to be given: its
    /// [confidence](crate::Conclusion::confidence), or its probability where that is not known. 0
    /// withholds none. `None`, the default, uses the value fitted for the generator, or 0 where
    /// `no_answer_threshold` is set.
    pub min_probability: Option<f64>,
    /// Least posterior of a passage that a clause of the answer is credited to, in [0, 1].
    pub credit_posterior: f64,
    /// Nats by which that passage must make the clause likelier than reading nothing does.
    pub credit_log_ratio: f64,
}

impl AskOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        k: usize, "Sets [`k`](#structfield.k), at least 1.";
        unread_prior: f64, "Sets [`unread_prior`](#structfield.unread_prior), from 0 to 1.";
        undecoded_posterior: f64, "Sets [`undecoded_posterior`](#structfield.undecoded_posterior), from 0 to 1.";
        mode: Mode, "Sets [`mode`](#structfield.mode).";
        filter: Filter => Some(filter), "Sets [`filter`](#structfield.filter).";
        candidates: usize, "Sets [`candidates`](#structfield.candidates).";
        words_weight: f32, "Sets [`words_weight`](#structfield.words_weight), finite, at least 0.";
        score_scale: f32 => Some(score_scale),
            "Sets [`score_scale`](#structfield.score_scale), finite, at least 0.";
        decode: Decode => Some(decode), "Sets [`decode`](#structfield.decode).";
        max_tokens: usize, "Sets [`max_tokens`](#structfield.max_tokens), at least 1.";
        min_evidence: f64, "Sets [`min_evidence`](#structfield.min_evidence), below infinity.";
        no_answer_threshold: f64 => Some(no_answer_threshold),
            "Sets [`no_answer_threshold`](#structfield.no_answer_threshold), from 0 to 1.";
        min_probability: f64 => Some(min_probability), "Sets [`min_probability`](#structfield.min_probability), from 0 to 1.";
        credit_posterior: f64, "Sets [`credit_posterior`](#structfield.credit_posterior), from 0 to 1.";
        credit_log_ratio: f64, "Sets [`credit_log_ratio`](#structfield.credit_log_ratio), below infinity.";
    }

    /// Options of retrieving its passages.
    #[must_use]
    pub fn retrieval(&self) -> RetrieveOptions {
        let mut search = SearchOptions::new(self.k);
        search.filter.clone_from(&self.filter);
        RetrieveOptions::from(search).candidates(self.candidates).words_weight(self.words_weight)
    }

    /// Refuses options out of range, as asking does first.
    ///
    /// # Errors
    /// As [`RetrieveOptions::check`]; [`Error::Generate`] for a number that is out of its range.
    pub fn check(&self) -> Result<(), Error> {
        self.retrieval().check()?;
        Ok(self.at_scale(self.score_scale.unwrap_or(1.0)).check()?)
    }

    /// Options for the generator; `score_scale` is the encoder's.
    pub(super) fn for_generator(&self, score_scale: f32, generator: &dyn Generator) -> AnswerOptions {
        let fitted = score_scale / generator.calibration().prior_temperature;
        self.at_scale(self.score_scale.unwrap_or(fitted))
    }

    fn at_scale(&self, score_scale: f32) -> AnswerOptions {
        AnswerOptions {
            mode: self.mode,
            unread_prior: self.unread_prior,
            undecoded_posterior: self.undecoded_posterior,
            search: self.decode.clone(),
            constraints: Constraints::new(self.max_tokens),
            min_evidence: self.min_evidence,
            no_answer_threshold: self.no_answer_threshold,
            min_probability: self.min_probability,
            credit_posterior: self.credit_posterior,
            credit_log_ratio: self.credit_log_ratio,
            ..AnswerOptions::new(score_scale)
        }
    }
}

impl Default for AskOptions {
    fn default() -> Self {
        // Any scale will do: it is the encoder's.
        let AnswerOptions {
            mode,
            unread_prior,
            undecoded_posterior,
            search: decode,
            min_evidence,
            no_answer_threshold,
            min_probability,
            credit_posterior,
            credit_log_ratio,
            ..
        } = AnswerOptions::new(1.0);
        Self {
            k: DEFAULT_K,
            unread_prior,
            undecoded_posterior,
            mode,
            filter: None,
            candidates: DEFAULT_CANDIDATES,
            words_weight: DEFAULT_WORDS_WEIGHT,
            score_scale: None,
            decode,
            max_tokens: DEFAULT_MAX_TOKENS,
            min_evidence,
            no_answer_threshold,
            min_probability,
            credit_posterior,
            credit_log_ratio,
        }
    }
}
