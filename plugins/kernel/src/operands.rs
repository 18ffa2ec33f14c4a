//! Operands beside the packed matrix: rows, the finish of a product, and a norm.

/// The left-hand side of a product: `rows` rows of `inner` values, `stride` apart.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The first row and all after it.
    pub values: &'a [f32],
    /// From one row to the next.
    pub stride: usize,
    /// Number of rows.
    pub rows: usize,
}

/// Bias and activation, applied to each sum before it is stored.
#[derive(Clone, Copy)]
pub struct Finish<'a> {
    /// Added to each column; `[columns]` rounded up to whole panels, or empty for none.
    pub bias: &'a [f32],
    /// True when x becomes x * Phi(x), the exact (erf) form of GELU.
    pub gelu: bool,
}

impl Finish<'_> {
    /// Stores the sums as they are.
    pub const PLAIN: Finish<'static> = Finish { bias: &[], gelu: false };
}

/// The parameters of a layer norm.
pub struct Norm {
    /// Multiplies each component.
    pub weight: Vec<f32>,
    /// Added to each component.
    pub bias: Vec<f32>,
    /// Added to the variance.
    pub epsilon: f32,
}
