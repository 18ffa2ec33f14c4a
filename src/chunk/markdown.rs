//! Markdown to sections: the heading path of each, and where its code, tables and list items are.
//!
//! The parser only says where things start and end. Segments are what lies between two such places, so
//! that nothing is lost that the parser gives no event for: list markers, link definitions, rules.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::outline::{Bound, Kind, Section, Segment};

/// Most bytes of one heading in a path.
const MAX_HEADING_BYTES: usize = 256;

/// A place where the way of cutting changes.
#[derive(Clone, Copy)]
struct Mark {
    at: usize,
    bound: Bound,
    kind: Kind,
}

struct Heading {
    level: usize,
    title: String,
    start: usize,
    end: usize,
}

/// The sections of `text`, in order; what stands before the first heading has an empty path.
///
/// A heading with nothing under it but a deeper heading belongs to that one's section.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let (headings, marks) = scan(text);
    let mut sections = Vec::with_capacity(headings.len() + 1);
    let mut path: Vec<(usize, String)> = Vec::new();
    let mut marks = marks.into_iter().peekable();
    let mut start = 0;
    let mut headings = headings.into_iter().peekable();
    let mut first = true;
    loop {
        let heading = if std::mem::take(&mut first) { None } else { headings.next() };
        let mut end = headings.peek().map_or(text.len(), |next| next.start);
        if let Some(heading) = heading {
            enter(&mut path, &heading);
            let mut last = heading;
            while let Some(next) = headings.next_if(|next| {
                next.level > last.level && text[last.end.min(next.start)..next.start].trim().is_empty()
            }) {
                enter(&mut path, &next);
                last = next;
                end = headings.peek().map_or(text.len(), |next| next.start);
            }
        }
        let mut section =
            Section { path: path.iter().map(|(_, title)| title.clone()).collect(), segments: Vec::new() };
        let mut open = Mark { at: start, bound: Bound::Paragraph, kind: Kind::Prose };
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

fn enter(path: &mut Vec<(usize, String)>, heading: &Heading) {
    path.retain(|(level, _)| *level < heading.level);
    if !heading.title.is_empty() {
        path.push((heading.level, heading.title.clone()));
    }
}

impl Section {
    fn close(&mut self, open: Mark, end: usize) {
        if open.at < end {
            self.segments.push(Segment { range: open.at..end, kind: open.kind, bound: open.bound });
        }
    }
}

/// The headings that start a section, and the marks, each in order of place.
fn scan(text: &str) -> (Vec<Heading>, Vec<Mark>) {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
    let mut headings: Vec<Heading> = Vec::new();
    let mut marks: Vec<Mark> = Vec::new();
    let mut mark = |at: usize, bound, kind| {
        if text.is_char_boundary(at) {
            marks.push(Mark { at, bound, kind });
        }
    };
    let mut depth = 0_usize;
    let mut in_heading = false;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                // A heading in a quotation or a list is no part of the document's own outline.
                in_heading = depth == 0 && headings.last().is_none_or(|last| last.end <= range.start);
                if in_heading && text.is_char_boundary(range.start) && text.is_char_boundary(range.end) {
                    let (start, end) = (range.start, range.end);
                    headings.push(Heading { level: level as usize, title: String::new(), start, end });
                    mark(start, Bound::Paragraph, Kind::Prose);
                    mark(end, Bound::Paragraph, Kind::Prose);
                }
            }
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Text(part) | Event::Code(part) | Event::InlineHtml(part) if in_heading => {
                extend_title(&mut headings, &part);
            }
            Event::SoftBreak | Event::HardBreak if in_heading => extend_title(&mut headings, " "),
            Event::Start(Tag::CodeBlock(_) | Tag::MetadataBlock(_)) => {
                mark(range.start, Bound::Paragraph, Kind::Code);
                mark(range.end, Bound::Paragraph, Kind::Prose);
            }
            Event::Start(Tag::TableHead) => mark(range.start, Bound::Paragraph, Kind::Row),
            Event::Start(Tag::TableRow) => mark(range.start, Bound::Sentence, Kind::Row),
            Event::End(TagEnd::Table) => mark(range.end, Bound::Paragraph, Kind::Prose),
            Event::Start(Tag::List(_)) => {
                depth += 1;
                mark(range.start, if depth == 1 { Bound::Paragraph } else { Bound::Item }, Kind::Prose);
            }
            Event::Start(Tag::Item) => mark(range.start, Bound::Item, Kind::Prose),
            Event::Start(Tag::BlockQuote(_) | Tag::FootnoteDefinition(_)) => depth += 1,
            Event::End(TagEnd::List(_) | TagEnd::BlockQuote(_) | TagEnd::FootnoteDefinition) => {
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
    }
    // Ends come with the start, so marks inside what they end are out of order; of two in one place,
    // the later event says how to cut and the better bound stays.
    marks.sort_by_key(|mark| mark.at);
    marks.dedup_by(|later, kept| {
        let same = later.at == kept.at;
        if same {
            *kept = Mark { bound: kept.bound.max(later.bound), ..*later };
        }
        same
    });
    (headings, marks)
}

fn extend_title(headings: &mut [Heading], part: &str) {
    let Some(Heading { title, .. }) = headings.last_mut() else { return };
    let left = MAX_HEADING_BYTES.saturating_sub(title.len());
    // Blanks in a row, and blanks at the start, say nothing in a title.
    let part = if title.is_empty() || title.ends_with(' ') { part.trim_start() } else { part };
    title.push_str(&part[..part.floor_char_boundary(left)]);
}
