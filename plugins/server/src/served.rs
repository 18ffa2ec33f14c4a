//! A database as the server sees it: the trait [`Served`] and the types that cross it.
//!
//! Answers, hits and counts carry the JSON that the command prints with `--json`, made by whoever
//! implements the trait, so that the two can never differ. Beside it stand the few fields that the
//! other protocols need.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::value::RawValue;

use crate::Failure;

/// JSON that is passed on unread.
pub type Json = Box<RawValue>;

/// Facts of a database that do not change while it is open.
#[derive(Clone, Debug)]
pub struct About {
    /// Name of its encoder; `None` for bare vectors.
    pub encoder: Option<String>,
    /// Components of its vectors.
    pub dimension: usize,
    /// Name of its generator.
    pub generator: String,
    /// True when documents may be added and removed.
    pub is_writable: bool,
    /// True when it shows what another process published.
    pub is_published: bool,
}

/// Target of a search.
#[derive(Clone, Debug)]
pub enum Query {
    /// A text.
    Text(String),
    /// A vector of as many components as the database's.
    Vector(Vec<f32>),
}

/// A search.
#[derive(Clone, Debug)]
pub struct Search {
    /// Target of the search.
    pub query: Query,
    /// Number of hits; `None` for the library's default.
    pub k: Option<usize>,
    /// Filter over metadata, in the library's language.
    pub filter: Option<String>,
    /// Share of the nearest passages to find, from 0 to 1; `None` for the default.
    pub recall: Option<f32>,
    /// True to look at every vector.
    pub exact: bool,
    /// Passages ranked by their words as well; `None` for the default.
    pub candidates: Option<usize>,
    /// Nats that words add at most; `None` for the default.
    pub words_weight: Option<f32>,
}

impl Search {
    /// A search with the defaults.
    #[must_use]
    pub fn new(query: Query) -> Self {
        let (k, filter, recall, candidates, words_weight) = (None, None, None, None, None);
        Self { query, k, filter, recall, exact: false, candidates, words_weight }
    }
}

/// A passage that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Key of its document.
    pub document: String,
    /// The document's title; may be empty.
    pub title: String,
    /// Text of the passage.
    pub text: String,
    /// Similarity to the query.
    pub score: f32,
    /// Bytes of the original document.
    pub range: Range<u64>,
    /// The document's metadata, an object.
    pub metadata: Json,
    /// The hit as `search --json` prints it.
    pub json: Json,
}

/// A question.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// One question or several.
    pub question: String,
    /// Passages that the answer is marginalized over; `None` for the default.
    pub k: Option<usize>,
    /// Filter over metadata.
    pub filter: Option<String>,
    /// `sequence` or `token`; `None` for the default.
    pub mode: Option<String>,
    /// Decoding, as `--decode` has it; `None` for the default.
    pub decode: Option<String>,
    /// Longest answer, in tokens; `None` for the default.
    pub max_tokens: Option<usize>,
    /// Abstention score above which an answer is withheld; `None` for the default.
    pub no_answer_threshold: Option<f64>,
    /// Least probability of being right; `None` for the default.
    pub min_probability: Option<f64>,
    /// Least evidence in nats; `None` for the default.
    pub min_evidence: Option<f64>,
    /// True when tokens are to be given as they are chosen.
    pub streams: bool,
}

/// A token of an answer that is being written.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    /// Number of the question that it answers, from 0.
    pub question: usize,
    /// Text of the token.
    pub text: &'a str,
    /// Natural log of its probability.
    pub log_prob: f64,
    /// Probability that it came from each passage.
    pub posterior: &'a [f64],
}

/// Receives tokens; `Break` ends the answer.
pub type Watch<'a> = dyn FnMut(&Token<'_>) -> ControlFlow<()> + 'a;

/// The answer to one question.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The question.
    pub question: String,
    /// Text of the answer; empty when there is none.
    pub text: String,
    /// The reason that no answer is given; `None` when one is.
    pub withheld: Option<String>,
    /// Tokens of the answer.
    pub tokens: usize,
    /// Passages behind it.
    pub citations: Vec<Cited>,
    /// The answer as `ask --json` prints it.
    pub json: Json,
}

/// A passage behind an answer.
#[derive(Clone, Debug)]
pub struct Cited {
    /// Key of its document.
    pub document: String,
    /// The document's title; may be empty.
    pub title: String,
    /// Words of the document, verbatim.
    pub quote: String,
    /// Bytes of the original document that the quote stands at.
    pub range: Range<u64>,
    /// Probability that the answer came from the passage.
    pub posterior: f64,
    /// Bytes of the answer that are credited to the passage.
    pub words: Vec<Range<usize>>,
}

/// A stored document.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its title; may be empty.
    pub title: String,
    /// Its text.
    pub text: String,
    /// Its metadata, an object.
    pub metadata: Json,
    /// The document as `get --json` prints it.
    pub json: Json,
}

/// A page of documents that is asked for.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Beginning of the keys.
    pub prefix: String,
    /// Key after which the page begins; `None` for the first page.
    pub after: Option<String>,
    /// Documents on the page, at most.
    pub limit: usize,
}

/// A document on a page.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its title; may be empty.
    pub title: String,
    /// Bytes of its text.
    pub text_bytes: u64,
    /// Its metadata, an object.
    pub metadata: Json,
}

/// Form of a document that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Plain text.
    Plain,
    /// Markdown.
    Markdown,
    /// HTML.
    Html,
    /// One JSON object with `id` and `text` on each line.
    Records,
}

/// A document, or a file of records, that comes in.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Key of the document; of records, the name to report them by.
    pub key: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Form of the bytes; `None` to tell by the ending of the key.
    pub form: Option<Form>,
    /// Its title; `None` for that of the document itself.
    pub title: Option<String>,
    /// Its metadata, an object; `None` for none.
    pub metadata: Option<Json>,
}

/// Numbers that long work counts up while others read them.
#[derive(Debug, Default)]
pub struct Progress {
    /// Documents read so far.
    pub documents_read: AtomicU64,
    /// Documents that are durable.
    pub documents_committed: AtomicU64,
    /// Passages embedded so far.
    pub passages_embedded: AtomicU64,
    /// True once the work is to end early.
    pub is_cancelled: AtomicBool,
}

impl Progress {
    /// Asks the work to end early.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }
}

/// Keys that were removed, and those that were not there.
#[derive(Clone, Debug, Default)]
pub struct Removed {
    /// Number of documents removed.
    pub removed: usize,
    /// Keys without a document.
    pub absent: Vec<String>,
}

/// A database that can be served. Methods block; the server calls them where blocking is allowed.
pub trait Served: Send + Sync + 'static {
    /// Facts that do not change.
    fn about(&self) -> About;

    /// Loads the models, so that the first question does not wait for them.
    ///
    /// # Errors
    /// When a model is missing or damaged.
    fn warm(&self) -> Result<(), Failure>;

    /// Finds passages, best first.
    ///
    /// # Errors
    /// For a bad query, filter or option, and when the search fails.
    fn search(&self, search: &Search) -> Result<Vec<Found>, Failure>;

    /// Answers each question of a text; `watch` receives the tokens.
    ///
    /// # Errors
    /// For a bad question, filter or option, and when a model fails.
    fn ask(&self, ask: &Ask, watch: &mut Watch<'_>) -> Result<Vec<Answered>, Failure>;

    /// The document of a key; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    fn document(&self, key: &str) -> Result<Option<Stored>, Failure>;

    /// Passages of a document as `get --passages --json` prints them; `None` if there is none.
    ///
    /// # Errors
    /// When they cannot be read.
    fn passages(&self, key: &str) -> Result<Option<Json>, Failure>;

    /// A page of documents, in the order of their keys.
    ///
    /// # Errors
    /// When they cannot be read.
    fn documents(&self, listing: &Listing) -> Result<Vec<Listed>, Failure>;

    /// Counts and sizes as `stat --json` prints them.
    ///
    /// # Errors
    /// When they cannot be read.
    fn stat(&self) -> Result<Json, Failure>;

    /// Vectors of texts: as questions when `as_questions`, otherwise as passages.
    ///
    /// # Errors
    /// For a text that the encoder does not take, and without an encoder.
    fn embed(&self, texts: &[String], as_questions: bool) -> Result<Vec<Vec<f32>>, Failure>;

    /// Adds or replaces documents, and returns the report that `ingest --json` prints once they are
    /// durable.
    ///
    /// # Errors
    /// When nothing could be stored; documents that were refused are in the report.
    fn ingest(&self, documents: Vec<Incoming>, progress: &Arc<Progress>) -> Result<Json, Failure>;

    /// Removes documents; durable when it returns.
    ///
    /// # Errors
    /// When that fails.
    fn remove(&self, keys: &[String]) -> Result<Removed, Failure>;

    /// Writes everything anew; as `compact --json` prints it.
    ///
    /// # Errors
    /// When that fails; nothing is lost then.
    fn compact(&self, progress: &Arc<Progress>) -> Result<Json, Failure>;

    /// Shows the present state to readers in other processes; as `publish --json` prints it.
    ///
    /// # Errors
    /// When that fails; what was published before stays.
    fn publish(&self) -> Result<Json, Failure>;

    /// Copies the database to a folder that must not exist; as `backup --json` prints it.
    ///
    /// # Errors
    /// When that fails; nothing is left there then.
    fn backup(&self, to: &Path, progress: &Arc<Progress>) -> Result<Json, Failure>;

    /// Finishes what is due before the end of the program.
    ///
    /// # Errors
    /// When that fails.
    fn finish(&self) -> Result<(), Failure>;
}
