use super::super::panels::{PANEL, Panels, panels_of};
use super::codes::{BLOCK, CodeRow, Int16Columns};
use super::portable;

/// A weight matrix in codes: for each panel of columns in turn, all its rows as pairs.
#[derive(Clone, Default)]
pub struct Int16Panels {
    /// Codes of the panels, `[panels_of(columns), inner / 2 rounded up]`.
    panels: Vec<CodeRow>,
    /// Factors of the codes: `[panels_of(columns), blocks, PANEL]`.
    steps: Vec<f32>,
    inner: usize,
    columns: usize,
}

impl Int16Panels {
    /// Rounds a packed matrix, column by column.
    pub fn from_panels(weight: &Panels) -> Self {
        let (inner, columns) = (weight.inner(), weight.columns());
        let pairs = inner.div_ceil(2);
        let mut panels = vec![CodeRow::default(); panels_of(columns) * pairs];
        let blocks = inner.div_ceil(BLOCK);
        let mut steps = vec![0.0; panels_of(columns) * blocks * PANEL];
        let (mut column, mut codes) = (vec![0.0; inner], vec![0; pairs]);
        for index in 0..columns {
            weight.copy_column(index, &mut column);
            for (block, (values, codes)) in column.chunks(BLOCK).zip(codes.chunks_mut(BLOCK / 2)).enumerate()
            {
                let step = portable::round(values, codes);
                steps[(index / PANEL * blocks + block) * PANEL + index % PANEL] = step;
            }
            let panel = &mut panels[index / PANEL * pairs..][..pairs];
            panel.iter_mut().zip(&codes).for_each(|(row, pair)| row.0[index % PANEL] = *pair);
        }
        Self { panels, steps, inner, columns }
    }

    /// Number of terms in each sum.
    pub fn inner(&self) -> usize {
        self.inner
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The whole packed matrix, as an operand.
    pub fn all(&self) -> Int16Columns<'_> {
        self.part(0, panels_of(self.columns))
    }

    /// A number of `panels` from panel `first` on, as an operand. Panics when there are fewer.
    pub fn part(&self, first: usize, panels: usize) -> Int16Columns<'_> {
        let (pairs, steps) = (self.inner.div_ceil(2), self.inner.div_ceil(BLOCK) * PANEL);
        Int16Columns {
            panels: &self.panels[first * pairs..][..panels * pairs],
            steps: &self.steps[first * steps..][..panels * steps],
            inner: self.inner,
            columns: (self.columns - first * PANEL).min(panels * PANEL),
        }
    }
}
