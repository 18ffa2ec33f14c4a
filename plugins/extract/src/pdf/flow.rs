//! Lines in reading order to text: paragraphs, headings, tables, and words healed at line ends.

use std::collections::{HashMap, HashSet};

use postil_contract::Spot;

use super::furniture::Page;
use super::lines::Line;
use super::script::is_cjk;
use super::table::{self, Row};
use crate::builder::Builder;

/// Heights of a font over that of the body that make a heading.
const LARGER: f32 = 1.12;
/// Most characters of a heading.
const MAX_HEADING: usize = 160;

/// Fonts, titles and words of the whole document.
pub(super) struct Style {
    /// Height of the font of most of the text.
    body: f32,
    /// Heights of headings, the largest first.
    heads: Vec<f32>,
    /// Level of each title that the document's own outline has.
    titles: HashMap<String, usize>,
    words: HashSet<String>,
}

impl Style {
    pub(super) fn of(pages: &[Page], titles: HashMap<String, usize>) -> Self {
        let mut heights: HashMap<i32, usize> = HashMap::new();
        let mut words = HashSet::new();
        for line in pages.iter().flat_map(|page| page.blocks.iter().flatten()) {
            *heights.entry(rounded(line.size)).or_default() += line.text.len();
            words.extend(line.text.split(' ').map(|word| bare(word).to_lowercase()));
        }
        let body = heights.iter().max_by_key(|(size, count)| (**count, **size)).map_or(0, |(size, _)| *size);
        let total: usize = heights.values().sum();
        let mut heads: Vec<i32> = heights
            .iter()
            .filter(|(size, count)| **size as f32 > body as f32 * LARGER && **count * 4 < total)
            .map(|(size, _)| *size)
            .collect();
        heads.sort_by_key(|size| std::cmp::Reverse(*size));
        heads.truncate(4);
        let points = |size: i32| size as f32 / 2.0;
        Self { body: points(body), heads: heads.into_iter().map(points).collect(), titles, words }
    }

    /// The level of a heading that stands on a line, from 1; `None` for text.
    fn level(&self, line: &Line, is_alone: bool) -> Option<usize> {
        let text = line.text.as_str();
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        if text.len() > MAX_HEADING || letters < 2 {
            return None;
        }
        if let Some(level) = self.titles.get(&plain(text)).or_else(|| {
            let (number, rest) = text.split_once(' ')?;
            let is_number = number.starts_with(|c: char| c.is_ascii_digit());
            self.titles.get(&plain(rest)).filter(|_| is_number)
        }) {
            return (is_alone || line.size > self.body).then_some(*level);
        }
        if !self.titles.is_empty() && self.titles.len() > 3 {
            // The outline names them all.
            return None;
        }
        let ends = text.ends_with(['.', ',', ';', ':', '-']) && !text.ends_with("...");
        if line.size > self.body * LARGER && !text.ends_with([',', ';']) {
            let rank = self.heads.iter().position(|head| line.size >= head - 0.3);
            return Some(rank.unwrap_or(self.heads.len()) + 1);
        }
        let is_bold = line.is_bold && is_alone && !ends && text.len() < 80;
        is_bold.then_some(self.heads.len() + 1)
    }
}

fn rounded(size: f32) -> i32 {
    (size * 2.0).round() as i32
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

/// A title as it is compared.
pub(super) fn plain(title: &str) -> String {
    title.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The paragraph that is being written.
struct Paragraph {
    last: Line,
    page: u32,
    /// End of its text in the builder, with nothing pending.
    is_open: bool,
}

/// Writes pages one after the other.
pub(super) struct Flow<'a> {
    style: &'a Style,
    builder: &'a mut Builder,
    open: Option<Paragraph>,
}

impl<'a> Flow<'a> {
    pub(super) fn new(style: &'a Style, builder: &'a mut Builder) -> Self {
        Self { style, builder, open: None }
    }

    pub(super) fn page(&mut self, number: u32, label: Option<&str>, page: &Page) {
        let label = label.map(|label| self.builder.places().name(label));
        for block in &page.blocks {
            let mut rows = table::rows(block).into_iter().peekable();
            while let Some(part) = rows.next() {
                match part {
                    Row::Text(line) => {
                        let spot = self.spot(line, number, label, page);
                        let next = match rows.peek() {
                            Some(Row::Text(next)) => Some(*next),
                            _ => None,
                        };
                        self.line(line, next, block, number, spot);
                    }
                    Row::Table(table) => {
                        self.open = None;
                        self.builder.begin_table(None);
                        let has_header = table::has_header(&table);
                        for (index, row) in table.into_iter().enumerate() {
                            let Some(spot) = self.row_spot(&row, number, label, page) else { continue };
                            self.builder.at(spot);
                            let cells: Vec<&str> = row.iter().map(|cell| cell.text.as_str()).collect();
                            self.builder.row(&cells, has_header && index == 0);
                        }
                        self.builder.end_table();
                    }
                }
            }
        }
    }

    fn spot(&self, line: &Line, page: u32, label: Option<u32>, on: &Page) -> Spot {
        Spot::Line { page, label, edges: line.edges(on.size) }
    }

    /// The place of a row: the box around its cells.
    fn row_spot(&self, row: &[&Line], page: u32, label: Option<u32>, on: &Page) -> Option<Spot> {
        let mut cells = row.iter().map(|cell| cell.edges(on.size));
        let first = cells.next()?;
        let edges =
            cells.fold(first, |a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]);
        Some(Spot::Line { page, label, edges })
    }

    fn line(&mut self, line: &Line, next: Option<&Line>, block: &[Line], page: u32, spot: Spot) {
        self.builder.at(spot);
        let is_first = block.first().is_some_and(|first| std::ptr::eq(first, line));
        let apart = |other: &Line| (line.y - other.y).abs() > 1.45 * line.size.max(other.size);
        let differs =
            |other: &Line| other.is_bold != line.is_bold || (other.size - line.size).abs() > 0.1 * line.size;
        let before = self.open.as_ref().map(|open| &open.last).filter(|_| !is_first);
        let is_alone = before.is_none_or(|other| apart(other) || differs(other))
            && next.is_none_or(|other| apart(other) || differs(other));
        if let Some(level) = self.style.level(line, is_alone) {
            self.open = None;
            self.builder.heading(level, &line.text);
            return;
        }
        let text = line.text.as_str();
        let joins = match &self.open {
            Some(open) => open.is_open && goes_on(open, line, page, is_first),
            None => false,
        };
        if !joins {
            self.builder.begin();
            self.builder.push(text);
        } else if let Some(open) = &self.open {
            let last = open.last.text.as_str();
            match joint(last, text, &self.style.words) {
                Joint::Blank => self.builder.push_after(" ", text),
                Joint::None => self.builder.push_after("", text),
                Joint::Heal(hyphen) => {
                    self.builder.cut(hyphen);
                    self.builder.push_after("", text);
                }
            }
        }
        self.open = Some(Paragraph { last: line.clone(), page, is_open: true });
    }
}

/// True when a line goes on with the paragraph before it.
fn goes_on(open: &Paragraph, line: &Line, page: u32, is_first: bool) -> bool {
    let last = &open.last;
    let size = last.size.max(line.size);
    if (last.size - line.size).abs() > 0.15 * size || last.frame != line.frame {
        return false;
    }
    let first = line.text.chars().next().unwrap_or(' ');
    if is_item(&line.text) {
        return false;
    }
    if is_first || page != open.page {
        // In the next column or on the next page, a sentence that has not ended.
        let ends = last.text.ends_with(['.', '!', '?', ':', '"', '”', ')', '。']);
        return !ends && (first.is_lowercase() || last.text.ends_with('-')) && last.width() > 8.0 * size;
    }
    if last.is_beside(line) {
        return true;
    }
    let down = line.y - last.y;
    let is_indented = line.x0 > last.x0 + 0.8 * size && last.text.ends_with(['.', '!', '?', ':', '”', '"']);
    down < 1.7 * size && !is_indented
}

/// True when a line begins a list item.
fn is_item(text: &str) -> bool {
    let Some((mark, _)) = text.split_once(' ') else { return false };
    let is_number =
        |mark: &str| !mark.is_empty() && mark.len() <= 3 && mark.bytes().all(|byte| byte.is_ascii_digit());
    matches!(mark, "•" | "-" | "–" | "*" | "◦" | "▪" | "●" | "·" | "o")
        || mark.strip_suffix(['.', ')']).is_some_and(|mark| is_number(mark.trim_start_matches('(')))
}

enum Joint {
    Blank,
    None,
    /// Bytes of a hyphen that the line before ends with and that the word has not.
    Heal(usize),
}

fn joint(last: &str, next: &str, words: &HashSet<String>) -> Joint {
    let Some(end) = last.chars().next_back() else { return Joint::None };
    let first = next.chars().next().unwrap_or(' ');
    if end == '\u{ad}' {
        return Joint::Heal(end.len_utf8());
    }
    if matches!(end, '-' | '\u{2010}') {
        let stem = &last[..last.len() - end.len_utf8()];
        let is_broken = stem.chars().next_back().is_some_and(char::is_alphabetic) && first.is_lowercase();
        if !is_broken {
            return if first.is_alphanumeric() && !stem.ends_with(' ') { Joint::None } else { Joint::Blank };
        }
        let (head, tail) = (stem.rsplit(' ').next().unwrap_or(""), next.split(' ').next().unwrap_or(""));
        let whole = bare(&format!("{head}{tail}")).to_lowercase();
        let hyphened = bare(&format!("{head}-{tail}")).to_lowercase();
        if words.contains(&hyphened) && !words.contains(&whole) {
            return Joint::None;
        }
        return Joint::Heal(end.len_utf8());
    }
    if is_cjk(end) && is_cjk(first) { Joint::None } else { Joint::Blank }
}
