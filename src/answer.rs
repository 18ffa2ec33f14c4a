use std::fmt;
use std::ops::Range;

use postil_contract::Passage;
use postil_generator::{AnswerOptions, Mode, Retrieved};
use postil_storage::{Filter, Hit, SearchOptions, Value};

use crate::extract::OffsetMap;
use crate::ingest::FILE_FIELD;
use crate::{Database, Error};

/// How a question is answered.
#[derive(Clone, Debug)]
pub struct AskOptions {
    /// k: passages the answer is marginalized over, at least 1.
    pub k: usize,
    /// RAG-Sequence or RAG-Token (Lewis et al. 2020, section 2.1).
    pub mode: Mode,
    /// Only passages of documents that pass.
    pub filter: Option<Filter>,
    /// The s of p(z|x) = softmax_z(s * score); by default the encoder's own.
    pub score_scale: Option<f32>,
}

impl AskOptions {
    /// k when none is given.
    pub const DEFAULT_K: usize = 5;
}

impl Default for AskOptions {
    fn default() -> Self {
        Self { k: Self::DEFAULT_K, mode: Mode::Sequence, filter: None, score_scale: None }
    }
}

/// An answer and where it came from.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The answer; empty when there is none.
    pub text: String,
    /// How the passages were marginalized out.
    pub mode: Mode,
    /// Whether "no answer" was the likeliest answer.
    pub no_answer: bool,
    /// p(answer | question), with every passage marginalized out.
    pub probability: f64,
    /// p("no answer" | question).
    pub no_answer_probability: f64,
    /// The passages behind the answer, likeliest first; none when there is no answer.
    pub citations: Vec<Citation>,
    /// Other answers, likeliest first, each with its own citations.
    pub alternatives: Vec<Alternative>,
}

/// Another answer that was considered.
#[derive(Clone, Debug)]
pub struct Alternative {
    /// The answer.
    pub text: String,
    /// p(text | question).
    pub probability: f64,
    /// The passages behind it, likeliest first.
    pub citations: Vec<Citation>,
}

/// A passage behind an answer, with the exact probability that it was this one.
#[derive(Clone, Debug)]
pub struct Citation {
    /// Key of the document.
    pub document: String,
    /// Its title; may be empty.
    pub title: String,
    /// The document's metadata field `_file`, or else its key: what to show a reader.
    pub source: String,
    /// Bytes of the original document that the quote covers.
    pub range: Range<u64>,
    /// The words of the passage that support the answer.
    pub quote: String,
    /// p(passage | question, answer); over the passages retrieved these sum to 1.
    pub posterior: f64,
    /// p(passage | question), before the answer was known.
    pub prior: f64,
    /// Exact similarity of question and passage.
    pub score: f32,
    /// log p(answer) with all passages less log p(answer) without this one, in nats.
    pub leave_one_out: f64,
}

impl Database {
    /// Answers a question from the documents, with citations.
    ///
    /// # Errors
    /// As [`Database::ask_with`].
    pub fn ask(&self, question: &str) -> Result<Answer, Error> {
        self.ask_with(question, &AskOptions::default())
    }

    /// Answers a question from the documents, with citations.
    ///
    /// A database with nothing to answer from gives an [`Answer`] that says so, not an error.
    ///
    /// # Errors
    /// [`Error::EmptyQuestion`]; [`Error::Storage`] when k is 0; [`Error::Encode`] when the question is
    /// longer than the model reads; [`Error::Generate`] when the generator fails.
    pub fn ask_with(&self, question: &str, options: &AskOptions) -> Result<Answer, Error> {
        let search = SearchOptions { filter: options.filter.clone(), ..SearchOptions::new(options.k) };
        let hits = self.search(question, &search)?;
        if hits.is_empty() {
            return Ok(Answer::none(options.mode));
        }
        let passages: Vec<Retrieved<'_>> = hits
            .iter()
            .map(|hit| Retrieved {
                passage: Passage { title: &hit.passage_title, text: &hit.text },
                score: hit.score,
            })
            .collect();
        let scale = options.score_scale.unwrap_or(self.encoder()?.profile().score_scale);
        let options = AnswerOptions { mode: options.mode, ..AnswerOptions::new(scale) };
        let answer = postil_generator::answer(&*self.generator()?, question, &passages, &options)?;
        Answer::new(self, &hits, answer)
    }
}

impl Answer {
    fn none(mode: Mode) -> Self {
        Self {
            text: String::new(),
            mode,
            no_answer: true,
            probability: 0.0,
            no_answer_probability: 1.0,
            citations: Vec::new(),
            alternatives: Vec::new(),
        }
    }

    /// The passages behind the answer, likeliest first.
    pub fn citations(&self) -> &[Citation] {
        &self.citations
    }

    fn new(db: &Database, hits: &[Hit], answer: postil_generator::Answer) -> Result<Self, Error> {
        let place = |citations: Vec<postil_generator::Citation>| -> Result<Vec<Citation>, Error> {
            citations
                .into_iter()
                .map(|citation| Citation::new(db, &hits[citation.passage], citation))
                .collect()
        };
        let mut alternatives = Vec::with_capacity(answer.alternatives.len());
        for other in answer.alternatives {
            alternatives.push(Alternative {
                text: other.text,
                probability: other.probability,
                citations: place(other.citations)?,
            });
        }
        Ok(Self {
            text: answer.text,
            mode: answer.mode,
            no_answer: answer.no_answer,
            probability: answer.probability,
            no_answer_probability: answer.no_answer_probability,
            citations: place(answer.citations)?,
            alternatives,
        })
    }
}

impl Citation {
    /// Puts a citation of a passage back into its document.
    fn new(db: &Database, hit: &Hit, citation: postil_generator::Citation) -> Result<Self, Error> {
        let within = citation.range;
        let start = hit.range.start as usize;
        let in_text = start + within.start..start + within.end;
        let stored = db.get(&hit.key)?;
        let map = stored.as_ref().map(|stored| stored.source_map.as_slice()).filter(|map| !map.is_empty());
        let range = match map {
            None => in_text,
            Some(bytes) => OffsetMap::from_bytes(bytes)
                .map_err(|source| Error::OffsetMap { key: hit.key.clone(), source })?
                .source_range(in_text),
        };
        let file = stored.as_ref().and_then(|stored| match stored.metadata.get(FILE_FIELD) {
            Some(Value::String(file)) => Some(file.clone()),
            _ => None,
        });
        Ok(Self {
            document: hit.key.clone(),
            title: hit.passage_title.clone(),
            source: file.unwrap_or_else(|| hit.key.clone()),
            range: range.start as u64..range.end as u64,
            quote: citation.quote,
            posterior: citation.posterior,
            prior: citation.prior,
            score: citation.score,
            leave_one_out: citation.leave_one_out,
        })
    }
}

impl fmt::Display for Answer {
    /// The answer with its notes, then the sources.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.no_answer {
            write!(f, "No answer found (probability {:.2}).", self.no_answer_probability)?;
            if let Some(nearest) = self.alternatives.first() {
                write!(f, "\nNearest: {:?} (probability {:.2})", nearest.text, nearest.probability)?;
                sources(f, &nearest.citations)?;
            }
            return Ok(());
        }
        f.write_str(self.text.trim())?;
        for note in 1..=self.citations.len() {
            write!(f, " [{note}]")?;
        }
        sources(f, &self.citations)
    }
}

fn sources(f: &mut fmt::Formatter<'_>, citations: &[Citation]) -> fmt::Result {
    if !citations.is_empty() {
        f.write_str("\n")?;
    }
    for (note, citation) in citations.iter().enumerate() {
        let Citation { source, document, range, posterior, .. } = citation;
        write!(f, "\n[{}] {source}", note + 1)?;
        if document != source {
            write!(f, " ({document})")?;
        }
        write!(f, ", bytes {}-{}, posterior {posterior:.2}", range.start, range.end)?;
        if !citation.title.is_empty() {
            write!(f, "\n    {}", citation.title)?;
        }
        write!(f, "\n    \u{201c}{}\u{201d}", citation.quote.trim())?;
    }
    Ok(())
}
