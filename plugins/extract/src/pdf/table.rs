//! Tables: lines that stand side by side, row after row, in the same columns.

use super::lines::Line;

/// Most words of a cell, on average: columns of prose have more.
const MAX_WORDS: usize = 7;

/// A part of a block.
pub(super) enum Row<'a> {
    Text(&'a Line),
    /// Rows of cells.
    Table(Vec<Vec<&'a Line>>),
}

/// The parts of a block.
pub(super) fn rows(block: &[Line]) -> Vec<Row<'_>> {
    let mut groups: Vec<Vec<&Line>> = Vec::new();
    for line in block {
        match groups.last_mut() {
            Some(group) if group.last().is_some_and(|last| last.is_beside(line) && line.x0 >= last.x1) => {
                group.push(line);
            }
            _ => groups.push(vec![line]),
        }
    }
    let mut parts = Vec::new();
    let mut groups = groups.into_iter().peekable();
    while let Some(group) = groups.next() {
        if group.len() < 2 {
            parts.extend(group.into_iter().map(Row::Text));
            continue;
        }
        let mut table = vec![group];
        while let Some(next) = groups.next_if(|next| next.len() > 1 && is_aligned(&table, next)) {
            table.push(next);
        }
        let cells: usize = table.iter().map(Vec::len).sum();
        let words: usize = table.iter().flatten().map(|cell| cell.text.split(' ').count()).sum();
        if table.len() > 1 && words <= cells * MAX_WORDS {
            parts.push(Row::Table(table));
        } else {
            parts.extend(table.into_iter().flatten().map(Row::Text));
        }
    }
    parts
}

/// True when most cells of a row share an edge or the middle with a cell above.
fn is_aligned(table: &[Vec<&Line>], row: &[&Line]) -> bool {
    let Some(above) = table.last() else { return false };
    let near = |a: f32, b: f32, size: f32| (a - b).abs() < 0.6 * size;
    let shared = row.iter().filter(|cell| {
        above.iter().any(|over| {
            let size = cell.size;
            near(cell.x0, over.x0, size)
                || near(cell.x1, over.x1, size)
                || near((cell.x0 + cell.x1) / 2.0, (over.x0 + over.x1) / 2.0, size)
        })
    });
    shared.count() * 2 >= row.len()
}

/// True when the first row names the columns: it is bold and the next is not, or it has no numbers
/// where the others have.
pub(super) fn has_header(table: &[Vec<&Line>]) -> bool {
    let [first, rest @ ..] = table else { return false };
    let is_bold = |row: &Vec<&Line>| row.iter().all(|cell| cell.is_bold);
    let numbers = |row: &Vec<&Line>| {
        row.iter().filter(|cell| cell.text.starts_with(|c: char| c.is_ascii_digit())).count()
    };
    let with_numbers = rest.iter().filter(|row| numbers(row) > 0).count();
    is_bold(first) && rest.iter().any(|row| !is_bold(row))
        || numbers(first) == 0 && with_numbers * 2 > rest.len()
}
