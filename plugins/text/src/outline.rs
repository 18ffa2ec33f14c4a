//! Outlines, the common form of all formats: sections under a heading path, each a run of segments.
//!
//! An outline states where parts start and end. Segments are the text between two such places, so
//! that text which an outline does not mention is not lost.

use std::ops::Range;

/// Maximum bytes of one heading in a path.
const MAX_HEADING_BYTES: usize = 256;

/// The structure of a text: its headings, and marks where tables, lists and preformatted parts
/// start and end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Headings in order of position; none is inside another.
    headings: Vec<Heading>,
    /// Marks in order of position.
    marks: Vec<Mark>,
}

/// A heading of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Level of the heading, from 1, the outermost.
    pub level: usize,
    /// Text of the heading without markup; at most 256 bytes.
    pub title: String,
    /// Byte range in the text, markup included.
    pub range: Range<usize>,
}

/// A place where the way to cut the text changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Byte position in the text.
    pub at: usize,
    /// The bound at that place.
    pub bound: Bound,
    /// The way to cut the text from there to the next mark.
    pub kind: Kind,
    /// The caption and header to read before a row; `None` for all other kinds.
    pub lead: Option<Lead>,
}

/// Caption and header of a table, in bytes of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lead {
    /// Start of the caption, or of the header when there is no caption.
    pub start: usize,
    /// Start of the header.
    pub header: usize,
    /// End of the header.
    pub end: usize,
}

/// The text under one heading, or before the first.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// Headings from the outermost to its own.
    pub path: Vec<String>,
    /// Parts of the section, in order.
    pub segments: Vec<Segment>,
}

/// A part of a section that is cut in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Byte range in the text; not empty.
    pub range: Range<usize>,
    /// The way to cut the segment.
    pub kind: Kind,
    /// The bound at its start.
    pub bound: Bound,
    /// The caption and header of a row; `None` for all other kinds.
    pub lead: Option<Lead>,
}

/// A way to cut a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Cut between sentences.
    Prose,
    /// Kept whole if it fits a window, else cut between lines.
    Code,
    /// One row of a table, never cut.
    Row,
}

/// A kind of place where a window may end; better places compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// Inside a sentence that is longer than a window.
    Inside,
    /// Between sentences, rows or lines.
    Sentence,
    /// Before a list item.
    Item,
    /// Before a paragraph, a code block, a table or a list.
    Paragraph,
}

impl Outline {
    /// An outline of headings, in order of position, and marks. Of several marks at one position,
    /// the last decides the way to cut, and the best bound is kept.
    #[doc(hidden)]
    pub fn new(headings: Vec<Heading>, mut marks: Vec<Mark>) -> Self {
        marks.sort_by_key(|mark| mark.at);
        marks.dedup_by(|later, kept| {
            let same = later.at == kept.at;
            if same {
                *kept = Mark { bound: kept.bound.max(later.bound), ..*later };
            }
            same
        });
        Self { headings, marks }
    }

    /// Bytes that distinguish this outline from every other outline of a text.
    #[doc(hidden)]
    pub fn digest(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut number = |number: usize| bytes.extend_from_slice(&(number as u64).to_le_bytes());
        for Heading { level, range, .. } in &self.headings {
            [*level, range.start, range.end].into_iter().for_each(&mut number);
        }
        for Mark { at, bound, kind, lead } in &self.marks {
            let lead = lead.map_or([0; 3], |lead| [lead.start, lead.header, lead.end]);
            [*at, *bound as usize, *kind as usize].into_iter().chain(lead).for_each(&mut number);
        }
        number(self.headings.len());
        bytes
    }

    /// Its headings and marks, for a text that is put at byte `by` of another.
    #[doc(hidden)]
    pub fn moved(self, by: usize) -> (Vec<Heading>, Vec<Mark>) {
        let Self { mut headings, mut marks } = self;
        for heading in &mut headings {
            heading.range = heading.range.start + by..heading.range.end + by;
        }
        for mark in &mut marks {
            mark.at += by;
            mark.lead = mark.lead.map(|Lead { start, header, end }| Lead {
                start: start + by,
                header: header + by,
                end: end + by,
            });
        }
        (headings, marks)
    }

    /// Assigns leads to rows, by the rows' start positions, ascending.
    pub(crate) fn lead_rows(&mut self, leads: &[(usize, Lead)]) {
        for mark in self.marks.iter_mut().filter(|mark| mark.kind == Kind::Row) {
            mark.lead = leads.binary_search_by_key(&mark.at, |(at, _)| *at).ok().map(|at| leads[at].1);
        }
    }

    /// Title of the first heading, if it has level 1 and only blanks come before it; `None`
    /// otherwise.
    #[doc(hidden)]
    pub fn opening<'s>(&'s self, text: &str) -> Option<&'s str> {
        let first = self.headings.first()?;
        let opens = first.level == 1 && text.get(..first.range.start)?.trim().is_empty();
        let title = first.title.trim();
        (opens && !title.is_empty()).then_some(title)
    }

    /// True when every position lies in `text`.
    fn fits(&self, text: &str) -> bool {
        let is_place = |at: usize| text.is_char_boundary(at);
        let is_range = |start: usize, end: usize| start <= end && is_place(start) && is_place(end);
        let lead = |lead: Lead| is_range(lead.start, lead.header) && is_range(lead.header, lead.end);
        self.headings.iter().all(|heading| is_range(heading.range.start, heading.range.end))
            && self.headings.is_sorted_by(|a, b| a.range.end <= b.range.start)
            && self.marks.iter().all(|mark| is_place(mark.at) && mark.lead.is_none_or(lead))
    }

    /// The sections of `text`, in order; text before the first heading has an empty path. If the
    /// outline does not belong to `text`, the result is one section of prose.
    ///
    /// A heading directly followed by a deeper heading belongs to that heading's section.
    ///
    /// ```
    /// let text = "# Guide\n\n## Install\n\nRun it.\n\n## Use\n\nAsk.";
    /// let sections = postil_text::outline(text, postil_text::Format::Markdown).sections(text);
    /// let paths: Vec<String> = sections.iter().map(|section| section.path.join(" > ")).collect();
    /// assert_eq!(paths, ["", "Guide > Install", "Guide > Use"]);
    /// ```
    #[doc(hidden)]
    pub fn sections(&self, text: &str) -> Vec<Section> {
        if !self.fits(text) {
            return Self::default().sections(text);
        }
        let mut sections = Vec::with_capacity(self.headings.len() + 1);
        let mut path: Vec<(usize, String)> = Vec::new();
        let mut marks = self.marks.iter().copied().peekable();
        let mut start = 0;
        let mut headings = self.headings.iter().peekable();
        let mut first = true;
        loop {
            let heading = if std::mem::take(&mut first) { None } else { headings.next() };
            let mut end = headings.peek().map_or(text.len(), |next| next.range.start);
            if let Some(heading) = heading {
                enter(&mut path, heading);
                let mut last = heading;
                while let Some(next) = headings.next_if(|next| {
                    next.level > last.level
                        && text[last.range.end.min(next.range.start)..next.range.start].trim().is_empty()
                }) {
                    enter(&mut path, next);
                    last = next;
                    end = headings.peek().map_or(text.len(), |next| next.range.start);
                }
            }
            let mut section =
                Section { path: path.iter().map(|(_, title)| title.clone()).collect(), segments: Vec::new() };
            let mut open = Mark { at: start, bound: Bound::Paragraph, kind: Kind::Prose, lead: None };
            while let Some(mark) = marks.next_if(|mark| mark.at < end) {
                section.close(open, mark.at);
                open = mark;
            }
            section.close(open, end);
            sections.push(section);
            start = end;
            if headings.peek().is_none() {
                return sections;
            }
        }
    }
}

fn enter(path: &mut Vec<(usize, String)>, heading: &Heading) {
    path.retain(|(level, _)| *level < heading.level);
    let title = heading.title.trim();
    if !title.is_empty() {
        path.push((heading.level, title.to_owned()));
    }
}

impl Section {
    fn close(&mut self, open: Mark, end: usize) {
        if open.at < end {
            let Mark { at, bound, kind, lead } = open;
            self.segments.push(Segment { range: at..end, kind, bound, lead });
        }
    }
}

impl Heading {
    /// A heading whose title is added later.
    pub fn new(level: usize, range: Range<usize>) -> Self {
        Self { level, title: String::new(), range }
    }

    /// Adds a part of the title, up to the maximum length of a title. Runs of blanks count as one,
    /// and leading blanks are dropped.
    pub fn extend_title(&mut self, part: &str) {
        let left = MAX_HEADING_BYTES.saturating_sub(self.title.len());
        let is_open = self.title.is_empty() || self.title.ends_with(' ');
        let part = if is_open { part.trim_start() } else { part };
        self.title.push_str(&part[..part.floor_char_boundary(left)]);
    }
}
