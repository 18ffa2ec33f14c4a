//! OpenDocument: texts, spreadsheets and presentations, which share one form.

use postil_contract::Spot;

use crate::builder::Builder;
use crate::docx::title;
use crate::error::ExtractError;
use crate::extracted::Extracted;
use crate::package::{Package, media_type};
use crate::reader::{Input, Reader};
use crate::xml::{Step, Tag, walk};

/// The part with the text.
const MAIN: &str = "content.xml";
/// Most times that a cell or a row that stands for several is repeated.
const MAX_REPEATED: usize = 64;

pub(crate) const READER: Reader = Reader {
    endings: &["odt", "ods", "odp", "ott", "ots", "otp"],
    is: |bytes| {
        media_type(bytes).is_some_and(|media| media.starts_with("application/vnd.oasis.opendocument"))
    },
    read,
};

fn read(input: Input<'_>) -> Result<Extracted, ExtractError> {
    let mut package = Package::open(input)?;
    if let Some(manifest) = package.bytes("META-INF/manifest.xml")? {
        let mut encrypted = false;
        walk("manifest", &manifest, &input.budget, |step| {
            encrypted |= matches!(&step, Step::Open(tag) if tag.name == "encryption-data");
            Ok(())
        })?;
        if encrypted {
            return Err(ExtractError::Encryption { method: "OpenDocument" });
        }
    }
    let main = package.needed(MAIN)?;
    let mut builder = Builder::default();
    let mut body = Body::new(&mut builder);
    walk(MAIN, &main, &input.budget, |step| {
        match step {
            Step::Open(tag) => body.begin(&tag),
            Step::Close(name) => body.end(&name),
            Step::Text(text) => body.text(&text),
        }
        input.budget.text(body.builder.len())
    })?;
    body.finish();
    let title = package.bytes("meta.xml")?.map(|bytes| title(&bytes, &input.budget)).transpose()?;
    Ok(builder.finish(title.flatten()))
}

/// A table that is being read.
#[derive(Default)]
struct Table {
    name: String,
    row: Vec<String>,
    /// Row of the sheet, from 1.
    number: u32,
    cell: String,
    cell_repeated: usize,
    row_repeated: usize,
    in_header: bool,
    has_rows: bool,
}

struct Body<'a> {
    builder: &'a mut Builder,
    part: u32,
    paragraphs: u32,
    /// Paragraphs that are open: text, and level of a heading.
    open: Vec<(String, Option<usize>)>,
    lists: usize,
    tables: Vec<Table>,
    /// Notes and comments of the paragraph that is open, written after it.
    notes: Vec<String>,
    note: Option<String>,
    slide: u32,
    dropped: usize,
    is_sheet: bool,
}

/// Elements whose text was deleted, or is about the text.
fn is_dropped(name: &str) -> bool {
    matches!(
        name,
        "tracked-changes" | "note-citation" | "creator" | "date-string" | "forms" | "sender-initials"
    )
}

impl<'a> Body<'a> {
    fn new(builder: &'a mut Builder) -> Self {
        let part = builder.places().name(MAIN);
        let (open, tables, notes, note) = (Vec::new(), Vec::new(), Vec::new(), None);
        let (paragraphs, lists, slide, dropped, is_sheet) = (0, 0, 0, 0, false);
        Self { builder, part, paragraphs, open, lists, tables, notes, note, slide, dropped, is_sheet }
    }

    fn text(&mut self, text: &str) {
        if self.dropped == 0
            && let Some((open, _)) = self.open.last_mut()
        {
            open.push_str(text);
        }
    }

    fn begin(&mut self, tag: &Tag) {
        if is_dropped(&tag.name) {
            self.dropped += 1;
            return;
        }
        match tag.name.as_str() {
            "spreadsheet" => self.is_sheet = true,
            "p" => self.open.push((String::new(), None)),
            "h" => self.open.push((String::new(), Some(tag.number("outline-level").unwrap_or(1)))),
            "s" => self.text(&" ".repeat(tag.number("c").unwrap_or(1).min(100))),
            "tab" => self.text(" "),
            "line-break" => self.text("\n"),
            "list" => self.lists += 1,
            "note" | "annotation" => self.note = Some(String::new()),
            "page" => {
                self.slide += 1;
                self.builder.at(Spot::Slide(self.slide));
            }
            "table" => {
                let name = tag.get("name").unwrap_or("").to_owned();
                if self.is_sheet {
                    self.builder.heading(1, &name);
                }
                if self.tables.is_empty() {
                    self.builder.begin_table(None);
                }
                self.tables.push(Table { name, ..Table::default() });
            }
            "table-header-rows" => self.tables.iter_mut().for_each(|table| table.in_header = true),
            "table-row" => {
                if let Some(table) = self.tables.last_mut() {
                    table.row_repeated = tag.number("number-rows-repeated").unwrap_or(1).max(1);
                    table.row.clear();
                }
            }
            "table-cell" | "covered-table-cell" => {
                if let Some(table) = self.tables.last_mut() {
                    table.cell_repeated = tag.number("number-columns-repeated").unwrap_or(1).max(1);
                    table.cell.clear();
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if is_dropped(name) {
            self.dropped = self.dropped.saturating_sub(1);
            return;
        }
        match name {
            "p" | "h" => {
                if let Some((text, level)) = self.open.pop() {
                    self.paragraph(&text, level);
                }
            }
            "list" => self.lists = self.lists.saturating_sub(1),
            "note" | "annotation" => self.notes.extend(self.note.take()),
            "table-header-rows" => self.tables.iter_mut().for_each(|table| table.in_header = false),
            "table-cell" | "covered-table-cell" => {
                if let Some(table) = self.tables.last_mut() {
                    let times = if table.cell.is_empty() {
                        table.cell_repeated
                    } else {
                        table.cell_repeated.min(MAX_REPEATED)
                    };
                    let room = (16_384_usize).saturating_sub(table.row.len());
                    let cell = std::mem::take(&mut table.cell);
                    table.row.extend(std::iter::repeat_n(cell, times.min(room)));
                }
            }
            "table-row" => self.row(),
            "table" => {
                self.tables.pop();
                if self.tables.is_empty() {
                    self.builder.end_table();
                }
            }
            _ => {}
        }
    }

    fn row(&mut self) {
        let depth = self.tables.len();
        let Some(table) = self.tables.last_mut() else { return };
        let row = std::mem::take(&mut table.row);
        let first = row.iter().position(|cell| !cell.is_empty());
        let last = row.iter().rposition(|cell| !cell.is_empty());
        let from = table.number + 1;
        table.number = table.number.saturating_add(table.row_repeated.min(u32::MAX as usize) as u32);
        let (Some(first), Some(last)) = (first, last) else { return };
        if depth > 1 {
            let text = row.join(" ");
            if let Some(outer) = self.tables.get_mut(depth - 2) {
                outer.cell.push(' ');
                outer.cell.push_str(&text);
            }
            return;
        }
        let is_header = table.in_header || !table.has_rows;
        table.has_rows = true;
        let times = table.row_repeated.min(MAX_REPEATED) as u32;
        let sheet = self.is_sheet.then(|| table.name.clone());
        for row_number in from..from + times {
            if let Some(sheet) = &sheet {
                let sheet = self.builder.places().name(sheet);
                self.builder.at(Spot::Row { sheet, row: row_number, first: first as u32, last: last as u32 });
            }
            self.builder.row(&row[..=last], is_header && row_number == from);
        }
    }

    fn paragraph(&mut self, text: &str, level: Option<usize>) {
        self.paragraphs += 1;
        if let Some(note) = &mut self.note {
            if !note.is_empty() {
                note.push(' ');
            }
            note.push_str(text);
            return;
        }
        if let Some(table) = self.tables.last_mut() {
            if !table.cell.is_empty() {
                table.cell.push('\n');
            }
            table.cell.push_str(text);
            return;
        }
        if self.slide == 0 {
            self.builder.at(Spot::Paragraph { part: self.part, paragraph: self.paragraphs });
        }
        match (level, self.lists) {
            (Some(level), _) => self.builder.heading(level, text),
            (None, 0) => self.builder.paragraph(text),
            (None, lists) => self.builder.item(lists - 1, "-", text),
        }
        for note in std::mem::take(&mut self.notes) {
            self.builder.paragraph(&note);
        }
    }

    fn finish(mut self) {
        for note in std::mem::take(&mut self.notes) {
            self.builder.paragraph(&note);
        }
        self.builder.end_table();
    }
}
