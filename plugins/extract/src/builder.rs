//! Text with headings, tables, lists and places, written in order.
//!
//! As in the text of a web page, headings, list items and code look like Markdown and the cells of a
//! row have bars between them, while the outline says what is what.

use postil_contract::{Places, Spot};
use postil_text::{Bound, Format, Heading, Kind, Lead, Mark, Outline};

use crate::extracted::Extracted;
use crate::offset::OffsetMap;

/// Deepest heading.
const MAX_LEVEL: usize = 6;

/// The text of a document, as far as it is written.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    text: String,
    headings: Vec<Heading>,
    marks: Vec<Mark>,
    places: Places,
    unread: Vec<String>,
    /// Range of the open table's caption, and of its header rows.
    caption: Option<(usize, usize)>,
    header: Option<(usize, usize)>,
    /// True when the open table has a row that is no header.
    has_body: bool,
    in_table: bool,
    /// The place of the next text.
    spot: Option<Spot>,
}

impl Builder {
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn places(&mut self) -> &mut Places {
        &mut self.places
    }

    /// Sets the place of the text that follows.
    pub(crate) fn at(&mut self, spot: Spot) {
        self.spot = Some(spot);
    }

    pub(crate) fn unread(&mut self, part: String) {
        self.unread.push(part);
    }

    fn gap(&mut self, gap: &str) {
        if !self.text.is_empty() {
            self.text.push_str(gap);
        }
    }

    fn place(&mut self) {
        if let Some(spot) = self.spot {
            self.places.push(self.text.len(), spot);
        }
    }

    fn mark(&mut self, bound: Bound, kind: Kind, lead: Option<Lead>) {
        self.marks.push(Mark { at: self.text.len(), bound, kind, lead });
    }

    /// Writes text right after the last.
    pub(crate) fn push(&mut self, text: &str) {
        self.place();
        self.text.push_str(text);
    }

    /// Writes text after the last, with `joint` between them, which has the place of the last.
    #[cfg(feature = "pdf")]
    pub(crate) fn push_after(&mut self, joint: &str, text: &str) {
        self.text.push_str(joint);
        self.push(text);
    }

    /// Takes bytes from the end of the text, which are whole characters written by the last push.
    #[cfg(feature = "pdf")]
    pub(crate) fn cut(&mut self, bytes: usize) {
        self.text.truncate(self.text.len() - bytes);
    }

    /// Begins a paragraph; its text follows by [`push`](Self::push).
    pub(crate) fn begin(&mut self) {
        self.end_table();
        self.gap("\n\n");
        self.mark(Bound::Paragraph, Kind::Prose, None);
    }

    /// Writes a paragraph, if it has text.
    pub(crate) fn paragraph(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.begin();
            self.push(text);
        }
    }

    /// Writes a heading of a level from 1.
    pub(crate) fn heading(&mut self, level: usize, text: &str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.is_empty() {
            return;
        }
        let (level, title) = (level.clamp(1, MAX_LEVEL), words.join(" "));
        self.begin();
        let start = self.text.len();
        self.push(&format!("{} {title}", "#".repeat(level)));
        let mut heading = Heading::new(level, start..self.text.len());
        heading.extend_title(&title);
        self.headings.push(heading);
        self.mark(Bound::Paragraph, Kind::Prose, None);
    }

    /// Writes a list item, `depth` lists deep from 0, with its mark.
    pub(crate) fn item(&mut self, depth: usize, mark: &str, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        self.end_table();
        let is_first = !self.text.rsplit('\n').next().is_some_and(|line| {
            let line = line.trim_start();
            line.starts_with("- ") || line.split_once(". ").is_some_and(|(number, _)| number.len() < 4)
        });
        self.gap(if is_first { "\n\n" } else { "\n" });
        self.mark(if is_first { Bound::Paragraph } else { Bound::Item }, Kind::Prose, None);
        self.push(&format!("{}{mark} {text}", "  ".repeat(depth.min(8))));
    }

    /// Makes the paragraph that was written last the caption of the table that follows.
    pub(crate) fn begin_table(&mut self, caption: Option<&str>) {
        self.end_table();
        self.in_table = true;
        if let Some(caption) = caption.map(str::trim).filter(|caption| !caption.is_empty()) {
            self.gap("\n\n");
            self.mark(Bound::Paragraph, Kind::Prose, None);
            let start = self.text.len();
            self.push(caption);
            self.caption = Some((start, self.text.len()));
        }
    }

    /// Writes a row of the open table. Line ends in cells become blanks.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: &[S], is_header: bool) {
        let cells = cells.iter().map(|cell| cell.as_ref().split_whitespace().collect::<Vec<_>>().join(" "));
        let mut cells: Vec<String> = cells.collect();
        while cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        if cells.is_empty() {
            return;
        }
        let is_first = self.header.is_none() && !self.has_body;
        self.gap(if is_first { "\n\n" } else { "\n" });
        let bound = if is_first { Bound::Paragraph } else { Bound::Sentence };
        let is_header = is_header && !self.has_body;
        let lead = match (self.caption, self.header) {
            _ if is_header => None,
            (Some(caption), Some(header)) => Some(Lead { start: caption.0, header: header.0, end: header.1 }),
            (None, Some((start, end))) | (Some((start, end)), None) => {
                Some(Lead { start, header: start, end })
            }
            (None, None) => None,
        };
        self.mark(bound, Kind::Row, lead);
        let start = self.text.len();
        self.push(&cells.join(" | "));
        if is_header {
            let first = self.header.map_or(start, |(first, _)| first);
            self.header = Some((first, self.text.len()));
        } else {
            self.has_body = true;
        }
    }

    /// Ends the open table, if there is one.
    pub(crate) fn end_table(&mut self) {
        if std::mem::take(&mut self.in_table) {
            self.mark(Bound::Paragraph, Kind::Prose, None);
        }
        (self.caption, self.header, self.has_body) = (None, None, false);
    }

    /// Writes another document's text after this one's, at the place that was set last, or at its own
    /// places if it has some.
    #[cfg(feature = "packages")]
    pub(crate) fn append(&mut self, other: Extracted) {
        if other.text.trim().is_empty() {
            return;
        }
        self.end_table();
        self.gap("\n\n");
        self.place();
        let start = self.text.len();
        let outline = other.outline.unwrap_or_else(|| postil_text::outline(&other.text, other.format));
        let (headings, marks) = outline.moved(start);
        self.mark(Bound::Paragraph, Kind::Prose, None);
        self.headings.extend(headings);
        self.marks.extend(marks);
        self.places.append(start, &other.places);
        self.unread.extend(other.unread);
        self.text.push_str(&other.text);
        self.mark(Bound::Paragraph, Kind::Prose, None);
    }

    pub(crate) fn finish(mut self, title: Option<String>) -> Extracted {
        self.end_table();
        Extracted {
            map: OffsetMap::identity(self.text.len()),
            format: Format::Plain,
            outline: Some(Outline::new(self.headings, self.marks)),
            title: title.map(|title| title.trim().to_owned()).filter(|title| !title.is_empty()),
            places: self.places,
            unread: self.unread,
            text: self.text,
        }
    }
}
