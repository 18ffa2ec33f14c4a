//! What both formats are turned into: sections under a heading path, each a run of segments.
//!
//! Segments are in order and leave out nothing but blanks.

use std::ops::Range;

/// The text under one heading, or before the first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// Headings from the outermost to its own.
    pub(super) path: Vec<String>,
    pub(super) segments: Vec<Segment>,
}

impl Section {
    /// The whole of a text as prose.
    pub(super) fn untitled(text: &str) -> Self {
        let segment = Segment { range: 0..text.len(), kind: Kind::Prose, bound: Bound::Paragraph };
        Self { path: Vec::new(), segments: vec![segment] }
    }
}

/// A part of a section that is cut in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
    /// What stands at its start.
    pub(super) bound: Bound,
}

/// How a segment may be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Between sentences.
    Prose,
    /// Whole where it fits a window, else between lines.
    Code,
    /// One row of a table: whole.
    Row,
}

/// A place where a window may end, the better ones greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bound {
    /// Inside a sentence that no window holds.
    Inside,
    /// Between sentences, rows or lines.
    Sentence,
    /// Before a list item.
    Item,
    /// Before a paragraph, a code block, a table or a list.
    Paragraph,
}
