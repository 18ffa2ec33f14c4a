//! HTML to text.
//!
//! The tokenizer gives tags, and text with its byte span; tree building is not needed to read a
//! page, so an element that is never closed ends with the document, or where [`Role`] says.

use std::convert::Infallible;
use std::ops::Range;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};
use postil_text::{Bound, Format, Kind};

use super::element::{Role, role};
use super::entity::{self, Part};
use super::lists::Lists;
use super::structure::Structure;
use super::writer::{Gap, Writer};
use crate::extracted::Extracted;

/// The text of the HTML in `source[start..]`.
pub(crate) fn extract(source: &str, start: usize) -> Extracted {
    // The tokenizer turns "\r\n" into one line feed; a blank in its place changes no offset.
    let flat = source.contains('\r').then(|| source.replace('\r', " "));
    let mut page = Page::new(source, flat.as_deref().unwrap_or(source), start);
    let input = &page.flat[start..];
    let mut attribute = Vec::new();
    let mut emitter =
        CallbackEmitter::new(|event: CallbackEvent<'_>, span: Span<usize>| -> Option<Infallible> {
            match event {
                CallbackEvent::OpenStartTag { name } => page.open(name),
                CallbackEvent::CloseStartTag { self_closing } => page.opened(self_closing),
                CallbackEvent::AttributeName { name } => {
                    attribute.clear();
                    attribute.extend_from_slice(name);
                    // It may have no value.
                    page.attribute(name, b"");
                }
                CallbackEvent::AttributeValue { value } => page.attribute(&attribute, value),
                CallbackEvent::EndTag { name } => page.end(name),
                CallbackEvent::String { value } => page.string(value, start + span.start..start + span.end),
                _ => {}
            }
            None
        });
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(input, emitter).finish();
    page.finish()
}

/// True when the element's content follows the rules of SVG and MathML.
fn is_drawing(name: &[u8]) -> bool {
    matches!(name, b"svg" | b"math")
}

struct Page<'s> {
    source: &'s str,
    /// `source` without carriage returns, each byte in its place.
    flat: &'s str,
    writer: Writer<'s>,
    structure: Structure,
    /// End of the last text.
    at: usize,
    title: Option<String>,
    in_title: bool,
    /// The element whose content is dropped, and the number of open elements of its name.
    dropped: Option<(Vec<u8>, usize)>,
    /// True when the tag being read opened such an element.
    opens_dropped: bool,
    /// True when the tag being read begins a cell.
    in_cell_tag: bool,
    in_heading: bool,
    in_pre: bool,
    /// True when no text has come since the `pre` began.
    pre_is_fresh: bool,
    lists: Lists,
}

impl<'s> Page<'s> {
    fn new(source: &'s str, flat: &'s str, start: usize) -> Self {
        Self {
            source,
            flat,
            writer: Writer::new(source),
            structure: Structure::default(),
            at: start,
            title: None,
            in_title: false,
            dropped: None,
            opens_dropped: false,
            in_cell_tag: false,
            in_heading: false,
            in_pre: false,
            pre_is_fresh: false,
            lists: Lists::default(),
        }
    }

    fn open(&mut self, name: &[u8]) {
        self.opens_dropped = false;
        let role = role(name);
        self.in_cell_tag = self.dropped.is_none() && matches!(role, Role::Cell { .. });
        self.lists.tag();
        if let Some((dropped, open)) = &mut self.dropped {
            // A drawing that is not closed ends where the page goes on, as in a browser.
            let stays = matches!(role, Role::Inline | Role::Title | Role::Dropped);
            if stays || !is_drawing(dropped) {
                self.opens_dropped = dropped == name;
                *open += usize::from(self.opens_dropped);
                return;
            }
            self.dropped = None;
        }
        match role {
            Role::Dropped => {
                self.dropped = Some((name.to_vec(), 1));
                self.opens_dropped = true;
            }
            Role::Title => self.in_title = true,
            Role::Heading(level) => {
                self.leave_heading();
                self.leave_pre();
                self.writer.gap(Gap::Paragraph);
                self.structure.open_heading(&mut self.writer, level);
                self.writer.prefix(format!("{} ", "#".repeat(level.into())));
                self.in_heading = true;
            }
            Role::Pre => {
                self.leave_heading();
                self.leave_pre();
                self.writer.gap(Gap::Paragraph);
                self.structure.mark(&mut self.writer, Bound::Paragraph, Kind::Code);
                self.writer.prefix("```\n".to_owned());
                (self.in_pre, self.pre_is_fresh) = (true, true);
            }
            Role::Item => {
                self.leave_heading();
                self.gap(Gap::Line);
                if !self.in_pre {
                    self.structure.mark(&mut self.writer, Bound::Item, Kind::Prose);
                    let mark = self.lists.item();
                    self.writer.prefix(mark);
                }
            }
            Role::List => {
                self.leave_heading();
                self.list_gap();
                let bound = if self.lists.are_closed() { Bound::Paragraph } else { Bound::Item };
                self.structure.mark(&mut self.writer, bound, Kind::Prose);
                self.lists.begin(name == b"ol");
            }
            Role::Block { in_heading } => {
                if !in_heading {
                    self.leave_heading();
                }
                self.gap(Gap::Paragraph);
            }
            Role::Line => self.gap(Gap::Line),
            Role::Table => {
                self.leave_heading();
                self.gap(Gap::Paragraph);
                self.structure.open_table();
            }
            Role::TableHead | Role::TableBody => {
                self.leave_heading();
                self.gap(Gap::Line);
                self.structure.head(&mut self.writer, role == Role::TableHead);
            }
            Role::Caption => {
                self.leave_heading();
                self.gap(Gap::Paragraph);
                self.structure.open_caption(&mut self.writer);
            }
            Role::Row => {
                self.leave_heading();
                self.leave_pre();
                self.gap(Gap::Line);
                self.structure.open_row(&mut self.writer);
            }
            Role::Cell { is_header } => {
                self.leave_heading();
                self.leave_pre();
                self.structure.cell(&mut self.writer, is_header);
            }
            Role::Inline => {}
        }
    }

    fn attribute(&mut self, name: &[u8], value: &[u8]) {
        if self.in_cell_tag {
            self.structure.attribute(name, value);
        }
        if let Some(mark) = self.lists.attribute(name, value) {
            self.writer.drop_prefix();
            self.writer.prefix(mark);
        }
    }

    /// The end of a start tag. Only in drawings does a slash close the element.
    fn opened(&mut self, self_closing: bool) {
        if let Some((dropped, _)) = &self.dropped
            && self_closing
            && self.opens_dropped
            && is_drawing(dropped)
        {
            let name = dropped.clone();
            self.end(&name);
        }
    }

    fn end(&mut self, name: &[u8]) {
        if let Some((dropped, open)) = &mut self.dropped {
            if dropped == name {
                *open -= 1;
                if *open == 0 {
                    self.dropped = None;
                }
            }
            return;
        }
        match role(name) {
            Role::Title => self.in_title = false,
            Role::Heading(_) => self.leave_heading(),
            Role::Pre => self.leave_pre(),
            Role::List => {
                self.lists.end();
                self.drop_item();
                self.list_gap();
                let bound = if self.lists.are_closed() { Bound::Paragraph } else { Bound::Item };
                self.structure.mark(&mut self.writer, bound, Kind::Prose);
            }
            Role::Item => {
                self.drop_item();
                self.gap(Gap::Line);
            }
            Role::Line => self.gap(Gap::Line),
            Role::Block { .. } => self.gap(Gap::Paragraph),
            Role::Table => {
                self.leave_heading();
                self.gap(Gap::Paragraph);
                self.structure.close_table(&mut self.writer);
                self.gap(Gap::Paragraph);
            }
            Role::TableHead | Role::TableBody => {
                self.gap(Gap::Line);
                self.structure.head(&mut self.writer, false);
            }
            Role::Caption => {
                self.structure.close_caption(&self.writer);
                self.gap(Gap::Paragraph);
            }
            Role::Row => {
                self.leave_heading();
                self.leave_pre();
                self.structure.close_row(&mut self.writer);
                self.gap(Gap::Line);
            }
            Role::Dropped | Role::Cell { .. } | Role::Inline => {}
        }
    }

    fn list_gap(&mut self) {
        self.gap(if self.lists.are_closed() { Gap::Paragraph } else { Gap::Line });
    }

    /// Drops the mark of an item without text.
    fn drop_item(&mut self) {
        if !self.in_pre && !self.in_heading {
            self.writer.drop_prefix();
        }
    }

    /// A gap, which is a blank in a heading: its line must not end.
    fn gap(&mut self, gap: Gap) {
        if self.in_heading {
            self.writer.blank(self.at..self.at);
        } else if self.structure.is_in_row() {
            // The parts of a cell are lines of it.
            if !self.structure.begins_cell(&self.writer) {
                self.writer.gap(gap.min(Gap::Line));
            }
        } else {
            self.writer.gap(gap);
        }
    }

    fn leave_heading(&mut self) {
        if std::mem::take(&mut self.in_heading) {
            self.writer.drop_prefix();
            self.structure.close_heading(&self.writer);
            self.writer.gap(Gap::Paragraph);
        }
    }

    fn leave_pre(&mut self) {
        if std::mem::take(&mut self.in_pre) {
            if !self.writer.drop_prefix() {
                self.writer.close("```", self.at);
            }
            self.writer.gap(Gap::Paragraph);
            self.structure.mark(&mut self.writer, Bound::Paragraph, Kind::Prose);
        }
    }

    fn string(&mut self, value: &[u8], span: Range<usize>) {
        if self.dropped.is_some() {
            return;
        }
        let start = self.source.floor_char_boundary(span.start.min(self.source.len())).max(self.at);
        let end = self.source.floor_char_boundary(span.end.min(self.source.len())).max(start);
        let parts = self.parts(value, start..end);
        self.at = end;
        if self.in_title {
            self.extend_title(&parts);
            return;
        }
        for part in parts {
            match part {
                Part::Decoded(text, range) if !self.in_pre && text.trim_ascii().is_empty() => {
                    self.writer.blank(range);
                }
                Part::Decoded(text, range) => self.writer.decoded(&text, range),
                Part::Verbatim(range) if self.in_pre => self.pre(range),
                Part::Verbatim(range) => self.words(range),
            }
        }
    }

    /// The parts of a text, which together are `value`: where the span is not that of the text, one
    /// part that stands for all of it.
    fn parts(&self, value: &[u8], range: Range<usize>) -> Vec<Part> {
        let raw = &self.flat[range.clone()];
        if raw.as_bytes() == value {
            return vec![Part::Verbatim(range)];
        }
        let parts = entity::parts(self.flat, range.clone());
        let mut left = value;
        let whole = parts.iter().all(|part| {
            let part = match part {
                Part::Verbatim(range) => &self.flat[range.clone()],
                Part::Decoded(text, _) => text.as_str(),
            };
            left.strip_prefix(part.as_bytes()).map(|rest| left = rest).is_some()
        });
        if whole && left.is_empty() {
            return parts;
        }
        vec![Part::Decoded(String::from_utf8_lossy(value).into_owned(), range)]
    }

    /// Writes text, with each run of blanks as one.
    fn words(&mut self, range: Range<usize>) {
        let bytes = self.source.as_bytes();
        let mut at = range.start;
        while at < range.end {
            let blank = bytes[at].is_ascii_whitespace();
            let same = bytes[at..range.end].iter().take_while(|b| b.is_ascii_whitespace() == blank).count();
            if blank {
                self.writer.blank(at..at + same);
            } else {
                self.writer.verbatim(at..at + same);
            }
            at += same;
        }
    }

    /// Writes preformatted text without the line feed right after the tag.
    fn pre(&mut self, range: Range<usize>) {
        let mut start = range.start;
        if std::mem::take(&mut self.pre_is_fresh) {
            let text = &self.source[range.clone()];
            let rest = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')).unwrap_or(text);
            start = range.end - rest.len();
        }
        self.writer.verbatim(start..range.end);
    }

    fn extend_title(&mut self, parts: &[Part]) {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Verbatim(range) => text.push_str(&self.source[range.clone()]),
                Part::Decoded(decoded, _) => text.push_str(decoded),
            }
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        if self.title.is_none() && !words.is_empty() {
            self.title = Some(words.join(" "));
        }
    }

    fn finish(mut self) -> Extracted {
        self.leave_heading();
        self.leave_pre();
        let (outline, writer) = self.structure.finish(self.writer);
        let (text, map) = writer.finish();
        Extracted::new(text, Format::Html, Some(outline), self.title, map)
    }
}
