//! Text with its offset map, breaks and prefixes put in late.
//!
//! A break is only written when text follows, so that there are never two in a row nor any at the
//! ends, and what is put in stands at the source place of the text it comes before.

use std::ops::Range;

use crate::offset::OffsetMap;

/// The gap between the last text and the next; stronger gaps compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    None,
    Blank,
    Cell,
    Line,
    Paragraph,
}

#[derive(Debug)]
pub(super) struct Writer<'s> {
    source: &'s str,
    text: String,
    map: OffsetMap,
    gap: Gap,
    /// Source range of the blanks that [`Gap::Blank`] stands for.
    blanks: Range<usize>,
    prefix: String,
    /// Bars between cells that stand after the gap.
    bars: usize,
    /// Places of spots; `None` for the last ones, which no text has followed yet.
    spots: Vec<Option<usize>>,
    /// Spots that have a place.
    placed: usize,
}

/// A place right before the next text, resolved when that text comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot(usize);

impl<'s> Writer<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        let map = OffsetMap::default();
        Self {
            source,
            text: String::new(),
            map,
            gap: Gap::None,
            blanks: 0..0,
            prefix: String::new(),
            bars: 0,
            spots: Vec::new(),
            placed: 0,
        }
    }

    /// Asks for a gap of at least this strength before the next text; not between a prefix and its
    /// text.
    pub(super) fn gap(&mut self, gap: Gap) {
        if self.prefix.is_empty() {
            self.gap = self.gap.max(gap);
        }
    }

    /// Asks for this gap before the next text, in place of any asked for before.
    pub(super) fn begin(&mut self, gap: Gap) {
        if self.prefix.is_empty() {
            (self.gap, self.bars) = (gap, 0);
        }
    }

    /// Moves the next text this many cells further in its row.
    pub(super) fn bars(&mut self, count: usize) {
        if self.prefix.is_empty() && count > 0 {
            self.bars += count;
            if matches!(self.gap, Gap::Blank | Gap::Cell) {
                self.gap = Gap::None;
            }
        }
    }

    /// The place where the next text will begin, with its prefix.
    pub(super) fn spot(&mut self) -> Spot {
        self.spots.push(None);
        Spot(self.spots.len() - 1)
    }

    /// Byte of the text that a spot came to be at; `None` where no text followed.
    pub(super) fn place(&self, Spot(at): Spot) -> Option<usize> {
        self.spots.get(at).copied().flatten()
    }

    /// Bytes written.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Puts `prefix` before the next text.
    pub(super) fn prefix(&mut self, prefix: String) {
        self.prefix = prefix;
    }

    /// Drops the prefix if no text followed; returns `true` when there was one.
    pub(super) fn drop_prefix(&mut self) -> bool {
        !std::mem::take(&mut self.prefix).is_empty()
    }

    /// Writes the blanks at `range` as one.
    pub(super) fn blank(&mut self, range: Range<usize>) {
        if self.gap == Gap::None && self.bars == 0 && self.prefix.is_empty() {
            self.gap = Gap::Blank;
            self.blanks = range;
        }
    }

    /// Writes text copied from the source.
    pub(super) fn verbatim(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.write_gap(range.start);
            self.map.push_verbatim(range.start, range.len());
            self.text.push_str(&self.source[range]);
        }
    }

    /// Writes text that stands for a source range.
    pub(super) fn decoded(&mut self, text: &str, range: Range<usize>) {
        if !text.is_empty() {
            self.write_gap(range.start);
            self.map.push_decoded(text.len(), range);
            self.text.push_str(text);
        }
    }

    /// Ends a line with `text` on a line of its own, at the source place `at`.
    pub(super) fn close(&mut self, text: &str, at: usize) {
        if !self.text.ends_with('\n') {
            self.insert("\n", at);
        }
        self.insert(text, at);
    }

    pub(super) fn finish(self) -> (String, OffsetMap) {
        (self.text, self.map)
    }

    fn write_gap(&mut self, at: usize) {
        let gap = std::mem::replace(&mut self.gap, Gap::None);
        if !self.text.is_empty() {
            match gap {
                Gap::None => {}
                Gap::Blank => self.write_blank(),
                Gap::Cell => self.insert(" | ", at),
                Gap::Line => self.insert("\n", at),
                Gap::Paragraph => self.insert("\n\n", at),
            }
        }
        let bars = " |".repeat(std::mem::take(&mut self.bars));
        let begins_line = matches!(gap, Gap::Line | Gap::Paragraph) || self.text.is_empty();
        let place = self.text.len();
        if !bars.is_empty() {
            let bars = if begins_line { bars.trim_start() } else { &bars };
            self.insert(&format!("{bars} "), at);
        }
        for spot in &mut self.spots[self.placed..] {
            *spot = Some(place);
        }
        self.placed = self.spots.len();
        let prefix = std::mem::take(&mut self.prefix);
        self.insert(&prefix, at);
    }

    fn write_blank(&mut self) {
        let blanks = self.blanks.clone();
        self.text.push(' ');
        if &self.source[blanks.clone()] == " " {
            self.map.push_verbatim(blanks.start, 1);
        } else {
            self.map.push_decoded(1, blanks);
        }
    }

    fn insert(&mut self, text: &str, at: usize) {
        self.map.push_decoded(text.len(), at..at);
        self.text.push_str(text);
    }
}
