//! Values that are parted by commas, semicolons or tabs, as one table.

use postil_contract::Spot;

use crate::builder::Builder;
use crate::error::ExtractError;
use crate::extracted::Extracted;
use crate::plain::utf8;
use crate::reader::{Input, Reader};

/// Bytes at the beginning in which separators are counted.
const HEAD_BYTES: usize = 64 << 10;

pub(crate) const CSV: Reader =
    Reader { endings: &["csv"], is: |_| false, read: |input| read(input, &[',', ';', '\t']) };

pub(crate) const TSV: Reader =
    Reader { endings: &["tsv", "tab"], is: |_| false, read: |input| read(input, &['\t']) };

fn read(input: Input<'_>, separators: &[char]) -> Result<Extracted, ExtractError> {
    let (source, start) = utf8(input.bytes)?;
    let source = &source[start..];
    let head = &source[..source.floor_char_boundary(HEAD_BYTES)];
    let separator = separators.iter().copied().max_by_key(|separator| {
        // The first of equals counts.
        (
            head.matches(*separator).count(),
            separators.len() - separators.iter().position(|of| of == separator).unwrap_or(0),
        )
    });
    let mut builder = Builder::default();
    let sheet = builder.places().name("1");
    builder.begin_table(None);
    for (number, row) in (1..).zip(Rows { rest: source, separator: separator.unwrap_or(',') }) {
        let last = row.len().saturating_sub(1) as u32;
        builder.at(Spot::Row { sheet, row: number, first: 0, last });
        builder.row(&row, number == 1);
        if number.is_multiple_of(4096) {
            input.budget.time()?;
        }
    }
    builder.end_table();
    Ok(builder.finish(None))
}

/// The rows of a text, by RFC 4180; a quote that is not closed ends with the text.
struct Rows<'a> {
    rest: &'a str,
    separator: char,
}

impl Iterator for Rows<'_> {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        if self.rest.is_empty() {
            return None;
        }
        let (mut row, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
        let mut chars = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' if is_quoted => match chars.next_if(|(_, next)| *next == '"') {
                    Some(_) => cell.push('"'),
                    None => is_quoted = false,
                },
                '"' if cell.is_empty() => is_quoted = true,
                c if is_quoted => cell.push(c),
                c if c == self.separator => row.push(std::mem::take(&mut cell)),
                '\n' => {
                    end = at + 1;
                    break;
                }
                '\r' => {}
                c => cell.push(c),
            }
        }
        row.push(cell);
        self.rest = &self.rest[end..];
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Kind, extract};

    #[test]
    fn cells_in_quotes_may_have_separators_and_lines() {
        let table =
            extract(b"name;note\r\n\"Lee; Kim\";\"two\nlines, \"\"quoted\"\"\"\r\n", Kind::Csv).unwrap();
        assert_eq!(table.text, "name | note\nLee; Kim | two lines, \"quoted\"");
        assert_eq!(table.places.locate(12..20).unwrap().to_string(), "1!A2:B2");
    }
}
