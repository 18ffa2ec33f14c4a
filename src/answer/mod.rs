//! Questions in, answers out, with the documents they came from.
//!
//! The arithmetic is `postil-generator`'s; here its passages get their documents and byte ranges back, and
//! answers are made readable.
//!
//! file | responsibility
//! ---|---
//! `options.rs`, `decode.rs` | what the caller decides
//! `about.rs` | the subject of a passage
//! `questions.rs` | several questions in one text
//! `ask.rs` | the methods of [`Database`](crate::Database)
//! `place.rs` | passages back to documents and byte ranges
//! `stretch.rs` | the text, cut where its sources change
//! `render.rs` | for a terminal: numbered notes, then the sources
//! `markdown.rs` | the same as Markdown, with footnotes
//! `explain.rs` | tokens by passages, spans and evidence as tables

mod about;
mod ask;
mod decode;
mod explain;
mod markdown;
mod options;
mod place;
mod questions;
mod render;
mod stretch;

use std::ops::Range;

use postil_generator::{AnswerToken, Evidence, Mode, Span};

use crate::Place;

pub use decode::{Decode, DecodeError};
pub use options::AskOptions;
pub use questions::questions_in;
pub use stretch::Stretch;

/// An answer and where it came from.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The answer; empty when there is none.
    pub text: String,
    /// How the passages were marginalized out.
    pub mode: Mode,
    /// Whether there is no answer: "no answer" was too likely, or the likeliest answer had too little
    /// evidence. What came closest then stands first in `alternatives`.
    pub no_answer: bool,
    /// Whether the answer came to its end; one that did not was cut at the limit or by its watcher.
    pub finished: bool,
    /// p(answer | question), with every passage marginalized out: of all that the generator could say, the
    /// share that is this. How often such an answer is right is `confidence`.
    pub probability: f64,
    /// The share of answers like this one that are right, 0 to 1, as it was fitted for the generator on
    /// questions with known answers; `None` when nothing was fitted, or no answer was given.
    pub confidence: Option<f64>,
    /// p("no answer" | question); what it rests on is in `evidence`.
    pub no_answer_probability: f64,
    /// What withholding an answer is decided by, 0 to 1: the odds that each passage read answers, summed. One that is sure to
    /// answer outweighs others that are about something else, which in `no_answer_probability` it does not. See
    /// [`postil_generator::abstention_score`].
    pub abstention_score: f64,
    /// Its tokens, an end token included, each with its log-probability and its posterior over `passages`.
    pub tokens: Vec<AnswerToken>,
    /// Its words, a partition of `text`, weighed against `passages` each.
    pub words: Vec<Span>,
    /// Its clauses, a partition of `words`: these are what passages are credited with.
    pub spans: Vec<Span>,
    /// All passages found for it, highest prior first, the last of them maybe not read (see
    /// [`AskOptions::unread_prior`]); their priors sum to 1, and so do their
    /// posteriors.
    pub passages: Vec<PassagePosterior>,
    /// The passages behind the answer, likeliest first; none when there is no answer.
    pub citations: Vec<Citation>,
    /// What speaks for the likeliest answer, given or withheld; `None` when there was none to choose.
    pub evidence: Option<Evidence>,
    /// Other answers, likeliest first, each with its own citations.
    pub alternatives: Vec<Alternative>,
}

/// A passage that was found for an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct PassagePosterior {
    /// Key of the document.
    pub document: String,
    /// Title of the document; may be empty.
    pub title: String,
    /// Path of the headings that the passage stands under, outermost first; may be empty.
    pub heading: String,
    /// The document's metadata field `_file`, or else its key: what to show a reader.
    pub source: String,
    /// Bytes of the original document.
    pub range: Range<u64>,
    /// Other places that have the same passage.
    pub copies: Vec<Place>,
    /// Exact similarity of question and passage.
    pub score: f32,
    /// The number it was ranked by and its prior is made of; see [`Retrieved`](crate::Retrieved).
    pub relevance: f32,
    /// How well it has the question's words, in [0, 1]; see [`Retrieved`](crate::Retrieved).
    pub words: f32,
    /// p(passage | question), before the answer was known; 0 where it was not read.
    pub prior: f64,
    /// p(passage | question, answer); the prior again when an answer was withheld.
    pub posterior: f64,
    /// Whether its end was left out, at a sentence bound, to fit what the generator reads.
    pub shortened: bool,
}

/// Another answer that was considered.
#[derive(Clone, Debug)]
pub struct Alternative {
    /// The answer.
    pub text: String,
    /// p(text | question).
    pub probability: f64,
    /// The share of answers like this one that are right, see [`Answer::confidence`].
    pub confidence: Option<f64>,
    /// The passages behind it, likeliest first.
    pub citations: Vec<Citation>,
}

/// A passage behind an answer, with the exact probability that it was this one.
#[derive(Clone, Debug)]
pub struct Citation {
    /// Position among [`Answer::passages`].
    pub passage: usize,
    /// Key of the document.
    pub document: String,
    /// Title of the document; may be empty.
    pub title: String,
    /// Path of the headings that the passage stands under, outermost first; may be empty.
    pub heading: String,
    /// The document's metadata field `_file`, or else its key: what to show a reader.
    pub source: String,
    /// Bytes of the original document that the quote covers.
    pub range: Range<u64>,
    /// The line of the original that the quote begins on, from 1, where the original is text as it stands;
    /// `None` for HTML and other documents that text was taken out of.
    pub line: Option<u64>,
    /// The words of the passage that support the answer, verbatim.
    pub quote: String,
    /// Bytes of the original document that the answer itself was copied from, where the generator can tell: by
    /// the posterior of its copy mechanism, not by a search for the words.
    pub copied: Option<Range<u64>>,
    /// p(passage | question, answer); over the passages retrieved these sum to 1.
    pub posterior: f64,
    /// p(passage | question), before the answer was known.
    pub prior: f64,
    /// Other places that have the same passage.
    pub copies: Vec<Place>,
    /// Exact similarity of question and passage.
    pub score: f32,
    /// The number that the passage was ranked by and its prior is made of; see
    /// [`Retrieved`](crate::Retrieved).
    pub relevance: f32,
    /// log p(answer) with all passages less log p(answer) without this one, in nats.
    pub leave_one_out: f64,
}

impl Citation {
    /// The line that says where in the document it is: the headings, or else the title.
    fn headline(&self) -> &str {
        if self.heading.is_empty() { &self.title } else { &self.heading }
    }
}

impl Answer {
    /// The passages behind the answer, likeliest first.
    pub fn citations(&self) -> &[Citation] {
        &self.citations
    }
}
