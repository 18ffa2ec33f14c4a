//! The reading order of the lines of a page.
//!
//! Most programs write a page in the order it is read in, and that order knows what geometry can
//! only guess: which of two columns belong together. So the order of painting is kept, in blocks of
//! lines that follow each other, unless it goes back up the page within a column more often than any
//! text does; then the page is cut along its white gaps, recursively, from top to bottom and from
//! left to right (the XY cut of Nagy and Seth, 1984).

use super::lines::Line;
use super::script::is_right_to_left;

/// Lines further apart than this many heights are two blocks.
const SAME_BLOCK: f32 = 2.2;
/// Share of the steps from block to block that may go back up in a column.
const MAX_BACKWARD: f32 = 0.15;

/// Lines that follow each other.
pub(super) type Block = Vec<Line>;

/// Orders the lines of a page, given in the order they were painted in.
pub(super) fn ordered(lines: Vec<Line>) -> Vec<Block> {
    let blocks = blocks(lines);
    let mut backward = 0.0;
    for (above, below) in blocks.iter().zip(blocks.iter().skip(1)) {
        backward += f32::from(u8::from(goes_back(above, below)));
    }
    // A header or footer painted first or last is one step back in any order.
    if backward - 1.0 <= MAX_BACKWARD * blocks.len() as f32 {
        return blocks;
    }
    let mut frames: Vec<Vec<Line>> = Vec::new();
    for line in blocks.into_iter().flatten() {
        match frames.iter_mut().find(|frame| frame[0].frame == line.frame) {
            Some(frame) => frame.push(line),
            None => frames.push(vec![line]),
        }
    }
    let mut cut = Vec::new();
    for frame in frames {
        cut_up(frame, 0, &mut cut);
    }
    cut.into_iter().flat_map(self::blocks).collect()
}

fn blocks(lines: Vec<Line>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in lines {
        match blocks.last_mut() {
            Some(block) if follows(block, &line) => block.push(line),
            _ => blocks.push(vec![line]),
        }
    }
    blocks
}

fn follows(block: &Block, line: &Line) -> bool {
    let Some(last) = block.last() else { return false };
    if last.frame != line.frame {
        return false;
    }
    if last.is_beside(line) {
        return line.x0 >= last.x1 - 0.5 * line.size;
    }
    let size = last.size.max(line.size);
    let down = line.y - last.y;
    let shares = block.iter().rev().take(6).any(|above| above.overlap(line) > 0.0);
    down > 0.0 && down < SAME_BLOCK * size && shares
}

/// True when a block stands above the one before it, in the same column.
fn goes_back(before: &Block, after: &Block) -> bool {
    let edges = |block: &Block| {
        block.iter().fold((f32::MAX, f32::MIN, f32::MAX, f32::MIN), |(x0, x1, y0, y1), line| {
            (x0.min(line.x0), x1.max(line.x1), y0.min(line.top()), y1.max(line.bottom()))
        })
    };
    let (a, b) = (edges(before), edges(after));
    let shared = a.1.min(b.1) - a.0.max(b.0);
    let narrow = (a.1 - a.0).min(b.1 - b.0);
    before[0].frame == after[0].frame && shared > 0.3 * narrow && b.3 < a.2 + 1.0
}

/// Cuts lines at the widest white gap, until there is none.
fn cut_up(mut lines: Vec<Line>, depth: usize, parts: &mut Vec<Vec<Line>>) {
    if lines.len() < 2 || depth > 40 {
        sort(&mut lines);
        parts.push(lines);
        return;
    }
    let mut sizes: Vec<f32> = lines.iter().map(|line| line.size).collect();
    sizes.sort_by(f32::total_cmp);
    let size = sizes[sizes.len() / 2];
    let across = gap(&lines, |line| (line.x0, line.x1));
    let down = gap(&lines, |line| (line.top(), line.bottom()));
    let columns = across.filter(|(wide, _)| *wide > 0.8 * size);
    let rows = down.filter(|(high, _)| *high > 0.6 * size);
    let (is_column, at) = match (columns, rows) {
        // Columns side by side are read one after the other, unless they are rows of a table.
        (Some((wide, at)), rows) if rows.is_none_or(|(high, _)| wide > high) && !is_grid(&lines, at) => {
            (true, at)
        }
        (_, Some((_, at))) => (false, at),
        (Some((_, at)), None) if !is_grid(&lines, at) => (true, at),
        _ => {
            sort(&mut lines);
            parts.push(lines);
            return;
        }
    };
    let middle =
        |line: &Line| if is_column { (line.x0 + line.x1) / 2.0 } else { (line.top() + line.bottom()) / 2.0 };
    let is_right = lines.iter().filter(|line| line.text.chars().next().is_some_and(is_right_to_left)).count()
        * 2
        > lines.len();
    let (mut first, mut second): (Vec<Line>, Vec<Line>) =
        lines.into_iter().partition(|line| middle(line) < at);
    if is_column && is_right {
        std::mem::swap(&mut first, &mut second);
    }
    if first.is_empty() || second.is_empty() {
        first.append(&mut second);
        sort(&mut first);
        parts.push(first);
        return;
    }
    cut_up(first, depth + 1, parts);
    cut_up(second, depth + 1, parts);
}

/// True when the lines on both sides of a gap stand side by side as rows do, and are short.
fn is_grid(lines: &[Line], at: f32) -> bool {
    let (left, right): (Vec<&Line>, Vec<&Line>) =
        lines.iter().partition(|line| (line.x0 + line.x1) / 2.0 < at);
    let beside = left.iter().filter(|a| right.iter().any(|b| a.is_beside(b))).count();
    let words = lines.iter().map(|line| line.text.split(' ').count()).sum::<usize>();
    beside * 10 > left.len().min(right.len()) * 8 && words < lines.len() * 4
}

/// The widest gap of the shadows of lines: its width and its middle.
fn gap(lines: &[Line], edges: impl Fn(&Line) -> (f32, f32)) -> Option<(f32, f32)> {
    let mut spans: Vec<(f32, f32)> = lines.iter().map(edges).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut widest: Option<(f32, f32)> = None;
    let mut end = spans.first()?.1;
    for (start, stop) in spans {
        if start > end && widest.is_none_or(|(width, _)| start - end > width) {
            widest = Some((start - end, (start + end) / 2.0));
        }
        end = end.max(stop);
    }
    widest
}

/// From top to bottom; lines side by side from left to right.
fn sort(lines: &mut Vec<Line>) {
    lines.sort_by(|a, b| a.y.total_cmp(&b.y));
    let mut sorted: Vec<Line> = Vec::with_capacity(lines.len());
    let mut row: Vec<Line> = Vec::new();
    for line in lines.drain(..) {
        if row.first().is_some_and(|first| !first.is_beside(&line)) {
            row.sort_by(|a, b| a.x0.total_cmp(&b.x0));
            sorted.append(&mut row);
        }
        row.push(line);
    }
    row.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    sorted.append(&mut row);
    *lines = sorted;
}
