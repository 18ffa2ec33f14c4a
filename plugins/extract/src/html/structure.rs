//! The outline of a page, put together while its text is written: places are only known when text
//! follows.

use std::ops::Range;

use postil_text::{Bound, Heading, Kind, Lead, Mark, Outline};

use super::writer::{Gap, Spot, Writer};

/// The structure of a page, as far as it has been read.
#[derive(Debug, Default)]
pub(super) struct Structure {
    marks: Vec<(Spot, Bound, Kind)>,
    headings: Vec<HeadingAt>,
    rows: Vec<Row>,
    tables: Vec<Table>,
    /// The open tables, the innermost last.
    open: Vec<OpenTable>,
}

#[derive(Debug)]
struct HeadingAt {
    level: usize,
    start: Spot,
    /// Bytes of text when it ended.
    end: usize,
}

#[derive(Debug)]
struct Row {
    start: Spot,
    table: usize,
    is_first: bool,
    is_header: bool,
    cells: usize,
}

/// Ranges of a table's caption and header rows.
#[derive(Clone, Debug, Default)]
struct Table {
    caption: Option<(Spot, usize)>,
    header: Option<(Spot, usize)>,
    has_rows: bool,
    has_body: bool,
}

#[derive(Debug, Default)]
struct OpenTable {
    table: usize,
    in_head: bool,
    /// Number of rows still to come that a cell above spans, for each column.
    carried: Vec<usize>,
    caption: Option<Spot>,
    row: Option<OpenRow>,
}

#[derive(Debug)]
struct OpenRow {
    start: Spot,
    /// Bytes of text before it.
    from: usize,
    /// Bytes of text before its last cell.
    cell_from: usize,
    cells: usize,
    headers: usize,
    /// Column of its last cell.
    column: usize,
    /// Columns and rows of that cell; 0 columns before the first.
    span: usize,
    rows: usize,
}

/// Most columns of a table that are kept apart.
const MAX_COLUMNS: usize = 256;
/// Most rows that a cell can span, as in the HTML standard.
const MAX_ROWS: usize = 65_534;

impl OpenRow {
    /// Advances to the next column that no cell above spans; returns the number of columns passed.
    fn advance(&mut self, carried: &mut Vec<usize>) -> usize {
        let from = self.column;
        let end = (self.column + self.span).min(MAX_COLUMNS);
        if carried.len() < end {
            carried.resize(end, 0);
        }
        for rows in &mut carried[self.column.min(end)..end] {
            *rows = self.rows.saturating_sub(1);
        }
        self.column = end;
        while let Some(rows) = carried.get_mut(self.column).filter(|rows| **rows > 0) {
            *rows -= 1;
            self.column += 1;
        }
        (self.span, self.rows) = (0, 1);
        self.column - from
    }
}

impl Structure {
    /// Marks how the text that follows is cut.
    pub(super) fn mark(&mut self, writer: &mut Writer<'_>, bound: Bound, kind: Kind) {
        // The parts of a row stay together.
        if !self.is_in_row() {
            self.marks.push((writer.spot(), bound, kind));
        }
    }

    pub(super) fn is_in_row(&self) -> bool {
        self.open.last().is_some_and(|table| table.row.is_some())
    }

    /// True when the next text is the first of a cell.
    pub(super) fn begins_cell(&self, writer: &Writer<'_>) -> bool {
        let row = self.open.last().and_then(|table| table.row.as_ref());
        row.is_some_and(|row| row.cell_from == writer.len())
    }

    pub(super) fn open_heading(&mut self, writer: &mut Writer<'_>, level: u8) {
        self.headings.push(HeadingAt { level: level.into(), start: writer.spot(), end: 0 });
    }

    pub(super) fn close_heading(&mut self, writer: &Writer<'_>) {
        if let Some(heading) = self.headings.last_mut() {
            heading.end = writer.len();
        }
    }

    pub(super) fn open_table(&mut self) {
        self.open.push(OpenTable { table: self.tables.len(), ..OpenTable::default() });
        self.tables.push(Table::default());
    }

    pub(super) fn close_table(&mut self, writer: &mut Writer<'_>) {
        self.close_row(writer);
        self.open.pop();
        self.mark(writer, Bound::Paragraph, Kind::Prose);
    }

    /// Sets whether the rows that follow belong to the table's head.
    pub(super) fn head(&mut self, writer: &mut Writer<'_>, is_head: bool) {
        self.close_row(writer);
        if let Some(open) = self.open.last_mut() {
            open.in_head = is_head;
        }
    }

    pub(super) fn open_caption(&mut self, writer: &mut Writer<'_>) {
        self.close_row(writer);
        self.mark(writer, Bound::Paragraph, Kind::Prose);
        if let Some(open) = self.open.last_mut() {
            open.caption = Some(writer.spot());
        }
    }

    pub(super) fn close_caption(&mut self, writer: &Writer<'_>) {
        let Some(open) = self.open.last_mut() else { return };
        if let Some(start) = open.caption.take() {
            self.tables[open.table].caption = Some((start, writer.len()));
        }
    }

    pub(super) fn open_row(&mut self, writer: &mut Writer<'_>) {
        self.close_row(writer);
        if let Some(open) = self.open.last_mut() {
            let is_first = !self.tables[open.table].has_rows;
            writer.begin(if is_first { Gap::Paragraph } else { Gap::Line });
            let (start, from) = (writer.spot(), writer.len());
            let (cells, headers, column, span, rows) = (0, 0, 0, 0, 1);
            open.row = Some(OpenRow { start, from, cell_from: from, cells, headers, column, span, rows });
        }
    }

    pub(super) fn close_row(&mut self, writer: &mut Writer<'_>) {
        let Some(open) = self.open.last_mut() else { return };
        let Some(mut row) = open.row.take() else { return };
        row.advance(&mut open.carried);
        // Cells that span the columns after the last one have one row less to go.
        let rest = row.column.min(open.carried.len());
        open.carried[rest..].iter_mut().for_each(|rows| *rows = rows.saturating_sub(1));
        writer.begin(Gap::Line);
        if writer.len() == row.from {
            return;
        }
        let table = &mut self.tables[open.table];
        let is_header = !table.has_body && (open.in_head || row.headers == row.cells && row.cells > 0);
        if is_header {
            let end = writer.len();
            table.header = Some((table.header.map_or(row.start, |(start, _)| start), end));
        } else {
            table.has_body = true;
        }
        let is_first = !std::mem::replace(&mut table.has_rows, true);
        self.rows.push(Row { start: row.start, table: open.table, is_first, is_header, cells: row.cells });
    }

    /// A cell begins.
    pub(super) fn cell(&mut self, writer: &mut Writer<'_>, is_header: bool) {
        if self.open.is_empty() {
            writer.gap(Gap::Cell);
            return;
        }
        if !self.is_in_row() {
            self.open_row(writer);
        }
        let Some(OpenTable { row: Some(row), carried, .. }) = self.open.last_mut() else { return };
        if row.cells > 0 && writer.len() > row.cell_from {
            // Gaps that the cell before asked for at its end.
            writer.begin(Gap::None);
        }
        writer.bars(row.advance(carried));
        row.span = 1;
        row.cell_from = writer.len();
        row.cells += 1;
        row.headers += usize::from(is_header);
    }

    /// An attribute of the cell that began last.
    pub(super) fn attribute(&mut self, name: &[u8], value: &[u8]) {
        let Some(row) = self.open.last_mut().and_then(|open| open.row.as_mut()) else { return };
        let number = std::str::from_utf8(value).ok().and_then(|value| value.trim().parse::<usize>().ok());
        match (name, number) {
            (b"colspan", Some(columns)) => row.span = columns.clamp(1, MAX_COLUMNS),
            (b"rowspan", Some(rows)) => row.rows = rows.clamp(1, MAX_ROWS),
            _ => {}
        }
    }

    /// The outline of the text that was written.
    pub(super) fn finish(mut self, mut writer: Writer<'_>) -> (Outline, Writer<'_>) {
        while !self.open.is_empty() {
            self.close_table(&mut writer);
        }
        let place = |spot: Spot| writer.place(spot);
        let mut marks: Vec<Mark> = Vec::new();
        let mut mark = |at: usize, bound, kind, lead| marks.push(Mark { at, bound, kind, lead });
        for (spot, bound, kind) in self.marks {
            if let Some(at) = place(spot) {
                mark(at, bound, kind, None);
            }
        }
        let mut headings: Vec<Heading> = Vec::new();
        for HeadingAt { level, start, end } in self.headings {
            let Some(start) = place(start).filter(|&start| start < end) else { continue };
            if headings.last().is_some_and(|last| last.range.end > start) {
                continue;
            }
            let mut heading = Heading::new(level, start..end);
            // After the signs that stand for its level.
            heading.extend_title(writer.text().get(start + level + 1..end).unwrap_or_default());
            mark(start, Bound::Paragraph, Kind::Prose, None);
            mark(end, Bound::Paragraph, Kind::Prose, None);
            headings.push(heading);
        }
        for row in &self.rows {
            let Some(at) = place(row.start) else { continue };
            let bound = if row.is_first { Bound::Paragraph } else { Bound::Sentence };
            let lead = self.tables[row.table].lead(place).filter(|lead| !row.is_header && lead.end <= at);
            // A table of a single cell is more likely page layout.
            let kind = if row.cells > 1 || row.is_header { Kind::Row } else { Kind::Prose };
            mark(at, bound, kind, lead.filter(|_| kind == Kind::Row));
        }
        (Outline::new(headings, marks), writer)
    }
}

impl Table {
    fn lead(&self, place: impl Fn(Spot) -> Option<usize>) -> Option<Lead> {
        let range = |part: Option<(Spot, usize)>| -> Option<Range<usize>> {
            let (start, end) = part?;
            place(start).map(|start| start..end).filter(|range| !range.is_empty())
        };
        match (range(self.caption), range(self.header)) {
            (Some(caption), Some(header)) if caption.end <= header.start => {
                Some(Lead { start: caption.start, header: header.start, end: header.end })
            }
            (_, Some(alone)) | (Some(alone), None) => {
                Some(Lead { start: alone.start, header: alone.start, end: alone.end })
            }
            (None, None) => None,
        }
    }
}
