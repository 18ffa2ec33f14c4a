use std::ops::{Deref, Range};

use serde::{Serialize, Serializer};

use crate::{Disagreement, Mode};

/// An answer, and who said it.
///
/// It serializes without what needs its passages to be understood: `priors` to `alternatives`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The answer; empty when there is none.
    #[serde(rename = "answer")]
    pub text: String,
    /// The model it was marginalized under.
    pub mode: Mode,
    /// Whether there is no answer: `abstention_score` was above the threshold (see
    /// [`super::AnswerOptions::no_answer_threshold`]), or, from a generator that cannot say it, the likeliest answer
    /// has too little [`Evidence`]. Then there are no citations, and what
    /// came closest stands first in `alternatives`.
    pub no_answer: bool,
    /// Probability of "no answer"; what it rests on is in `evidence`.
    pub no_answer_probability: f64,
    /// What abstaining is decided by, 0 to 1: [`crate::abstention_score`] of the passages; from a generator that cannot say
    /// "no answer", the same as `no_answer_probability`.
    pub abstention_score: f64,
    /// Whether it came to its end; one that did not was cut at the limit or by its watcher.
    pub finished: bool,
    /// log p(y|x) of what was chosen, be it an answer or "no answer".
    #[serde(skip)]
    pub log_probability: f64,
    /// p(y|x) of what was chosen.
    pub probability: f64,
    /// The share of answers like this one that are right, 0 to 1, as it was fitted on questions with known
    /// answers: see [`postil_contract::ConfidenceFit`]. `None` when nothing was fitted for the generator,
    /// or no answer was given.
    pub confidence: Option<f64>,
    /// Its tokens, end token included; their log-probabilities sum to `log_probability`. None when an
    /// answer was withheld.
    pub tokens: Vec<AnswerToken>,
    /// Its words, a partition of `text`.
    pub words: Vec<Span>,
    /// Its clauses, a partition of `words`: these are what passages are credited with.
    pub spans: Vec<Span>,
    /// p(z|x) of every passage given, 0 for one that was left unread; sums to 1.
    #[serde(skip)]
    pub priors: Vec<f64>,
    /// p(z|x,y) of every passage given, see [`crate::Marginal::posterior`]; sums to 1. p(z|x) when an
    /// answer was withheld.
    #[serde(skip)]
    pub posteriors: Vec<f64>,
    /// Positions of the passages that were cut to fit the generator's window, ascending.
    #[serde(skip)]
    pub shortened: Vec<usize>,
    /// The passages it came from, highest posterior first, no more than were asked for: those that say it
    /// word for word, and those credited with one of `spans`.
    #[serde(skip)]
    pub citations: Vec<Citation>,
    /// What speaks for the likeliest answer; `None` when there was none to choose.
    pub evidence: Option<Evidence>,
    /// The other answers considered, most probable first, no more than were asked for.
    #[serde(skip)]
    pub alternatives: Vec<Candidate>,
    /// Probability of the answers considered but not listed: with `alternatives`, `probability`, and
    /// `no_answer_probability` unless that was chosen, it adds up to 1 when the generator's answers can
    /// be counted.
    #[serde(skip)]
    pub other_probability: f64,
}

impl Answer {
    /// The answer where there is no passage to answer from: "no answer", for certain.
    pub fn from_nothing(mode: Mode) -> Self {
        Self {
            no_answer: true,
            no_answer_probability: 1.0,
            abstention_score: 1.0,
            finished: true,
            log_probability: f64::NEG_INFINITY,
            probability: 0.0,
            ..Self::silent(mode)
        }
    }

    /// Nothing said, nothing weighed.
    pub(super) fn silent(mode: Mode) -> Self {
        Self {
            text: String::new(),
            mode,
            no_answer: false,
            no_answer_probability: 0.0,
            abstention_score: 0.0,
            finished: false,
            log_probability: 0.0,
            probability: 1.0,
            confidence: None,
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

    /// Gives so many passages a place, of which the last were not read.
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
    /// What it adds to the text; empty for an end token, or where a character is not yet complete.
    pub text: String,
    /// log p(y_i|x,y_<i), marginalized.
    pub log_prob: f64,
    /// Who says it, `[passages]`, sums to 1: see [`crate::Step::posterior`].
    pub posterior: Vec<f64>,
}

/// Some words of an answer, and the passages they are credited to.
///
/// Credit is given per span and not per token, since on function words all passages agree and a token's
/// posterior falls back to the prior.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Span {
    /// The words.
    pub text: String,
    /// Bytes of the answer's text that they are.
    #[serde(serialize_with = "bounds")]
    pub range: Range<usize>,
    /// Its tokens.
    #[serde(serialize_with = "bounds")]
    pub tokens: Range<usize>,
    /// r_A(z) = softmax_z(log p(z|x) + sum over its tokens of log p(y_i|x,z,y_<i)), `[passages]`, sums to 1:
    /// see [`crate::Marginal::posterior`].
    pub posterior: Vec<f64>,
    /// Sum over its tokens of log p(y_i|x,z,y_<i) - log p(y_i|x,null,y_<i), `[passages]`, in nats, the null
    /// passage being an empty one: words that come without any passage speak for none. +inf when the null
    /// passage cannot say it, 0 when neither can, and for a passage that was left unread.
    pub log_ratio: Vec<f64>,
    /// The passages credited, highest posterior first: those that reach both bars of
    /// [`super::AnswerOptions`]. Copies of one passage are credited together. Empty: unsupported.
    pub sources: Vec<usize>,
}

/// The share of a passage in an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Credit {
    /// Position among the passages given. Copies of one passage are credited each, with the posterior
    /// divided as their priors are.
    pub passage: usize,
    /// p(z|x,y), that the answer came from here; over all passages given these sum to 1.
    pub posterior: f64,
    /// p(z|x), before the answer was known.
    pub prior: f64,
    /// log p(y|x) lost without this passage, in nats; +inf when no other can say it.
    pub leave_one_out: f64,
}

/// A passage that an answer came from. The fields of its [`Credit`] can be read as its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Citation {
    /// Its share in the answer.
    pub credit: Credit,
    /// The part that supports the answer, in bytes of the passage's text: the answer itself where its
    /// generator quotes; otherwise the sentence it was copied from, or the one that shares most words with
    /// what is credited to the passage; all of the text when no sentence shares any.
    pub range: Range<usize>,
    /// That part, verbatim.
    pub quote: String,
    /// Bytes of the passage's text that the answer was copied from, where the generator can tell:
    /// see [`postil_contract::Decoding::origin`].
    pub copied: Option<Range<usize>>,
}

impl Deref for Citation {
    type Target = Credit;

    fn deref(&self) -> &Credit {
        &self.credit
    }
}

/// An answer that was not chosen; `C` is how passages are cited.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate<C = Citation> {
    /// The answer.
    pub text: String,
    /// p(y|x).
    pub probability: f64,
    /// The share of answers like this one that are right, see [`super::Answer::confidence`].
    pub confidence: Option<f64>,
    /// The passages it came from, likeliest first.
    pub citations: Vec<C>,
}

impl Candidate {
    /// The same answer with its passages cited in another way.
    ///
    /// # Errors
    /// The first that `cite` gives.
    pub fn cited<C, E>(self, cite: impl FnMut(Citation) -> Result<C, E>) -> Result<Candidate<C>, E> {
        let Self { text, probability, confidence, citations } = self;
        let citations = citations.into_iter().map(cite).collect::<Result<_, _>>()?;
        Ok(Candidate { text, probability, confidence, citations })
    }
}

/// What speaks for the likeliest answer, whether it was given or withheld, and against it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// What the probability of "no answer" rests on.
    pub basis: Basis,
    /// log p(y|x,null), without any passage to read.
    pub null_log_probability: f64,
    /// log p(y|x) - log p(y|x,null), in nats: see [`crate::evidence_log_ratio`]. +inf when the generator
    /// can say it only with a passage, as one that quotes.
    pub log_ratio: f64,
    /// The same per token, so that answers of different lengths compare.
    pub log_ratio_per_token: f64,
    /// 1 - p(null|x,y) with the null passage among the others, its prior odds exp of
    /// [`super::AnswerOptions::min_evidence`]: 1/2 where the evidence just suffices. Low also when the
    /// generator knew the answer without reading.
    pub grounded_probability: f64,
    /// The uncertainty about the answer, in nats, by its cause. Over the answers considered and "anything
    /// else" as one more: exact for a generator whose answers can be counted, otherwise both parts are lower
    /// bounds, since lumping outcomes together lowers entropy and divergence alike.
    #[serde(flatten)]
    pub disagreement: Disagreement,
}

/// What the probability of "no answer" rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The generator's own "no answer", marginalized like any answer.
    NoAnswerToken,
    /// The null passage: it is the probability that the answer came from there, 1 -
    /// [`Evidence::grounded_probability`].
    NullPassage,
}

/// Serializes a range as its two bounds.
fn bounds<S: Serializer>(range: &Range<usize>, serializer: S) -> Result<S::Ok, S::Error> {
    [range.start, range.end].serialize(serializer)
}
