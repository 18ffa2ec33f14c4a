//! An embedded vector database with a RAG generator plugin: documents in, grounded answers out, on
//! your own machine.
//!
//! Each citation of an answer is the exact posterior p(passage | question, answer): the passages
//! are latent variables that are marginalized out as in Lewis et al. 2020 (arXiv 2005.11401), so
//! their probabilities fall out of the arithmetic that made the answer.
//!
//! ```
//! # #[cfg(feature = "generator")] {
//! # use std::sync::Arc;
//! use postil::{Database, Document};
//! # let home = tempfile::tempdir()?;
//! # std::env::set_current_dir(&home)?;
//! # // The built-in stand-in for an encoder; without it, the installed all-MiniLM-L6-v2 is used.
//! # let encoder = Arc::new(postil::HashEncoder::default());
//! # let open = |path| Database::options().encoder(encoder.clone()).open(path);
//! # /*
//! let db = Database::open("handbook.postil")?;
//! # */
//! # let db = open("handbook.postil")?;
//! db.ingest(Document::new("leave.txt", "Every parent gets forty days of parental leave."))?;
//! db.ingest(Document::new("travel.txt", "Trains are booked by the front desk."))?;
//!
//! let answer = db.ask("How many days of parental leave does a parent get?")?;
//! println!("{answer}");
//! for citation in answer.citations() {
//!     println!("{} {:?} {:.2}", citation.source, citation.range, citation.posterior);
//! }
//! # assert!(answer.text.contains("forty"));
//! # assert_eq!(answer.citations()[0].document, "leave.txt");
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With `default-features = false` there is no model code at all: a database of `(key, vector,
//! metadata)`.
//!
//! ```
//! use postil::{Database, Metadata, Metric, Row, SearchOptions};
//! # let home = tempfile::tempdir()?;
//! # let path = home.path().join("colors.postil");
//!
//! let db = Database::options().vectors(3, Metric::L2).open(&path)?;
//! db.upsert([
//!     Row { key: "red".into(), vector: vec![1.0, 0.0, 0.0], metadata: Metadata::new() },
//!     Row { key: "sky".into(), vector: vec![0.5, 0.7, 1.0], metadata: Metadata::new() },
//! ])?;
//! let options = SearchOptions::new(1);
//! assert_eq!(db.search_vector(&[0.4, 0.6, 0.9], &options)?[0].key, "sky");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! file or folder | responsibility
//! ---|---
//! `database/`, `options.rs` | the database with all its methods; it alone sees store, encoder and generator
//! `encoding.rs`, `locating.rs`, `tried.rs` | the encoder of a database, the search for it, and the places where it was not found
//! `generating.rs` | generators by name
//! `document.rs`, `extract/` | documents, and the extraction of their text
//! `chunk/` | documents into passages
//! `origin/` | the file that a document was read from
//! `ingest/` | the pipeline: read and chunk, embed, commit
//! `retrieve/`, `answer/` | questions in, passages and answers out
//! `exchange/` | export and import as files that other programs read
//! `warm.rs` | passages read before a question is asked
//! `backup.rs`, `rebuild.rs` | copies, and the repair of a damaged database
//! `reencode.rs`, `adapt.rs` | another encoder for a database, and one that learned from its documents
//! `error.rs`, `kind.rs`, `causes.rs` | errors, and what a caller can do about them
//! `watch.rs` | progress of long work, and its cancellation
//! `setters.rs` | setters of options
//! `serialize.rs` | forms of `--json` that differ from those of `serde`
//! `plugin.rs` | the traits of encoders and generators, and their types
//! `serve/` | the database over HTTP and MCP
//! `models.rs` | models on this machine, and fetching them
//! `bin/postil/` | the command

/// The example of the README, which the tests compile.
#[cfg(all(doctest, feature = "generator"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// The examples of the page about use, compiled likewise.
#[cfg(all(doctest, feature = "generator"))]
#[doc = include_str!("../docs/usage.md")]
struct Usage;

#[cfg(feature = "train")]
mod adapt;
#[cfg(feature = "generator")]
mod answer;
mod backup;
mod causes;
mod database;
#[cfg(feature = "encoder")]
mod document;
#[cfg(feature = "encoder")]
mod encoding;
mod error;
#[cfg(feature = "generator")]
mod generating;
mod kind;
#[cfg(feature = "encoder")]
mod locating;
mod options;
#[cfg(feature = "encoder")]
mod origin;
mod rebuild;
#[cfg(feature = "encoder")]
mod reencode;
#[cfg(feature = "encoder")]
mod retrieve;
#[cfg(all(feature = "serde", feature = "encoder"))]
mod serialize;
#[cfg(feature = "encoder")]
mod setters;
#[cfg(feature = "encoder")]
mod tried;
#[cfg(feature = "generator")]
mod warm;
mod watch;

#[cfg(feature = "encoder")]
pub mod chunk;
#[cfg(feature = "generator")]
pub mod evaluate;
#[cfg(feature = "encoder")]
pub mod exchange;
#[cfg(feature = "encoder")]
pub mod extract;
#[cfg(feature = "encoder")]
pub mod ingest;
#[cfg(feature = "encoder")]
pub mod models;
pub mod plugin;
#[cfg(feature = "serve")]
pub mod serve;

#[cfg(feature = "train")]
pub use adapt::{Adaptation, adapt};
#[cfg(feature = "generator")]
pub use answer::{
    Alternative, Answer, AskOptions, Citation, DEFAULT_K, PassagePosterior, Stretch, questions_in,
};
pub use backup::Copied;
pub use causes::with_causes;
pub use database::{Database, ReadOnlyDatabase, Row};
#[cfg(feature = "encoder")]
pub use document::Document;
#[cfg(feature = "encoder")]
pub use encoding::{DEFAULT_MODEL, open_model};
pub use error::Error;
#[cfg(feature = "generator")]
pub use generating::{AUTO, DEFAULT_GENERATOR, GENERATORS, open_generator};
#[cfg(feature = "encoder")]
pub use options::DEFAULT_MAX_QUESTION_BYTES;
pub use options::Options;
pub use postil_contract::{Locator, PageBox, Places, PlacesError, Spot};
#[cfg(feature = "encoder")]
pub use postil_encoder::{BertEncoder, EncoderError, HashEncoder};
#[cfg(feature = "generator")]
pub use postil_generator::{
    Answer as Conclusion, AnswerToken, Basis, BeamOptions, Candidate, Citation as PassageCitation, Credit,
    DEFAULT_BEAMS, DEFAULT_CREDIT_LOG_RATIO, DEFAULT_CREDIT_POSTERIOR, DEFAULT_MAX_TOKENS,
    DEFAULT_MIN_EVIDENCE, DEFAULT_NO_ANSWER_SIMILARITY, DEFAULT_UNDECODED_POSTERIOR, DEFAULT_UNREAD_PRIOR,
    Decode, DecodeError, Disagreement, EarlyStopping, Evidence, LanguageGenerator, LoadError, Mode,
    ModeError, QuoteGenerator, Sampling, Span, Withheld,
};
pub use postil_storage::{
    Batch, Committed, DEFAULT_RECALL, Damage, Decimal, Document as StoredDocument, DocumentWrite, Effort,
    Embed, EmbedError, ErrorKind, Extent, Filter, Hit, Lost, Metadata, Metric, NameError, OnStep, Operator,
    Passage as StoredPassage, PassageWrite, Precision, Profile, Rebuilt, Recall, SearchOptions, Stat, Step,
    StorageError, Store, StoreOptions, Value, json,
};
#[cfg(feature = "encoder")]
pub use reencode::Reencoded;
#[cfg(feature = "encoder")]
pub use retrieve::{DEFAULT_CANDIDATES, DEFAULT_WORDS_WEIGHT, Place, RetrieveOptions, Retrieved, has_word};
#[cfg(feature = "encoder")]
pub use tried::Tried;
#[cfg(feature = "generator")]
pub use warm::{DEFAULT_WARM_BYTES, Warmed};
pub use watch::{Cancel, Progress, Watch};

/// Training: options and figures of [`adapt`], and the parts it is made of.
#[cfg(feature = "train")]
pub use postil_training as training;
