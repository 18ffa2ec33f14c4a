//! Questions to answers, with the documents they came from.
//!
//! `postil-generator` computes the answer; this folder maps its passages back to documents and byte
//! ranges, and renders answers.
//!
//! file | responsibility
//! ---|---
//! `options.rs` | options of asking
//! `about.rs` | the subject of a passage
//! `questions.rs` | several questions in one text
//! `sentences.rs` | questions that a phrase does not answer
//! `ask.rs` | a question, or several, to their answers
//! `place.rs` | passages back to documents and byte ranges
//! `stretch.rs` | the text split where its sources change
//! `certainty.rs` | how sure an answer is, in words
//! `render.rs` | text for a terminal: numbered notes, then the sources
//! `markdown.rs` | the same as Markdown, with footnotes
//! `explain.rs` | tokens by passages, spans and evidence as tables

mod about;
mod ask;
mod certainty;
mod explain;
mod markdown;
mod options;
mod place;
mod questions;
mod render;
mod sentences;
mod stretch;

use std::ops::{Deref, Range};

use postil_contract::Locator;
use postil_generator::{Answer as Conclusion, Candidate, Credit};

use crate::Place;

pub(crate) use about::subject;
pub(crate) use ask::{ask, ask_each};
pub use options::{AskOptions, DEFAULT_K};
pub use questions::questions_in;
pub use stretch::Stretch;

/// An answer and where it came from.
///
/// The fields of its [`Conclusion`] can be read as its own: `text`, `mode`, `no_answer`, `withheld`,
/// `finished`, `probability`, `confidence`, `no_answer_probability`, `abstention_score`, `tokens`,
/// `words`, `spans` and `evidence`.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Answer {
    /// The generator's answer, without citations and alternatives: those are the fields below.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub conclusion: Conclusion,
    /// Name of the generator that answered, or withheld its answer.
    pub generator: String,
    /// All passages found for it, highest prior first, the last ones possibly unread (see
    /// [`AskOptions::unread_prior`]); their priors sum to 1, and so do their posteriors.
    pub passages: Vec<PassagePosterior>,
    /// The passages behind the answer, likeliest first; empty when there is no answer.
    pub citations: Vec<Citation>,
    /// Other answers, likeliest first, each with its own citations.
    pub alternatives: Vec<Alternative>,
}

impl Deref for Answer {
    type Target = Conclusion;

    fn deref(&self) -> &Conclusion {
        &self.conclusion
    }
}

/// Another answer that was considered.
pub type Alternative = Candidate<Citation>;

/// A passage that was found for an answer.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PassagePosterior {
    /// Key of the document.
    pub document: String,
    /// Title of the document; may be empty.
    pub title: String,
    /// Path of the headings that the passage stands under, outermost first; may be empty.
    pub heading: String,
    /// The document's metadata field `_file`, or else its key: the name to show a reader.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub source: String,
    /// Bytes of the original document.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialize::bounds"))]
    pub range: Range<u64>,
    /// Page, slide, cells or paragraph of the passage; `None` for a format without.
    pub locator: Option<Locator>,
    /// Other places that have the same passage.
    pub copies: Vec<Place>,
    /// Exact similarity of question and passage.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialize::wide"))]
    pub score: f32,
    /// Score that it was ranked by and its prior is computed from; see
    /// [`Retrieved`](crate::Retrieved).
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialize::wide"))]
    pub relevance: f32,
    /// Word score for the question, in [0, 1]; see [`Retrieved`](crate::Retrieved).
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialize::wide"))]
    pub words: f32,
    /// p(passage | question), before the answer was known; 0 for an unread passage.
    pub prior: f64,
    /// p(passage | question, answer); equal to the prior when the answer was withheld.
    pub posterior: f64,
    /// True when its end was left out, at a sentence bound, to fit the generator's window.
    pub shortened: bool,
    /// Text of the passage; not in its serialization.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub text: String,
}

/// A passage behind an answer, with the exact probability that it was this one.
///
/// The fields of its [`Credit`] can be read as its own: `passage`, its position among
/// [`Answer::passages`], `posterior`, p(passage | question, answer), `prior` and `leave_one_out`.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Citation {
    /// Its share in the answer; over the passages retrieved the posteriors sum to 1.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub credit: Credit,
    /// Key of the document.
    pub document: String,
    /// Title of the document; may be empty.
    pub title: String,
    /// Path of the headings that the passage stands under, outermost first; may be empty.
    pub heading: String,
    /// The document's metadata field `_file`, or else its key: the name to show a reader.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub source: String,
    /// Bytes of the original document that the quote covers.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialize::bounds"))]
    pub range: Range<u64>,
    /// Line of the original on which the quote begins, from 1; `None` for HTML and other documents
    /// whose text was extracted.
    pub line: Option<u64>,
    /// Page, slide, cells or paragraph that the quote stands on; `None` for a format without.
    pub locator: Option<Locator>,
    /// The words of the passage that support the answer, verbatim.
    pub quote: String,
    /// Bytes of the original document that the answer was copied from, by the posterior of the
    /// generator's copy mechanism, not by a search for the words; `None` when the generator cannot
    /// tell.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialize::bounds_if_any"))]
    pub copied: Option<Range<u64>>,
    /// Other places that have the same passage.
    pub copies: Vec<Place>,
    /// Exact similarity of question and passage.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialize::wide"))]
    pub score: f32,
    /// Score that the passage was ranked by and its prior is computed from; see
    /// [`Retrieved`](crate::Retrieved).
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialize::wide"))]
    pub relevance: f32,
}

impl Deref for Citation {
    type Target = Credit;

    fn deref(&self) -> &Credit {
        &self.credit
    }
}

impl Citation {
    /// Its place in the document in words: the headings, or else the title.
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
