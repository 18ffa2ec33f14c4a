//! The text of a passage as the reader sees it. A small reader does not count the cells of a row,
//! so each cell gets the name of its column, `Plan: Growth; Requests per minute: 300.`, and the
//! header row is left out. All other text is unchanged.

use std::ops::Range;

/// Least number of columns of a table whose header has no rule under it: with two columns, the
/// first is as often the header.
const COLUMNS: usize = 3;
/// Least number of rows of such a table: a line or two with bars are as often a pipeline of
/// commands.
const ROWS: usize = 2;

/// The shown text, and the passage's bytes that its parts show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) text: String,
    /// Parts in the order of the text; text between them is not in the passage.
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    /// Byte of the shown text at which the part begins.
    at: usize,
    source: Range<usize>,
}

impl Shown {
    /// Converts a passage's text to its shown form.
    pub(super) fn of(text: &str) -> Self {
        let lines: Vec<Range<usize>> = lines(text).collect();
        let mut shown = Self::default();
        let (mut at, mut from, mut is_code) = (0, 0, false);
        while at < lines.len() {
            is_code ^= is_fence(&text[lines[at].clone()]);
            let Some(table) = Table::at(text, &lines[at..]).filter(|_| !is_code) else {
                at += 1;
                continue;
            };
            shown.show(text, from..lines[at].start);
            for row in &lines[at + table.header_lines..at + table.lines] {
                shown.row(text, &table.header, &cells(text, row.clone()));
            }
            at += table.lines;
            from = lines.get(at).map_or(text.len(), |line| line.start);
        }
        shown.show(text, from..text.len());
        shown
    }

    /// The bytes of the passage that `range` of the shown text shows; if it spans several parts,
    /// those of the part it overlaps most. `None` when it shows none.
    pub(super) fn source(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let overlap = |part: &Part| {
            let (start, end) = (range.start.max(part.at), range.end.min(part.at + part.source.len()));
            let from = |at: usize| part.source.start + (at - part.at);
            (start < end).then(|| from(start)..from(end))
        };
        // The first of equal overlaps: `max_by_key` returns the last.
        self.parts.iter().rev().filter_map(overlap).max_by_key(Range::len)
    }

    fn show(&mut self, text: &str, source: Range<usize>) {
        if !source.is_empty() {
            self.parts.push(Part { at: self.text.len(), source: source.clone() });
            self.text.push_str(&text[source]);
        }
    }

    fn row(&mut self, text: &str, header: &[Range<usize>], cells: &[Range<usize>]) {
        let start = self.text.len();
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            if self.text.len() > start {
                self.text.push_str("; ");
            }
            if let Some(name) = header.get(column).filter(|name| !name.is_empty()) {
                self.show(text, name.clone());
                self.text.push_str(": ");
            }
            self.show(text, cell.clone());
        }
        if self.text.len() > start {
            self.text.push_str(".\n");
        }
    }
}

/// A table at the start of a text.
struct Table {
    header: Vec<Range<usize>>,
    /// Number of lines before the first row.
    header_lines: usize,
    /// Number of lines in total.
    lines: usize,
}

impl Table {
    fn at(text: &str, lines: &[Range<usize>]) -> Option<Self> {
        let header = cells(text, lines[0].clone());
        let is_row = |line: &Range<usize>| text[line.clone()].contains('|');
        if header.len() < 2 || !is_row(&lines[0]) {
            return None;
        }
        // With a rule as in CommonMark, or without one, as in the text of a web page.
        let is_ruled = lines.get(1).is_some_and(|line| is_rule(&text[line.clone()]));
        let header_lines = if is_ruled { 2 } else { 1 };
        let is_name = |cell: &Range<usize>| {
            !cell.is_empty() && !text[cell.clone()].contains(|c: char| c.is_ascii_digit())
        };
        if !is_ruled && (header.len() < COLUMNS || !header.iter().all(is_name)) {
            return None;
        }
        // No line is read again unless it is one of a few, so that a text of bars takes linear
        // time.
        let as_many = |row: &Range<usize>| is_ruled || cells(text, row.clone()).len() == header.len();
        let rows = lines.iter().skip(header_lines).take_while(|line| is_row(line) && as_many(line)).count();
        let is_table = rows >= if is_ruled { 1 } else { ROWS };
        let lines = header_lines + rows;
        is_table.then_some(Self { header, header_lines, lines })
    }
}

/// The lines of a text, without their line ends.
fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let at = start;
        start += line.len();
        at..at + line.trim_end_matches(['\n', '\r']).len()
    })
}

/// True for a line that opens or closes a code block.
fn is_fence(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("```") || line.starts_with("~~~")
}

/// True for the line between a header and its rows.
fn is_rule(line: &str) -> bool {
    line.contains('-')
        && line.contains('|')
        && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t'))
}

/// The cells of a row, without blanks at their edges. A bar after a backslash does not end a cell.
fn cells(text: &str, line: Range<usize>) -> Vec<Range<usize>> {
    let trimmed = |range: Range<usize>| {
        let cell = &text[range.clone()];
        let start = range.start + (cell.len() - cell.trim_start().len());
        start..start + cell.trim().len()
    };
    let row = trimmed(line);
    let (mut start, mut end) = (row.start, row.end);
    if text[row.clone()].starts_with('|') {
        start += 1;
    }
    if text[start..end].ends_with('|') && !text[start..end].ends_with("\\|") {
        end -= 1;
    }
    let (mut cells, mut from, mut is_escaped) = (Vec::new(), start, false);
    for (at, c) in text[start..end].char_indices() {
        if c == '|' && !is_escaped {
            cells.push(trimmed(from..start + at));
            from = start + at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    cells.push(trimmed(from..end));
    cells
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLANS: &str = "Limits:\n\n| Plan | Requests | Note |\n|:--|--:|---|\n| Free | 30 | |\n| Growth | 300 | a \\| b |\n\nAsk us.";

    #[test]
    fn each_cell_of_a_row_has_the_name_of_its_column_before_it() {
        let shown = Shown::of(PLANS);
        let expected =
            "Limits:\n\nPlan: Free; Requests: 30.\nPlan: Growth; Requests: 300; Note: a \\| b.\n\nAsk us.";
        assert_eq!(shown.text, expected);
        for said in ["300", "Growth", "a \\| b", "Ask us.", "Limits:"] {
            let at = shown.text.find(said).unwrap();
            assert_eq!(&PLANS[shown.source(&(at..at + said.len())).unwrap()], said);
        }
        let at = shown.text.rfind("Requests").unwrap();
        let name = shown.source(&(at..at + 8)).unwrap();
        assert_eq!((name.clone(), &PLANS[name]), (18..26, "Requests"));
        let at = shown.text.find("Growth; Requests: 300").unwrap();
        assert_eq!(&PLANS[shown.source(&(at..at + 21)).unwrap()], "Requests");
        assert_eq!(shown.source(&(at + 6..at + 8)), None);
    }

    #[test]
    fn rows_of_a_web_page_have_a_header_where_it_looks_like_one() {
        let page = "Plan | Price | Seats\nFree | 0 | 1\nTeam | 12 | 5";
        let expected = "Plan: Free; Price: 0; Seats: 1.\nPlan: Team; Price: 12; Seats: 5.\n";
        assert_eq!(Shown::of(page).text, expected);
        for same in
            ["Name | Ada\nBorn | 1815", "a | b | 3\nc | d | 4", "x || y\nz", "a | b", "|", "| a |\n|---|\n"]
        {
            assert_eq!(Shown::of(same).text, same);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_of_the_passage_is_what_stands_there(
            text in proptest::collection::vec("(\\| )?[a-zé5\\\\]{0,3}( \\| [a-zé5]{0,3}){0,3}( \\|)?|\\|--\\|--\\||\\r|", 0..9),
        ) {
            let text = text.join("\n");
            let shown = Shown::of(&text);
            for part in &shown.parts {
                let range = part.at..part.at + part.source.len();
                prop_assert_eq!(&shown.text[range.clone()], &text[part.source.clone()]);
                prop_assert_eq!(shown.source(&range), Some(part.source.clone()));
            }
            let letters = |text: &str| -> std::collections::BTreeSet<char> {
                text.chars().filter(|c| c.is_alphanumeric()).collect()
            };
            prop_assert!(letters(&shown.text).is_subset(&letters(&text)));
            prop_assert_eq!(Shown::of(&shown.text.replace('|', "/")).text, shown.text.replace('|', "/"));
        }
    }
}
