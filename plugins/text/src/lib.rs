//! The parts of a text: its structure, its sentences, its words, and its cuts. All are byte ranges
//! on character boundaries. Nothing here depends on a model, on storage or on a tokenizer except as
//! a parameter.
//!
//! There are two ways to read a text. [`outline`] is for a whole document whose format is known,
//! and finds its headings, tables, lists and code. [`sentences`] is for a passage, which is a part
//! of some document: its format is not known, and the fence or header that its lines belong to may
//! be in another passage.
//!
//! file | responsibility
//! ---|---
//! `format.rs` | the format of a document
//! `markdown.rs` | headings, code, tables and list items of Markdown
//! `outline.rs` | the structure of a document: sections of segments
//! `paragraph.rs` | the parts between blank lines
//! `passage.rs` | the sentences of a passage
//! `block.rs` | paragraphs, headings, list items, table rows and fenced blocks of a passage
//! `sentence.rs` | corrected sentence bounds of UAX #29 in a paragraph
//! `abbreviation.rs` | sentence bounds to ignore
//! `split.rs` | parts of a text that is too long for a window
//! `cut.rs` | the best place to cut: a clause, a word
//! `span.rs` | ranges without blank edges
//! `words.rs` | words in normal form, and texts without words

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
