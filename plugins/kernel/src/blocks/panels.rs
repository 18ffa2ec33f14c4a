use super::super::panels::{PANEL, panels_of};
use super::format::{BLOCK, BlockFormat, Run};

/// Lines of codes in a block of a panel, in the formats of 4 bits and in the others.
pub(super) const NIBBLE_LINES: usize = 4;
pub(super) const BYTE_LINES: usize = 8;

/// One cache line of codes.
///
/// In the formats of 4 bits, a line is 32 numbers of 16 bits, the code pairs of 16 columns side by
/// side; bits `4 n` to `4 n + 3` belong to the line's pair n of 4. In the others it is 64 bytes,
/// the code pairs of 16 columns side by side, of two pairs one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(64))]
pub(super) struct Line(pub(super) [[u16; PANEL]; 2]);

/// A matrix `[columns, inner]` in a block format, laid out for products: panels of 16 columns, each
/// the blocks of its columns side by side.
#[derive(Clone, Debug)]
pub struct BlockPanels {
    /// `[panels, blocks, lines of a block]`.
    lines: Vec<Line>,
    /// Scales, `[panels, blocks, 1 or 2, PANEL]`.
    steps: Vec<f32>,
    /// Minima, `[panels, blocks, PANEL]`; empty when the format has none.
    mins: Vec<f32>,
    format: BlockFormat,
    inner: usize,
    columns: usize,
}

/// One panel, to be filled.
pub struct BlockPanel<'a> {
    lines: &'a mut [Line],
    steps: &'a mut [f32],
    mins: &'a mut [f32],
    format: BlockFormat,
    first: usize,
    width: usize,
}

/// A number of panels, as the right-hand side of a product.
#[derive(Clone, Copy)]
pub struct BlockColumns<'a> {
    pub(super) lines: &'a [Line],
    pub(super) steps: &'a [f32],
    pub(super) mins: &'a [f32],
    pub(super) format: BlockFormat,
    /// Number of terms in each sum.
    pub inner: usize,
    /// Number of columns.
    pub columns: usize,
}

/// One panel, as a product reads it.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    pub(super) lines: &'a [Line],
    pub(super) steps: &'a [f32],
    pub(super) mins: &'a [f32],
    /// Index of the panel's first column.
    pub(super) first: usize,
    /// Number of the panel's columns.
    pub(super) width: usize,
}

impl BlockFormat {
    pub(super) fn lines(self) -> usize {
        if self.has_nibbles() { NIBBLE_LINES } else { BYTE_LINES }
    }

    fn steps(self) -> usize {
        if self.has_halves() { 2 * PANEL } else { PANEL }
    }

    fn mins(self) -> usize {
        if self.has_mins() { PANEL } else { 0 }
    }
}

impl BlockPanels {
    /// A matrix of zeros, `[columns, inner]`; fill it with [`BlockPanels::panels_mut`]. `inner` is a
    /// multiple of the format's [`BlockFormat::values`].
    pub fn zeros(format: BlockFormat, columns: usize, inner: usize) -> Self {
        assert!(inner.is_multiple_of(format.values()), "rows of whole blocks");
        let blocks = panels_of(columns) * (inner / BLOCK);
        Self {
            lines: vec![Line::default(); blocks * format.lines()],
            steps: vec![0.0; blocks * format.steps()],
            mins: vec![0.0; blocks * format.mins()],
            format,
            inner,
            columns,
        }
    }

    /// The panels, to be filled one by one, in any order and by any thread.
    pub fn panels_mut(&mut self) -> Vec<BlockPanel<'_>> {
        let (format, columns, blocks) = (self.format, self.columns, self.inner / BLOCK);
        let panels = self.lines.chunks_exact_mut((blocks * format.lines()).max(1));
        let steps = self.steps.chunks_exact_mut((blocks * format.steps()).max(1));
        let mut mins = self.mins.chunks_exact_mut((blocks * PANEL).max(1));
        let panels = panels.zip(steps).enumerate().map(|(index, (lines, steps))| {
            let first = index * PANEL;
            let mins = mins.next().unwrap_or_default();
            BlockPanel { lines, steps, mins, format, first, width: PANEL.min(columns - first) }
        });
        panels.collect()
    }

    /// Number of terms in each sum.
    pub fn inner(&self) -> usize {
        self.inner
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// A number of `panels` from panel `first` on, as an operand. Panics when there are fewer.
    pub fn part(&self, first: usize, panels: usize) -> BlockColumns<'_> {
        let (format, blocks) = (self.format, self.inner / BLOCK);
        let part = |each: usize| first * blocks * each..(first + panels) * blocks * each;
        BlockColumns {
            lines: &self.lines[part(format.lines())],
            steps: &self.steps[part(format.steps())],
            mins: &self.mins[part(format.mins())],
            format,
            inner: self.inner,
            columns: (self.columns - first * PANEL).min(panels * PANEL),
        }
    }

    /// The whole matrix, as an operand.
    pub fn all(&self) -> BlockColumns<'_> {
        self.part(0, panels_of(self.columns))
    }

    /// Decodes one column, which was a row of the file, to `out`. Panics when `column` is not below
    /// [`BlockPanels::columns`], or `out` does not have length [`BlockPanels::inner`].
    pub fn copy_column(&self, column: usize, out: &mut [f32]) {
        assert!(column < self.columns && out.len() == self.inner, "no such column");
        let (part, at) = (self.part(column / PANEL, 1), column % PANEL);
        let format = self.format;
        for (block, values) in out.chunks_exact_mut(BLOCK).enumerate() {
            let lines = &part.lines[block * format.lines()..][..format.lines()];
            let steps = &part.steps[block * format.steps()..][..format.steps()];
            let min = part.mins.get(block * PANEL + at).copied().unwrap_or(0.0);
            for (i, value) in values.iter_mut().enumerate() {
                let step = steps[if format.has_halves() { i / 16 * PANEL + at } else { at }];
                *value = f32::from(code(format, lines, i, at)).mul_add(step, min);
            }
        }
    }
}

/// Code `i` of a block, of one column.
pub(super) fn code(format: BlockFormat, lines: &[Line], i: usize, column: usize) -> i16 {
    let (pair, second) = (i / 2, i % 2);
    if format.has_nibbles() {
        let lanes = lines[pair / 4].0.as_flattened();
        return (lanes[2 * column + second] >> (4 * (pair % 4)) & 15) as i16;
    }
    let both = lines[pair / 2].0[pair % 2][column].to_le_bytes();
    i16::from(both[second] as i8)
}

impl BlockPanel<'_> {
    /// Index of the panel's first column.
    pub fn first(&self) -> usize {
        self.first
    }

    /// Number of the panel's columns, 16 or, in the last panel, fewer.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Lays out the columns: `row` gives the bytes of the file for each column of the panel, by its
    /// index in the panel. Panics when a row is shorter than its blocks.
    pub fn fill<'b>(&mut self, row: impl Fn(usize) -> &'b [u8]) {
        let format = self.format;
        let rows: Vec<&[u8]> = (0..self.width).map(row).collect();
        let runs = format.values() / BLOCK;
        let mut mins = self.mins.chunks_exact_mut(PANEL);
        let parts =
            self.lines.chunks_exact_mut(format.lines()).zip(self.steps.chunks_exact_mut(format.steps()));
        for (at, (lines, steps)) in parts.enumerate() {
            let mut none = [0.0; PANEL];
            let mins = mins.next().unwrap_or(&mut none);
            let (block, run) = (at / runs, at % runs);
            for (column, row) in rows.iter().enumerate() {
                let decoded = format.decode(&row[block * format.bytes()..][..format.bytes()], run);
                place(format, &decoded, lines, column);
                steps[column] = decoded.steps[0];
                if format.has_halves() {
                    steps[PANEL + column] = decoded.steps[1];
                }
                mins[column] = decoded.min;
            }
        }
    }
}

/// Writes the codes of a column's block, whose lines have zeros there.
fn place(format: BlockFormat, run: &Run, lines: &mut [Line], column: usize) {
    if format.has_nibbles() {
        for (line, codes) in lines.iter_mut().zip(run.codes.chunks_exact(8)) {
            let lanes = line.0.as_flattened_mut();
            for second in 0..2 {
                let four = [0, 1, 2, 3].map(|pair| u16::from(codes[2 * pair + second] as u8) << (4 * pair));
                lanes[2 * column + second] = four[0] | four[1] | four[2] | four[3];
            }
        }
    } else {
        for (line, codes) in lines.iter_mut().zip(run.codes.chunks_exact(4)) {
            line.0[0][column] = u16::from_le_bytes([codes[0] as u8, codes[1] as u8]);
            line.0[1][column] = u16::from_le_bytes([codes[2] as u8, codes[3] as u8]);
        }
    }
}

impl<'a> BlockColumns<'a> {
    /// Iterates over the panels.
    pub(super) fn each(self) -> impl Iterator<Item = Panel<'a>> {
        let (format, blocks) = (self.format, self.inner / BLOCK);
        let lines = self.lines.chunks_exact((blocks * format.lines()).max(1));
        let steps = self.steps.chunks_exact((blocks * format.steps()).max(1));
        let mut mins = self.mins.chunks_exact((blocks * PANEL).max(1));
        lines.zip(steps).enumerate().map(move |(index, (lines, steps))| {
            let first = index * PANEL;
            let mins = mins.next().unwrap_or_default();
            Panel { lines, steps, mins, first, width: PANEL.min(self.columns - first) }
        })
    }
}
