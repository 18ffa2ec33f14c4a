/// Columns that a product computes together: two AVX2 registers, one cache line.
pub(crate) const PANEL: usize = 16;

/// One row of a panel, on one cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(64))]
pub(crate) struct PanelRow(pub(crate) [f32; PANEL]);

/// Panels that cover `columns` columns.
pub(crate) fn panels_of(columns: usize) -> usize {
    columns.div_ceil(PANEL)
}

/// A weight matrix as products read it: for each panel of columns in turn, all its rows. Columns past
/// the last are zero.
#[derive(Clone, Default)]
pub(crate) struct Panels {
    panels: Vec<PanelRow>,
    inner: usize,
    columns: usize,
}

impl Panels {
    /// Packs a linear layer's weight, `[columns, inner]` row-major, as checkpoints store it.
    pub(crate) fn from_linear(weight: &[f32], columns: usize, inner: usize) -> Self {
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

    /// The packed matrix, to multiply by.
    pub(crate) fn columns(&self) -> super::Columns<'_> {
        super::Columns { panels: &self.panels, inner: self.inner, columns: self.columns }
    }
}
