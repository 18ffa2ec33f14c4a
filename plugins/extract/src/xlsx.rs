//! Workbooks: each sheet as a table, with values as they are shown.

use std::collections::HashMap;

use postil_contract::Spot;

use crate::builder::Builder;
use crate::docx::title;
use crate::error::ExtractError;
use crate::extracted::Extracted;
use crate::numbers::{Style, shown};
use crate::package::{Package, beside, has_file};
use crate::reader::{Budget, Input, Reader};
use crate::xml::{Step, relations, relations_path, walk};

/// The part with the names of the sheets.
const MAIN: &str = "xl/workbook.xml";

pub(crate) const READER: Reader =
    Reader { endings: &["xlsx", "xlsm", "xltx"], is: |bytes| has_file(bytes, MAIN), read };

fn read(input: Input<'_>) -> Result<Extracted, ExtractError> {
    let mut package = Package::open(input)?;
    let budget = &input.budget;
    let (mut sheets, mut from_1904) = (Vec::new(), false);
    let main = package.needed(MAIN)?;
    walk(MAIN, &main, budget, |step| {
        if let Step::Open(tag) = step {
            match tag.name.as_str() {
                "sheet" => {
                    let get = |name: Option<&str>| name.unwrap_or("").to_owned();
                    sheets.push((get(tag.get("name")), get(tag.last("id"))));
                }
                "workbookPr" => from_1904 = matches!(tag.get("date1904"), Some("1" | "true")),
                _ => {}
            }
        }
        Ok(())
    })?;
    let links: Vec<_> = match package.bytes(&relations_path(MAIN))? {
        Some(bytes) => relations(&bytes, budget)?,
        None => Vec::new(),
    };
    let texts = match package.bytes("xl/sharedStrings.xml")? {
        Some(bytes) => shared(&bytes, budget)?,
        None => Vec::new(),
    };
    let styles = match package.bytes("xl/styles.xml")? {
        Some(bytes) => styles(&bytes, budget)?,
        None => Vec::new(),
    };
    let mut builder = Builder::default();
    for (name, id) in sheets {
        let Some((_, _, target)) = links.iter().find(|(of, ..)| *of == id) else { continue };
        let part = beside(MAIN, target);
        let Some(bytes) = package.bytes(&part)? else {
            builder.unread(format!("sheet {name}: the archive does not have it"));
            continue;
        };
        let sheet = builder.places().name(&name);
        builder.at(Spot::Row { sheet, row: 1, first: 0, last: 0 });
        builder.heading(1, &name);
        builder.begin_table(None);
        let cells = Cells { texts: &texts, styles: &styles, from_1904, sheet };
        cells.read(&part, &bytes, &mut builder, budget)?;
        builder.end_table();
        let Some(bytes) = package.bytes(&relations_path(&part))? else { continue };
        for (_, kind, target) in relations(&bytes, budget)? {
            if matches!(kind.as_str(), "comments" | "drawing") {
                let path = beside(&part, &target);
                for text in package
                    .bytes(&path)?
                    .map(|bytes| texts_of(&path, &bytes, budget))
                    .transpose()?
                    .into_iter()
                    .flatten()
                {
                    builder.paragraph(&text);
                }
            }
        }
    }
    let title = package.bytes("docProps/core.xml")?.map(|bytes| title(&bytes, budget)).transpose()?;
    Ok(builder.finish(title.flatten()))
}

/// Texts of comments and of text boxes.
fn texts_of(part: &str, bytes: &[u8], budget: &Budget) -> Result<Vec<String>, ExtractError> {
    let (mut texts, mut text, mut in_text) = (Vec::new(), String::new(), false);
    walk(part, bytes, budget, |step| {
        match step {
            Step::Open(tag) => in_text = tag.name == "t",
            Step::Text(part) if in_text => text.push_str(&part),
            Step::Text(_) => {}
            Step::Close(name) => {
                in_text = false;
                if matches!(name.as_str(), "p" | "comment") && !text.is_empty() {
                    texts.push(std::mem::take(&mut text));
                }
            }
        }
        Ok(())
    })?;
    Ok(texts)
}

/// The texts that cells share.
fn shared(bytes: &[u8], budget: &Budget) -> Result<Vec<String>, ExtractError> {
    let (mut texts, mut text, mut in_text, mut phonetic) = (Vec::new(), String::new(), false, false);
    walk("xl/sharedStrings.xml", bytes, budget, |step| {
        match step {
            Step::Open(tag) => match tag.name.as_str() {
                "t" => in_text = true,
                "rPh" => phonetic = true,
                _ => {}
            },
            Step::Text(part) if in_text && !phonetic => text.push_str(&part),
            Step::Text(_) => {}
            Step::Close(name) => match name.as_str() {
                "t" => in_text = false,
                "rPh" => phonetic = false,
                "si" => texts.push(std::mem::take(&mut text)),
                _ => {}
            },
        }
        Ok(())
    })?;
    Ok(texts)
}

/// The number format of each style of cells.
fn styles(bytes: &[u8], budget: &Budget) -> Result<Vec<Style>, ExtractError> {
    let (mut own, mut styles, mut in_cells) = (HashMap::new(), Vec::new(), false);
    walk("xl/styles.xml", bytes, budget, |step| {
        match step {
            Step::Open(tag) => match tag.name.as_str() {
                "numFmt" => {
                    if let (Some(id), Some(code)) = (tag.number("numFmtId"), tag.get("formatCode")) {
                        own.insert(id, code.to_owned());
                    }
                }
                "cellXfs" => in_cells = true,
                "xf" if in_cells => {
                    let id = tag.number("numFmtId").unwrap_or(0);
                    styles.push(Style::new(id, own.get(&id).map(String::as_str)));
                }
                _ => {}
            },
            Step::Close(name) if name == "cellXfs" => in_cells = false,
            _ => {}
        }
        Ok(())
    })?;
    Ok(styles)
}

struct Cells<'a> {
    texts: &'a [String],
    styles: &'a [Style],
    from_1904: bool,
    sheet: u32,
}

impl Cells<'_> {
    fn read(
        &self,
        part: &str,
        bytes: &[u8],
        builder: &mut Builder,
        budget: &Budget,
    ) -> Result<(), ExtractError> {
        let (mut row, mut number, mut is_first) = (Vec::<(u32, String)>::new(), 0_u32, true);
        let (mut column, mut kind, mut style, mut value, mut in_value) =
            (0_u32, String::new(), 0, String::new(), false);
        walk(part, bytes, budget, |step| {
            match step {
                Step::Open(tag) => match tag.name.as_str() {
                    "row" => {
                        number = tag.number("r").map_or(number + 1, |row| row.min(1 << 24) as u32);
                        column = 0;
                    }
                    "c" => {
                        column = tag.get("r").and_then(column_of).unwrap_or(column);
                        kind = tag.get("t").unwrap_or("n").to_owned();
                        style = tag.number("s").unwrap_or(0);
                        value.clear();
                    }
                    "v" | "t" => in_value = true,
                    _ => {}
                },
                Step::Text(text) if in_value => value.push_str(&text),
                Step::Text(_) => {}
                Step::Close(name) => match name.as_str() {
                    "v" | "t" => in_value = false,
                    "c" => {
                        let text = self.value(&kind, style, &value);
                        if !text.trim().is_empty() {
                            row.push((column, text));
                        }
                        column = column.saturating_add(1);
                    }
                    "row" => {
                        if let (Some(first), Some(last)) = (row.first(), row.last()) {
                            let (first, last) = (first.0, last.0);
                            builder.at(Spot::Row { sheet: self.sheet, row: number, first, last });
                            let texts: Vec<&str> = row.iter().map(|(_, text)| text.as_str()).collect();
                            builder.row(&texts, is_first);
                            is_first = false;
                        }
                        row.clear();
                    }
                    _ => {}
                },
            }
            budget.text(builder.len())
        })
    }

    fn value(&self, kind: &str, style: usize, value: &str) -> String {
        match kind {
            "s" => value
                .trim()
                .parse()
                .ok()
                .and_then(|at: usize| self.texts.get(at))
                .cloned()
                .unwrap_or_default(),
            "b" => if value.trim() == "1" { "TRUE" } else { "FALSE" }.to_owned(),
            "n" => match (value.trim().parse::<f64>(), self.styles.get(style)) {
                (Ok(number), Some(style)) => shown(number, style, self.from_1904),
                _ => value.to_owned(),
            },
            _ => value.to_owned(),
        }
    }
}

/// The column of a cell's name, from 0.
fn column_of(cell: &str) -> Option<u32> {
    let mut column = 0_u32;
    for letter in cell.bytes().take_while(u8::is_ascii_alphabetic).take(3) {
        column = column * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1;
    }
    column.checked_sub(1)
}
