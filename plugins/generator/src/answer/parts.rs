use std::ops::{Deref, Range};

use postil_contract::Signs;
use serde::{Serialize, Serializer};

use super::Withheld;
use crate::{Disagreement, Mode};

/// An answer, and the passages it came from.
///
/// It serializes without the fields that only make sense beside its passages: `priors` to
/// `alternatives`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The answer; empty when there is none.
    #[serde(rename = "answer")]
    pub text: String,
    /// The model it was marginalized under.
    pub mode: Mode,
    /// True when there is no answer, for the reason in `withheld`. Then there are no citations, and
    /// the likeliest answer stands first in `alternatives`.
    pub no_answer: bool,
    /// Reason that no answer is given; `None` when one is.
    pub withheld: Option<Withheld>,
    /// Probability of "no answer"; its basis is in `evidence`.
    pub no_answer_probability: f64,
    /// Score that decides about abstaining, in [0, 1]: [`crate::abstention_score`] of the passages;
    /// from a generator that cannot say "no answer", equal to `no_answer_probability`.
    pub abstention_score: f64,
    /// True when the answer is complete; false when it was cut at the limit or by its watcher.
    pub finished: bool,
    /// log p(y|x) of the choice, an answer or "no answer".
    #[serde(skip)]
    pub log_probability: f64,
    /// p(y|x) of the choice.
    pub probability: f64,
    /// Share of answers like this one that are right, in [0, 1], as fitted on questions with known
    /// answers: see [`postil_contract::ConfidenceFit`]. `None` when nothing was fitted for the
    /// generator, or no answer was given.
    pub confidence: Option<f64>,
    /// The signs that the confidence is computed from; `None` when no answer was given.
    #[serde(skip)]
    pub signs: Option<Signs>,
    /// Tokens of the choice, end token included; their log-probabilities sum to `log_probability`.
    /// Empty when there is no answer and the generator cannot say "no answer".
    pub tokens: Vec<AnswerToken>,
    /// Words of the answer, a partition of `text`.
    pub words: Vec<Span>,
    /// Clauses of the answer, a partition of `words`; passages are credited with these.
    pub spans: Vec<Span>,
    /// p(z|x) of every passage given, 0 for one that was left unread; sums to 1.
    #[serde(skip)]
    pub priors: Vec<f64>,
    /// p(z|x,y) of every passage given, see [`crate::Marginal::posterior`]; sums to 1. p(z|x) when
    /// there is no answer and the generator cannot say "no answer".
    #[serde(skip)]
    pub posteriors: Vec<f64>,
    /// Positions of the passages that were cut to fit the generator's window, ascending.
    #[serde(skip)]
    pub shortened: Vec<usize>,
    /// The passages that the answer came from, highest posterior first, up to the maximum: those
    /// that say it word for word, and those credited with one of `spans`.
    #[serde(skip)]
    pub citations: Vec<Citation>,
    /// Evidence for and against the likeliest answer; `None` when there was no answer to choose.
    pub evidence: Option<Evidence>,
    /// The other answers considered, most probable first, up to the maximum.
    #[serde(skip)]
    pub alternatives: Vec<Candidate>,
    /// Probability of the answers considered but not listed. With `alternatives`, `probability`,
    /// and `no_answer_probability` unless "no answer" was chosen, it adds up to 1 when the
    /// generator has finitely many answers.
    #[serde(skip)]
    pub other_probability: f64,
}

impl Answer {
    /// The answer when there is no passage to answer from: "no answer" with probability 1.
    pub fn from_nothing(mode: Mode) -> Self {
        Self {
            no_answer: true,
            withheld: Some(Withheld::NoCandidate),
            no_answer_probability: 1.0,
            abstention_score: 1.0,
            finished: true,
            log_probability: f64::NEG_INFINITY,
            probability: 0.0,
            ..Self::silent(mode)
        }
    }

    /// An empty answer, with nothing computed yet.
    pub(super) fn silent(mode: Mode) -> Self {
        Self {
            text: String::new(),
            mode,
            no_answer: false,
            withheld: None,
            no_answer_probability: 0.0,
            abstention_score: 0.0,
            finished: false,
            log_probability: 0.0,
            probability: 1.0,
            confidence: None,
            signs: None,
            tokens: Vec::new(),
            words: Vec::new(),
            spans: Vec::new(),
            priors: Vec::new(),
            posteriors: Vec::new(),
            shortened: Vec::new(),
            citations: Vec::new(),
            evidence: None,
            alternatives: Vec::new(),
            other_probability: 0.0,
        }
    }

    /// Extends the per-passage fields to `passages` entries, of which the last were not read.
    pub(super) fn make_room(&mut self, passages: usize) {
        let spans = self.words.iter_mut().chain(&mut self.spans);
        let of_spans = spans.flat_map(|span| [&mut span.posterior, &mut span.log_ratio]);
        let of_tokens = self.tokens.iter_mut().map(|token| &mut token.posterior);
        for line in of_spans.chain(of_tokens).chain([&mut self.priors, &mut self.posteriors]) {
            line.resize(passages, 0.0);
        }
    }
}

/// A token of an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AnswerToken {
    /// Text that the token adds; empty for an end token, or while a character is incomplete.
    pub text: String,
    /// log p(y_i|x,y_<i), marginalized.
    pub log_prob: f64,
    /// Posterior of each passage, `[passages]`, sums to 1: see [`crate::Step::posterior`].
    pub posterior: Vec<f64>,
}

/// A span of an answer, and the passages credited with it.
///
/// Credit is given per span and not per token: on function words all passages agree, and a token's
/// posterior falls back to the prior.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Span {
    /// Text of the span.
    pub text: String,
    /// Byte range of the span in the answer's text.
    #[serde(serialize_with = "bounds")]
    pub range: Range<usize>,
    /// Token range of the span.
    #[serde(serialize_with = "bounds")]
    pub tokens: Range<usize>,
    /// r_A(z) = softmax_z(log p(z|x) + sum over its tokens of log p(y_i|x,z,y_<i)), `[passages]`,
    /// sums to 1: see [`crate::Marginal::posterior`].
    pub posterior: Vec<f64>,
    /// Sum over its tokens of log p(y_i|x,z,y_<i) - log p(y_i|x,null,y_<i), `[passages]`, in nats,
    /// where null is the empty passage: words that are as likely without a passage give no support.
    /// +inf when only the null passage cannot say the span; 0 when neither can, and for a passage
    /// that was left unread.
    pub log_ratio: Vec<f64>,
    /// The passages credited, highest posterior first: those that reach both bounds of
    /// [`super::AnswerOptions`]. Copies of one passage are credited together. Empty when the span
    /// is unsupported.
    pub sources: Vec<usize>,
}

/// The share of a passage in an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Credit {
    /// Position among the passages given. Each copy of a passage is credited, and the posterior is
    /// divided in proportion to the copies' priors.
    pub passage: usize,
    /// p(z|x,y), the probability that the answer came from this passage; over all passages given
    /// these sum to 1.
    pub posterior: f64,
    /// p(z|x), the probability before the answer was known.
    pub prior: f64,
    /// Loss of log p(y|x) without this passage, in nats; +inf when no other passage can say it.
    pub leave_one_out: f64,
}

/// A passage that an answer came from. It dereferences to its [`Credit`].
#[derive(Clone, Debug, PartialEq)]
pub struct Citation {
    /// Share of the passage in the answer.
    pub credit: Credit,
    /// The part that supports the answer, in bytes of the passage's text: the answer itself when
    /// its generator quotes; otherwise the sentence it was copied from, or the sentence that shares
    /// most words with the spans credited to the passage; the whole text when no sentence shares a
    /// word.
    pub range: Range<usize>,
    /// Text of that part, verbatim.
    pub quote: String,
    /// Bytes of the passage's text that the answer was copied from; `None` when the generator
    /// cannot tell: see [`postil_contract::Decoding::origin`].
    pub copied: Option<Range<usize>>,
}

impl Deref for Citation {
    type Target = Credit;

    fn deref(&self) -> &Credit {
        &self.credit
    }
}

/// An answer that was not chosen; `C` is the type of its citations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate<C = Citation> {
    /// The answer.
    pub text: String,
    /// p(y|x).
    pub probability: f64,
    /// Share of answers like this one that are right, see [`super::Answer::confidence`].
    pub confidence: Option<f64>,
    /// The passages it came from, highest posterior first.
    pub citations: Vec<C>,
}

impl Candidate {
    /// Converts the citations with `cite`.
    ///
    /// # Errors
    /// The first error of `cite`.
    pub fn cited<C, E>(self, cite: impl FnMut(Citation) -> Result<C, E>) -> Result<Candidate<C>, E> {
        let Self { text, probability, confidence, citations } = self;
        let citations = citations.into_iter().map(cite).collect::<Result<_, _>>()?;
        Ok(Candidate { text, probability, confidence, citations })
    }
}

/// The evidence for and against the likeliest answer, given or withheld.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// Basis of the probability of "no answer".
    pub basis: Basis,
    /// log p(y|x,null), without any passage to read.
    pub null_log_probability: f64,
    /// log p(y|x) - log p(y|x,null), in nats: see [`crate::evidence_log_ratio`]. +inf when the
    /// generator can say the answer only with a passage, as a quoting generator does.
    pub log_ratio: f64,
    /// The log-ratio per token, so that answers of different lengths compare.
    pub log_ratio_per_token: f64,
    /// 1 - p(null|x,y) with the null passage among the others, its prior odds the exponential of
    /// [`super::AnswerOptions::min_evidence`]: 1/2 when the evidence just suffices. Also low when
    /// the generator knew the answer without reading.
    pub grounded_probability: f64,
    /// The uncertainty about the answer, in nats, by its cause, over the answers considered and one
    /// more outcome, "anything else". Exact for a generator with finitely many answers; otherwise
    /// both parts are lower bounds, since merging outcomes lowers entropy and divergence alike.
    #[serde(flatten)]
    pub disagreement: Disagreement,
}

/// The basis of the probability of "no answer".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The generator's own "no answer", marginalized like any answer.
    NoAnswerToken,
    /// The null passage: the probability is that of the answer coming from it, 1 -
    /// [`Evidence::grounded_probability`].
    NullPassage,
}

/// Serializes a range as its two bounds.
fn bounds<S: Serializer>(range: &Range<usize>, serializer: S) -> Result<S::Ok, S::Error> {
    [range.start, range.end].serialize(serializer)
}
