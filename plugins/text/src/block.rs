//! The blocks of a passage, line by line. A passage may be plain text or any part of a Markdown
//! document, and its format is not stated: a table row is recognized by its first bar, since its
//! header may be elsewhere, and indented code counts as a paragraph. [`outline`](crate::outline)
//! reads whole documents whose format is Markdown.

use std::ops::Range;

use crate::span::trim;

/// The kind of a sentence, by the block that contains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentenceKind {
    /// A sentence of a paragraph or a list item.
    Prose,
    /// The text of a heading.
    Heading,
    /// A row of a table, without its outer bars.
    Row,
    /// All lines of a fenced block.
    Code,
}

/// A part of a text that no sentence crosses.
pub(super) enum Block {
    /// A block that is one sentence, unchanged.
    Whole { range: Range<usize>, kind: SentenceKind },
    /// Running text; `markers` are the quote markers that start its further lines.
    Paragraph { range: Range<usize>, markers: Vec<Range<usize>> },
}

/// The blocks of a passage, in order of position.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut reader = Reader { text, blocks: Vec::new(), open: None, fence: None };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        reader.line(start, line.trim_end_matches(['\n', '\r']));
        start += line.len();
    }
    reader.close();
    reader.blocks
}

struct Reader<'a> {
    text: &'a str,
    blocks: Vec<Block>,
    open: Option<Open>,
    fence: Option<Fence>,
}

/// A paragraph being read.
struct Open {
    range: Range<usize>,
    markers: Vec<Range<usize>>,
    lines: usize,
}

/// A fenced block being read.
struct Fence {
    mark: char,
    length: usize,
    body: Option<Range<usize>>,
}

impl Reader<'_> {
    /// Reads the line at byte `at`, given without its line end.
    fn line(&mut self, at: usize, line: &str) {
        if self.fence.is_some() {
            return self.fenced(at, line);
        }
        let quote = line.trim_start_matches([' ', '\t', '>']);
        let body_at = at + line.len() - quote.len();
        let (body, marker) = (quote.trim_end(), at..body_at);
        if let Some((mark, length)) = fence_mark(body) {
            self.close();
            self.fence = Some(Fence { mark, length, body: None });
        } else if body.is_empty() {
            self.close();
        } else if let Some(range) = heading(body) {
            self.close();
            self.whole(body_at, range, SentenceKind::Heading);
        } else if self.open.as_ref().is_some_and(|open| open.lines == 1) && is_underline(body) {
            let open = self.open.take().expect("tested in the condition");
            self.blocks.push(Block::Whole { range: open.range, kind: SentenceKind::Heading });
        } else if body.starts_with('|') {
            self.close();
            let bars = |c: char| c == '|' || c.is_whitespace();
            let start = body.len() - body.trim_start_matches(bars).len();
            self.whole(body_at, start..body.trim_end_matches(bars).len().max(start), SentenceKind::Row);
        } else if !body.contains(char::is_alphanumeric) && is_underline(body) {
            self.close();
        } else if let Some(skip) = list_marker(body) {
            self.close();
            self.extend(body_at + skip..body_at + body.len(), None);
        } else {
            self.extend(
                body_at..body_at + body.len(),
                Some(marker).filter(|m| self.text[m.clone()].contains('>')),
            );
        }
    }

    fn fenced(&mut self, at: usize, line: &str) {
        let Some(fence) = &mut self.fence else { return };
        let closes = |(mark, length): (char, usize)| {
            mark == fence.mark && length >= fence.length && line.trim().chars().all(|c| c == mark)
        };
        if fence_mark(line.trim()).is_some_and(closes) {
            self.close();
        } else if let Some(line) = trim(self.text, at..at + line.len()) {
            let start = fence.body.as_ref().map_or(line.start, |body| body.start);
            fence.body = Some(start..line.end);
        }
    }

    fn whole(&mut self, offset: usize, range: Range<usize>, kind: SentenceKind) {
        self.blocks.push(Block::Whole { range: offset + range.start..offset + range.end, kind });
    }

    fn extend(&mut self, line: Range<usize>, marker: Option<Range<usize>>) {
        match &mut self.open {
            None => self.open = Some(Open { range: line, markers: Vec::new(), lines: 1 }),
            Some(open) => {
                open.range.end = line.end;
                open.markers.extend(marker);
                open.lines += 1;
            }
        }
    }

    fn close(&mut self) {
        if let Some(Open { range, markers, .. }) = self.open.take() {
            self.blocks.push(Block::Paragraph { range, markers });
        }
        if let Some(range) = self.fence.take().and_then(|fence| fence.body) {
            self.blocks.push(Block::Whole { range, kind: SentenceKind::Code });
        }
    }
}

/// The mark and length of a code fence that starts the line.
fn fence_mark(body: &str) -> Option<(char, usize)> {
    let mark = body.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = body.chars().take_while(|c| *c == mark).count();
    // Inline code may start a line, but then its closing marks are on the same line.
    (length >= 3 && !body[length..].contains('`')).then_some((mark, length))
}

/// The text of an ATX heading.
fn heading(body: &str) -> Option<Range<usize>> {
    let level = body.bytes().take_while(|b| *b == b'#').count();
    let rest = &body[level..];
    if !(1..=6).contains(&level) || !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    let start = body.len() - rest.trim_start().len();
    let bare = rest.trim_end_matches('#');
    let end = if bare.ends_with([' ', '\t']) { bare } else { rest }.trim_end().len() + level;
    Some(start..end.max(start))
}

/// True for a line of only one of `=`, `-`, `*`, `_`, apart from spaces: the underline of a
/// heading, or a rule.
fn is_underline(body: &str) -> bool {
    let mut marks = body.chars().filter(|c| !c.is_whitespace());
    let first = marks.next();
    matches!(first, Some('=' | '-' | '*' | '_')) && body.len() >= 2 && marks.all(|c| Some(c) == first)
}

/// Length in bytes of a list item's marker and check box; `None` when the line has no marker.
fn list_marker(body: &str) -> Option<usize> {
    let digits = body.bytes().take_while(u8::is_ascii_digit).count();
    let rest = match digits {
        0 => body.strip_prefix(['-', '*', '+', '•', '–', '·'])?,
        1..=3 => body[digits..].strip_prefix(['.', ')'])?,
        _ => return None,
    };
    let item = rest.trim_start();
    if item.len() == rest.len() || item.is_empty() {
        return None;
    }
    let item = ["[ ] ", "[x] ", "[X] "].iter().find_map(|check| item.strip_prefix(check)).unwrap_or(item);
    Some(body.len() - item.trim_start().len())
}
