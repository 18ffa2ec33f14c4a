//! Word documents: paragraphs, headings, lists, tables, notes, comments and text boxes, with tracked
//! changes accepted.

use std::collections::HashMap;

use postil_contract::Spot;

use crate::builder::Builder;
use crate::error::ExtractError;
use crate::extracted::Extracted;
use crate::package::{Package, has_file};
use crate::reader::{Budget, Input, Reader};
use crate::xml::{Step, Tag, walk};

/// The part with the text.
const MAIN: &str = "word/document.xml";
/// Other parts with text, after the main one.
const OTHERS: [&str; 3] = ["word/footnotes.xml", "word/endnotes.xml", "word/comments.xml"];

pub(crate) const READER: Reader =
    Reader { endings: &["docx", "docm", "dotx"], is: |bytes| has_file(bytes, MAIN), read };

fn read(input: Input<'_>) -> Result<Extracted, ExtractError> {
    let mut package = Package::open(input)?;
    let main = package.needed(MAIN)?;
    let styles = match package.bytes("word/styles.xml")? {
        Some(bytes) => styles(&bytes, &input.budget)?,
        None => HashMap::new(),
    };
    let mut parts: Vec<String> = package.names().collect();
    parts.sort();
    let mut builder = Builder::default();
    let mut margins = Vec::new();
    for part in parts.iter().filter(|part| part.starts_with("word/header") || part.starts_with("word/footer"))
    {
        if let Some(bytes) = package.bytes(part)? {
            margins.push((part.clone(), bytes));
        }
    }
    text(MAIN, &main, &styles, &mut builder, &input.budget)?;
    for part in OTHERS {
        if let Some(bytes) = package.bytes(part)? {
            text(part, &bytes, &styles, &mut builder, &input.budget)?;
        }
    }
    for (part, bytes) in margins {
        text(&part, &bytes, &styles, &mut builder, &input.budget)?;
    }
    let title = package.bytes("docProps/core.xml")?.map(|bytes| title(&bytes, &input.budget)).transpose()?;
    Ok(builder.finish(title.flatten()))
}

/// The title among the properties of an Office document.
pub(crate) fn title(bytes: &[u8], budget: &Budget) -> Result<Option<String>, ExtractError> {
    let (mut is_title, mut title) = (false, String::new());
    walk("properties", bytes, budget, |step| {
        match step {
            Step::Open(tag) => is_title = tag.name == "title",
            Step::Close(_) => is_title = false,
            Step::Text(text) if is_title => title.push_str(&text),
            Step::Text(_) => {}
        }
        Ok(())
    })?;
    Ok(Some(title).filter(|title| !title.trim().is_empty()))
}

/// Level of each style that is a heading, by its id.
fn styles(bytes: &[u8], budget: &Budget) -> Result<HashMap<String, usize>, ExtractError> {
    let mut levels = HashMap::new();
    let mut id = String::new();
    walk("word/styles.xml", bytes, budget, |step| {
        if let Step::Open(tag) = step {
            match (tag.name.as_str(), tag.get("val")) {
                ("style", _) => id = tag.get("styleId").unwrap_or("").to_owned(),
                ("name", Some(name)) => {
                    let name = name.to_lowercase();
                    if let Some(level) = name.strip_prefix("heading ").and_then(|level| level.parse().ok()) {
                        levels.insert(id.clone(), level);
                    } else if name == "title" {
                        levels.insert(id.clone(), 1);
                    }
                }
                ("outlineLvl", Some(level)) => {
                    if let Some(level) = level.parse::<usize>().ok().filter(|level| *level < 9) {
                        levels.entry(id.clone()).or_insert(level + 1);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    })?;
    Ok(levels)
}

/// A paragraph that is being read.
#[derive(Default)]
struct Paragraph {
    text: String,
    level: Option<usize>,
    /// Depth of the list it is an item of.
    list: Option<usize>,
}

/// A table that is being read.
#[derive(Default)]
struct Table {
    rows: Vec<(Vec<String>, bool)>,
    row: Vec<String>,
    is_header: bool,
    cell: String,
}

/// The state of reading a part.
struct Body<'a> {
    builder: &'a mut Builder,
    styles: &'a HashMap<String, usize>,
    part: u32,
    paragraphs: u32,
    open: Vec<Paragraph>,
    tables: Vec<Table>,
    /// Elements whose text is left out, that are open.
    dropped: usize,
    in_text: bool,
}

fn text(
    part: &str,
    bytes: &[u8],
    styles: &HashMap<String, usize>,
    builder: &mut Builder,
    budget: &Budget,
) -> Result<(), ExtractError> {
    let name = builder.places().name(part);
    let (open, tables) = (Vec::new(), Vec::new());
    let mut body =
        Body { builder, styles, part: name, paragraphs: 0, open, tables, dropped: 0, in_text: false };
    walk(part, bytes, budget, |step| {
        match step {
            Step::Open(tag) => body.begin(&tag),
            Step::Close(name) => body.end(&name),
            Step::Text(text) if body.in_text && body.dropped == 0 => {
                if let Some(open) = body.open.last_mut() {
                    open.text.push_str(&text);
                }
            }
            Step::Text(_) => {}
        }
        budget.text(body.builder.len())
    })?;
    while !body.open.is_empty() {
        body.end("p");
    }
    while !body.tables.is_empty() {
        body.end("tc");
        body.end("tr");
        body.end("tbl");
    }
    Ok(())
}

/// Deletions, what was moved away, and the fallback of what is there in a newer form.
fn is_dropped(name: &str) -> bool {
    matches!(name, "del" | "moveFrom" | "Fallback" | "delText" | "delInstrText")
}

impl Body<'_> {
    fn begin(&mut self, tag: &Tag) {
        let name = tag.name.as_str();
        if is_dropped(name) {
            self.dropped += 1;
            return;
        }
        let push = |open: &mut Vec<Paragraph>, text: &str| {
            if let Some(open) = open.last_mut() {
                open.text.push_str(text);
            }
        };
        match name {
            "p" => self.open.push(Paragraph::default()),
            "pStyle" => {
                let level = tag.get("val").and_then(|style| self.styles.get(style)).copied();
                if let Some(open) = self.open.last_mut() {
                    open.level = level.or(open.level);
                }
            }
            "numPr" => {
                if let Some(open) = self.open.last_mut() {
                    open.list = Some(open.list.unwrap_or(0));
                }
            }
            "ilvl" => {
                if let Some(open) = self.open.last_mut() {
                    open.list = tag.number("val").or(open.list);
                }
            }
            "t" => self.in_text = true,
            _ if self.dropped > 0 => {}
            "tab" | "ptab" if !self.is_in_properties(tag) => push(&mut self.open, " "),
            "br" | "cr" => push(&mut self.open, "\n"),
            "noBreakHyphen" => push(&mut self.open, "-"),
            "tbl" => self.tables.push(Table::default()),
            "tblHeader" if tag.get("val").is_none_or(|val| val != "0" && val != "false") => {
                if let Some(table) = self.tables.last_mut() {
                    table.is_header = true;
                }
            }
            _ => {}
        }
    }

    /// A tab stop, which is no tab.
    fn is_in_properties(&self, tag: &Tag) -> bool {
        tag.get("pos").is_some()
    }

    fn end(&mut self, name: &str) {
        if is_dropped(name) {
            self.dropped = self.dropped.saturating_sub(1);
            return;
        }
        match name {
            "t" => self.in_text = false,
            "p" => {
                if let Some(paragraph) = self.open.pop() {
                    self.paragraph(&paragraph);
                }
            }
            "tc" => {
                if let Some(table) = self.tables.last_mut() {
                    table.row.push(std::mem::take(&mut table.cell));
                }
            }
            "tr" => {
                if let Some(table) = self.tables.last_mut() {
                    let row = std::mem::take(&mut table.row);
                    table.rows.push((row, std::mem::take(&mut table.is_header)));
                }
            }
            "tbl" => {
                if let Some(table) = self.tables.pop() {
                    self.table(table);
                }
            }
            _ => {}
        }
    }

    fn paragraph(&mut self, paragraph: &Paragraph) {
        self.paragraphs += 1;
        if let Some(table) = self.tables.last_mut() {
            if !table.cell.is_empty() {
                table.cell.push('\n');
            }
            table.cell.push_str(&paragraph.text);
            return;
        }
        self.builder.at(Spot::Paragraph { part: self.part, paragraph: self.paragraphs });
        match (paragraph.level, paragraph.list) {
            (Some(level), _) => self.builder.heading(level, &paragraph.text),
            (None, Some(depth)) => self.builder.item(depth, "-", &paragraph.text),
            (None, None) => self.builder.paragraph(&paragraph.text),
        }
    }

    fn table(&mut self, table: Table) {
        // A table in a cell is text of the cell.
        if let Some(outer) = self.tables.last_mut() {
            for (row, _) in table.rows {
                outer.cell.push('\n');
                outer.cell.push_str(&row.join(" "));
            }
            return;
        }
        self.builder.at(Spot::Paragraph { part: self.part, paragraph: self.paragraphs });
        self.builder.begin_table(None);
        let marked = table.rows.iter().any(|(_, is_header)| *is_header);
        let several = table.rows.len() > 1;
        for (index, (row, is_header)) in table.rows.iter().enumerate() {
            self.builder.row(row, *is_header || !marked && several && index == 0);
        }
        self.builder.end_table();
    }
}
