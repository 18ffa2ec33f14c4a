//! The arithmetic of a transformer layer, on f32 slices: matrix product with its bias and activation,
//! softmax, layer norm.
//!
//! Every operation exists twice: `portable.rs`, which runs anywhere and is the oracle of the tests, and
//! `avx2.rs`, chosen at run time. A third file would be a third instruction set.
//!
//! file | responsibility
//! ---|---
//! `panels.rs` | the right-hand side of a product, laid out as the product reads it
//! `coefficients.rs` | the polynomials of exp2 and of the normal distribution, and their errors
//! `portable.rs` | the operations in plain Rust
//! `avx2.rs` | the operations with AVX2 and FMA

#[cfg(target_arch = "x86_64")]
mod avx2;
mod coefficients;
mod panels;
mod portable;

pub(crate) use panels::{PANEL, PanelRow, Panels, panels_of};

/// The left-hand side of a product: `rows` rows of `inner` values, `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) rows: usize,
}

/// The right-hand side: `ceil(columns / PANEL)` panels of `inner` rows.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    pub(crate) panels: &'a [PanelRow],
    pub(crate) inner: usize,
    pub(crate) columns: usize,
}

/// What is done to each sum before it is stored.
#[derive(Clone, Copy)]
pub(crate) struct Finish<'a> {
    /// Added to each column; `[columns]` rounded up to whole panels, or empty for none.
    pub(crate) bias: &'a [f32],
    /// Whether x becomes x * Phi(x), the exact (erf) form of GELU.
    pub(crate) gelu: bool,
}

impl Finish<'_> {
    /// Stores the sums as they are.
    pub(crate) const PLAIN: Finish<'static> = Finish { bias: &[], gelu: false };
}

/// A way to compute on this machine.
#[derive(Clone, Copy)]
pub(crate) enum Kernel {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
}

impl Kernel {
    /// The fastest there is on this machine.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = avx2::Avx2::detect() {
            return Self::Avx2(avx2);
        }
        Self::Portable
    }

    /// `out[r, c] = finish(sum over i of a[r, i] * b[i, c])`; rows of `out` are `out_stride` apart.
    pub(crate) fn product(
        self,
        a: Rows<'_>,
        b: Columns<'_>,
        finish: Finish<'_>,
        out: &mut [f32],
        out_stride: usize,
    ) {
        if a.rows == 0 || b.columns == 0 {
            return;
        }
        assert!(a.values.len() >= (a.rows - 1) * a.stride + b.inner, "left side too short");
        assert!(b.panels.len() >= panels_of(b.columns) * b.inner, "right side too short");
        assert!(
            finish.bias.is_empty() || finish.bias.len() >= panels_of(b.columns) * PANEL,
            "bias too short"
        );
        assert!(out.len() >= (a.rows - 1) * out_stride + b.columns, "output too short");
        match self {
            Self::Portable => portable::product(a, b, finish, out, out_stride),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.product(a, b, finish, out, out_stride),
        }
    }

    /// Replaces `row` by softmax(scale * row). `scale` is positive and the row finite.
    pub(crate) fn softmax(self, row: &mut [f32], scale: f32) {
        match self {
            Self::Portable => portable::softmax(row, scale),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.softmax(row, scale),
        }
    }

    /// Replaces `row` by the layer norm of `row + residual`, all of one length.
    pub(crate) fn add_norm(self, row: &mut [f32], residual: &[f32], norm: &Norm) {
        let width = row.len();
        assert!(
            residual.len() == width && norm.weight.len() == width && norm.bias.len() == width,
            "widths differ"
        );
        match self {
            Self::Portable => portable::add_norm(row, residual, norm),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.add_norm(row, residual, norm),
        }
    }
}

/// The parameters of a layer norm.
pub(crate) struct Norm {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) epsilon: f32,
}

#[cfg(test)]
mod tests;
