//! Operands other than the packed matrix: rows, the finish of a product, and a norm.

/// The left-hand side of a product: `rows` rows of `inner` values, `stride` apart.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// Values from the first row on.
    pub values: &'a [f32],
    /// Distance from the start of one row to the next, in values.
    pub stride: usize,
    /// Number of rows.
    pub rows: usize,
}

/// Bias and activation, applied to each sum before storing.
#[derive(Clone, Copy)]
pub struct Finish<'a> {
    /// Bias of each column, `[columns]` padded to whole panels; empty for none.
    pub bias: &'a [f32],
    /// True when each sum x becomes x * Phi(x), the exact (erf) form of GELU.
    pub gelu: bool,
}

impl Finish<'_> {
    /// No bias and no activation.
    pub const PLAIN: Finish<'static> = Finish { bias: &[], gelu: false };
}

/// The parameters of a layer norm.
pub struct Norm {
    /// Factor of each component.
    pub weight: Vec<f32>,
    /// Term added to each component.
    pub bias: Vec<f32>,
    /// Term added to the variance.
    pub epsilon: f32,
}
