//! Markdown to an outline: headings, and the places of code, tables and list items.
//!
//! Only the start and end of the parser's events are used, so text without an event (list markers,
//! link definitions, rules) is not lost.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::outline::{Bound, Heading, Kind, Lead, Mark, Outline};
use crate::span::trim;

/// Most bytes of a title in front matter.
const MAX_TITLE_BYTES: usize = 256;

/// The title that a Markdown text gives itself: the field `title` of its front matter, or else the
/// heading of level 1 that it begins with.
///
/// ```
/// assert_eq!(postil_text::markdown_title("# A *guide*\n\nText.").as_deref(), Some("A guide"));
/// assert_eq!(postil_text::markdown_title("Text.\n\n# Later"), None);
/// ```
pub fn markdown_title(text: &str) -> Option<String> {
    front_title(text).or_else(|| outline(text).opening(text).map(str::to_owned))
}

/// The field `title` of YAML or TOML front matter, when it is written on one line.
fn front_title(text: &str) -> Option<String> {
    let mut lines = text.lines();
    let fence = lines.next().map(str::trim_end).filter(|line| matches!(*line, "---" | "+++"))?;
    let field = lines
        .take_while(|line| line.trim_end() != fence)
        .find_map(|line| line.strip_prefix("title")?.trim_start().strip_prefix([':', '=']).map(str::trim))?;
    let quoted = ['"', '\''].into_iter().find_map(|quote| field.strip_prefix(quote)?.strip_suffix(quote));
    let title = quoted.unwrap_or(field);
    let is_plain = !title.is_empty() && !title.starts_with(['|', '>', '[', '{', '&', '*']);
    is_plain.then(|| title[..title.floor_char_boundary(MAX_TITLE_BYTES)].to_owned())
}

pub(crate) fn outline(text: &str) -> Outline {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
    let mut headings: Vec<Heading> = Vec::new();
    let mut marks: Vec<Mark> = Vec::new();
    let mut mark = |at: usize, bound, kind| {
        if text.is_char_boundary(at) {
            marks.push(Mark { at, bound, kind, lead: None });
        }
    };
    // Start of the current table's header, and the lead of its rows.
    let (mut header, mut lead) = (0, None);
    let mut leads: Vec<(usize, Lead)> = Vec::new();
    let mut depth = 0_usize;
    let mut in_heading = false;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                // A heading in a quotation or a list is no part of the document's own outline.
                in_heading = depth == 0 && headings.last().is_none_or(|last| last.range.end <= range.start);
                if in_heading && text.is_char_boundary(range.start) && text.is_char_boundary(range.end) {
                    let (start, end) = (range.start, range.end);
                    headings.push(Heading::new(level as usize, start..end));
                    mark(start, Bound::Paragraph, Kind::Prose);
                    mark(end, Bound::Paragraph, Kind::Prose);
                }
            }
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Text(part) | Event::Code(part) | Event::InlineHtml(part) if in_heading => {
                headings.iter_mut().last().into_iter().for_each(|heading| heading.extend_title(&part));
            }
            Event::SoftBreak | Event::HardBreak if in_heading => {
                headings.iter_mut().last().into_iter().for_each(|heading| heading.extend_title(" "));
            }
            Event::Start(Tag::CodeBlock(_) | Tag::MetadataBlock(_)) => {
                mark(range.start, Bound::Paragraph, Kind::Code);
                mark(range.end, Bound::Paragraph, Kind::Prose);
            }
            Event::Start(Tag::TableHead) => {
                (header, lead) = (range.start, None);
                mark(range.start, Bound::Paragraph, Kind::Row);
            }
            Event::Start(Tag::TableRow) => {
                // The line of dashes is part of it.
                let whole = || text.get(header..range.start).and_then(|_| trim(text, header..range.start));
                lead = lead
                    .or_else(|| whole().map(|at| Lead { start: at.start, header: at.start, end: at.end }));
                mark(range.start, Bound::Sentence, Kind::Row);
                leads.extend(lead.map(|lead| (range.start, lead)));
            }
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
    // Ends come with the start, so marks inside what they end are out of order.
    let mut outline = Outline::new(headings, marks);
    outline.lead_rows(&leads);
    outline
}
