//! The parts of a text: its structure, its sentences, its words, and where it is cut. All of them are ranges
//! of its bytes, on character boundaries; nothing here knows of a model, of storage or of a tokenizer but
//! what it is given.
//!
//! There are two ways to read a text. [`outline`] is for a whole document whose format is known, and says
//! where its headings, tables, lists and code are. [`sentences`] is for a passage, which is a part of some
//! document: its format is not known, and the fence or header that its lines belong to may be in another
//! passage.
//!
//! file | responsibility
//! ---|---
//! `format.rs` | how a document is written
//! `markdown.rs` | headings, code, tables and list items of Markdown
//! `outline.rs` | the structure of a document: sections of segments
//! `paragraph.rs` | the parts between blank lines
//! `passage.rs` | the sentences of a passage
//! `block.rs` | paragraphs, headings, list items, table rows and fenced blocks of a passage
//! `sentence.rs` | sentence bounds of UAX #29 in a paragraph, corrected
//! `abbreviation.rs` | bounds that end no sentence
//! `split.rs` | parts of a text that is too long for a window
//! `cut.rs` | the best place to cut: a clause, a word
//! `span.rs` | ranges without blank edges
//! `words.rs` | words, however they are written, and texts without any

mod abbreviation;
mod block;
mod cut;
mod format;
mod markdown;
mod outline;
mod paragraph;
mod passage;
mod sentence;
mod span;
mod split;
mod words;

pub use block::SentenceKind;
pub use cut::ends_clause;
pub use format::{Format, outline};
pub use markdown::markdown_title;
pub use outline::{Bound, Heading, Kind, Lead, Mark, Outline, Section, Segment};
pub use paragraph::paragraphs;
pub use passage::{Sentence, sentences};
pub use sentence::paragraph_sentences;
pub use span::trim;
pub use split::{Part, Room, split};
pub use words::{each_word, has_word};
