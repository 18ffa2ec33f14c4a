/// Number of columns that a product computes together: two AVX2 registers, one cache line.
pub const PANEL: usize = 16;

/// One row of a panel, on one cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(64))]
pub struct PanelRow(pub [f32; PANEL]);

/// Number of panels that cover `columns` columns.
pub fn panels_of(columns: usize) -> usize {
    columns.div_ceil(PANEL)
}

/// The right-hand side: `ceil(columns / PANEL)` panels of `inner` rows.
#[derive(Clone, Copy)]
pub struct Columns<'a> {
    /// Panels of the matrix, `[ceil(columns / PANEL), inner]`.
    pub panels: &'a [PanelRow],
    /// Number of terms in each sum.
    pub inner: usize,
    /// Number of columns.
    pub columns: usize,
}

/// A weight matrix packed for products: for each panel of columns in turn, all its rows. Columns
/// after the last are zero.
#[derive(Clone, Default)]
pub struct Panels {
    panels: Vec<PanelRow>,
    inner: usize,
    columns: usize,
}

impl Panels {
    /// Packs a linear layer's weight, `[columns, inner]` row-major, as checkpoints store it.
    pub fn from_linear(weight: &[f32], columns: usize, inner: usize) -> Self {
        assert_eq!(weight.len(), columns * inner, "the weight is [columns, inner]");
        let mut panels = vec![PanelRow::default(); panels_of(columns) * inner];
        for (column, values) in weight.chunks_exact(inner).enumerate() {
            let panel = &mut panels[column / PANEL * inner..][..inner];
            for (row, value) in panel.iter_mut().zip(values) {
                row.0[column % PANEL] = *value;
            }
        }
        Self { panels, inner, columns }
    }

    /// Packs a matrix whose rows are the terms: `[inner, columns]`, row-major.
    pub fn from_rows(values: &[f32], inner: usize, columns: usize) -> Self {
        assert_eq!(values.len(), inner * columns, "the matrix is [inner, columns]");
        let mut panels = vec![PanelRow::default(); panels_of(columns) * inner];
        for (row, values) in values.chunks_exact(columns.max(1)).enumerate() {
            for (panel, values) in values.chunks(PANEL).enumerate() {
                panels[panel * inner + row].0[..values.len()].copy_from_slice(values);
            }
        }
        Self { panels, inner, columns }
    }

    /// Number of terms in each sum.
    pub fn inner(&self) -> usize {
        self.inner
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Copies one column, which was a row of the weight, to `out`. Panics when `column` is not
    /// below [`Panels::columns`], or `out` does not have length [`Panels::inner`].
    pub fn copy_column(&self, column: usize, out: &mut [f32]) {
        assert!(column < self.columns && out.len() == self.inner, "no such column");
        let panel = &self.panels[column / PANEL * self.inner..][..self.inner];
        out.iter_mut().zip(panel).for_each(|(out, row)| *out = row.0[column % PANEL]);
    }

    /// The whole packed matrix, as an operand.
    pub fn all(&self) -> Columns<'_> {
        Columns { panels: &self.panels, inner: self.inner, columns: self.columns }
    }

    /// A number of `panels` from panel `first` on, as an operand. Panics when there are fewer.
    pub fn part(&self, first: usize, panels: usize) -> Columns<'_> {
        let columns = (self.columns - first * PANEL).min(panels * PANEL);
        Columns { panels: &self.panels[first * self.inner..], inner: self.inner, columns }
    }
}
