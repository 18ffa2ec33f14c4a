use std::ops::Range;

use crate::Disagreement;

/// A token of an answer.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Where it is, in bytes of the answer's text.
    pub range: Range<usize>,
    /// Its tokens.
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

/// A passage that an answer came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Citation {
    /// Position among the passages given. Copies of one passage are cited each, with the posterior
    /// divided as their priors are.
    pub passage: usize,
    /// The part that supports the answer, in bytes of the passage's text: the answer itself where its
    /// generator quotes; otherwise the sentence it was copied from, or the one that shares most words with
    /// what is credited to the passage; all of the text when no sentence shares any.
    pub range: Range<usize>,
    /// That part, verbatim.
    pub quote: String,
    /// Bytes of the passage's text that the answer was copied from, where the generator can tell:
    /// see [`postil_contract::Decoding::origin`].
    pub copied: Option<Range<usize>>,
    /// How probable it is that the answer came from here.
    pub posterior: f64,
    /// p(z|x), before the answer was known.
    pub prior: f64,
    /// log p(y|x) lost without this passage; +inf when no other can say it.
    pub leave_one_out: f64,
}

/// An answer that was not chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The answer.
    pub text: String,
    /// p(y|x).
    pub probability: f64,
    /// The share of answers like this one that are right, see [`super::Answer::confidence`].
    pub confidence: Option<f64>,
    /// The passages it came from.
    pub citations: Vec<Citation>,
}

/// What speaks for the likeliest answer, whether it was given or withheld, and against it.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    pub disagreement: Disagreement,
}

/// What the probability of "no answer" rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The generator's own "no answer", marginalized like any answer.
    NoAnswerToken,
    /// The null passage: it is the probability that the answer came from there, 1 -
    /// [`Evidence::grounded_probability`].
    NullPassage,
}
